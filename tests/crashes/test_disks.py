"""Full and read-only disks: every command ends in one sentence, what was there stays whole, and goes on afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.kills import check_run
from ganlib.__main__ import main
from ganlib.runs import Run
from helpers.gallery import digits_run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount a small disk"),
]
FLAGS = ["--image-size", "16", "--width", "4", "--z-dim", "8", "--batch-size", "16", "--precision", "fp32"]
FLAGS += ["--log-every", "1", "--state-every", "0", "--snapshot-first", "16", "--snapshot-growth", "2"]
FLAGS += ["--device", "cpu"]
IMAGES = 96
Mount = Callable[[str], None]


@pytest.fixture
def disk(tmp_path) -> Iterator[tuple[Path, Mount]]:
    """A disk in memory, and how to give it other options: "size=64k", "ro"."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", str(folder)], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("nothing can be mounted here")

    def remount(options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)

    try:
        yield folder, remount
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def sentence(capsys: pytest.CaptureFixture[str]) -> str:
    err = capsys.readouterr().err
    own = [line for line in err.splitlines() if line.startswith("ganlib: ")]
    assert len(own) == 1, err
    assert "Traceback" not in err
    return own[0]


@pytest.fixture
def cache(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("GANLIB_CACHE", str(tmp_path / "cache"))


@pytest.mark.usefixtures("cache")
def test_a_training_on_a_disk_that_fills_up_anywhere_says_so_and_goes_on_after(disk, capsys):
    folder, remount = disk
    run = folder / "run"
    train = ["train", "cdcgan", "--data", "digits", *FLAGS, "--images", str(IMAGES), "--out", str(run)]
    assert main(train) == 0
    full = sum(path.stat().st_blocks * 512 for path in run.rglob("*"))
    shutil.rmtree(run)
    failures = 0
    for tenth in range(10):
        capsys.readouterr()
        remount(f"size={max(full * tenth // 10, 4096)}")
        code = main(train)
        if code:
            failures += 1
            text = sentence(capsys)
            assert "No space left on device" in text
            assert "free space on its disk, or choose a folder elsewhere, and repeat." in text
            check_run(run)
        remount("size=100m")
        if (run / "state.pt").exists():
            assert main(["train", "--resume", str(run), "--device", "cpu"]) == 0
        else:  # nothing was trained yet: a queue begins such a run anew
            shutil.rmtree(run, ignore_errors=True)
            assert main(train) == 0
        assert Run(run).images_seen == IMAGES
        check_run(run)
        assert [path for path in run.rglob(".*") if path.name != ".training.lock"] == []
        shutil.rmtree(run)
    assert failures >= 5


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("kind", ["full", "read-only"])
def test_no_command_harms_a_run_on_a_disk_that_takes_nothing(kind, disk, capsys):
    folder, remount = disk
    run = digits_run(folder / "run")
    run.folder.write_snapshot(run.load(), 32)
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    status = os.statvfs(folder)
    remount(f"size={(status.f_blocks - status.f_bfree) * status.f_frsize}" if kind == "full" else "ro")
    writing = (
        ["promote", str(run.path), "32"],
        ["halve", str(run.path), "--device", "cpu"],
        ["export", str(run.path), "--images", "10", "--device", "cpu", "--out", str(folder / "set")],
        ["sample", str(run.path), "--seeds", "0-3", "--out", str(folder / "grid.png"), "--device", "cpu"],
        ["train", "--like", str(run.path), "--data", "digits", "--images", "32", "--out", str(folder / "new")],
        ["evaluate", str(run.path), "--metrics", "class_agreement", "--n", "20", "--blocks", "1", "--device", "cpu"],
    )
    for arguments in writing:
        capsys.readouterr()
        assert main(arguments) == 1, arguments
        text = sentence(capsys)
        assert ("No space left" if kind == "full" else "Read-only file system") in text, text
        assert str(folder) in text
    for arguments in (
        ["list", str(run.path)],
        ["sample", str(run.path), "--seeds", "0", "--out", str(folder.parent / "x.png")],
    ):
        assert main(arguments) == 0, arguments
    check_run(run.path)
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("form", ["folder", "webdataset", "zip"])
def test_an_export_on_a_disk_that_fills_up_says_so_and_goes_on_after(form, disk, tmp_path, capsys):
    folder, remount = disk
    run = digits_run(tmp_path / "run")
    export = ["export", str(run.path), "--images", "60", "--device", "cpu", "--format", form, "--shard", "100"]
    assert main([*export, "--out", str(tmp_path / "whole")]) == 0
    assert len(images_of(tmp_path / "whole")) == (6 if form == "webdataset" else 600)
    for kilobytes in (8, 64, 128):
        capsys.readouterr()
        remount(f"size={kilobytes}k")
        assert main([*export, "--out", str(folder / "set")]) == 1
        assert "No space left on device" in sentence(capsys)
        remount("size=100m")
        assert main([*export, "--out", str(folder / "set")]) == 0
        assert images_of(folder / "set") == images_of(tmp_path / "whole")
        shutil.rmtree(folder / "set", ignore_errors=True)
        (folder / "set").unlink(missing_ok=True)


def images_of(path: Path) -> dict[str, bytes]:
    """Or the shards that hold them."""
    if path.is_dir():
        files = [file for file in path.rglob("*") if file.suffix in (".png", ".tar")]
        return {str(file.relative_to(path)): file.read_bytes() for file in files}
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name.endswith(".png")}
