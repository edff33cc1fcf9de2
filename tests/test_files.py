"""Files that cannot be written, and JSON that no one of ours wrote."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from errno import ENOSPC
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import pytest
from filelock import FileLock

from ganlib.errors import GanlibError
from ganlib.files import (
    DAMAGED_ARCHIVE,
    is_locked,
    open_zip,
    read_json,
    read_toml,
    remove_partial_files,
    replacing,
    scratch_folder,
    write_atomically,
    writing,
)
from ganlib.training.log import ScalarLog
from helpers.gallery import PROJECT

FULL = Path("/dev/full")  # a disk without space


def test_a_full_disk_names_the_file_and_what_to_do(tmp_path):
    path = tmp_path / "weights.safetensors"
    with pytest.raises(GanlibError) as raised, writing(path):
        raise OSError(ENOSPC, "No space left on device")
    assert str(raised.value) == (
        f"{path} cannot be written (No space left on device); free space on its disk, or choose a folder elsewhere, "
        "and repeat."
    )


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_a_row_of_a_log_on_a_full_disk_is_one_sentence(tmp_path):
    log = ScalarLog(tmp_path / "log.csv")
    log.append(1, 4, {"a": 1.0})
    log.path.unlink()
    log.path.symlink_to(FULL)
    with pytest.raises(GanlibError, match=r"log.csv cannot be written \(No space left on device\); free space"):
        log.append(2, 8, {"a": 1.0})


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(GanlibError, match=r"file/weights cannot be read or written \(.*\); check the path"):
        write_atomically(tmp_path / "file" / "weights", b"x")


@pytest.mark.parametrize(
    ("content", "value"),
    [(rb'"a\ud800b"', "a\ufffdb"), (rb'{"\udc00": ["\ud83d\ude00"]}', {"\ufffd": ["\U0001f600"]}), (b"[1, 2]", [1, 2])],
)
def test_half_a_surrogate_pair_is_replaced(content, value, tmp_path):
    (tmp_path / "a.json").write_bytes(content)
    assert read_json(tmp_path / "a.json") == value


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 30 + b"]" * 30, b"[" * 10**5, b"9" * 5000])
def test_no_json_is_a_value_error(content, tmp_path):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"\w"):  # a reason
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize("content", ["a = ", "a = " + "9" * 5000, "a = " + "[" * 5000, "\x00"])
def test_no_toml_is_one_sentence(content, tmp_path):
    (tmp_path / "a.toml").write_text(content)
    with pytest.raises(GanlibError, match=r"a\.toml is no valid TOML: "):
        read_toml(tmp_path / "a.toml", "a queue file")


WRITER = """
import sys, time
from pathlib import Path
from ganlib.files import replacing, scratch_folder
with scratch_folder(Path(sys.argv[1]).parent, "scratch-"), replacing(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    print("writing", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def writer(tmp_path) -> Iterator[subprocess.Popen[bytes]]:
    """A process in the midst of writing ``a`` and of filling a folder."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "a")], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"writing\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="its files have no such locks")
def test_what_a_killed_writer_left_goes_and_that_of_a_living_one_stays(writer, tmp_path):
    def names() -> list[str]:
        return sorted(path.name.partition("-")[0] for path in tmp_path.iterdir())

    remove_partial_files(tmp_path)
    with scratch_folder(tmp_path, "scratch-") as folder:
        assert names() == [".a.partial", "scratch", "scratch"]
    assert not folder.exists()
    writer.kill()
    writer.wait()
    assert names() == [".a.partial", "scratch"]
    with scratch_folder(tmp_path, "scratch-"):
        assert names() == [".a.partial", "scratch"]
    remove_partial_files(tmp_path)
    assert names() == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="its files have no such locks")
def test_a_second_writer_waits_for_the_first_and_takes_over_from_a_killed_one(writer, tmp_path):
    path = tmp_path / "a"
    second = Thread(target=write_atomically, args=(path, b"whole"))
    second.start()
    second.join(0.3)
    assert second.is_alive()
    assert not path.exists()
    writer.kill()
    second.join(30)
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.glob(".*")) == []
    assert path.stat().st_mode & 0o777 == 0o644


def test_many_writers_at_once_leave_one_whole_file(tmp_path):
    path = tmp_path / "a"
    contents = [bytes([65 + i]) * 50_000 for i in range(8)]
    threads = [Thread(target=write_atomically, args=(path, content)) for content in contents for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "a"
    write_atomically(path, b"old")
    with pytest.raises(ValueError, match="closed"), replacing(path) as file:
        file.close()
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


AS_ANOTHER = """
import os, sys
from pathlib import Path
from ganlib.errors import GanlibError
from ganlib.files import is_locked, remove_partial_files, write_atomically
from ganlib.run_folder import RunFolder
os.seteuid(65534)  # nobody
folder = Path(sys.argv[1])
remove_partial_files(folder, below=True)
RunFolder(folder).remove_partial_files()
print(is_locked(folder / ".training.lock"))
try:
    write_atomically(folder / "a", b"whole")
    print("written")
except GanlibError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may become another user")
@pytest.mark.parametrize(
    ("mode", "answer", "left"),
    [
        (0o755, "/a cannot be read or written (Permission denied)", [".a.partial", ".state.pt.abcd1234"]),
        (0o1777, "/a cannot be read or written (Operation not permitted)", [".a.partial", ".state.pt.abcd1234"]),
        (0o777, "written", ["a"]),
    ],
)
def test_what_another_user_left_half_written_is_replaced_or_named(mode, answer, left):
    with TemporaryDirectory() as parent:  # pytest's own folders are closed to others
        Path(parent).chmod(0o755)
        folder = Path(parent, "run")
        folder.mkdir()
        for name in (".a.partial", ".state.pt.abcd1234", ".training.lock"):
            (folder / name).write_bytes(b"half")
        folder.chmod(mode)
        command = [sys.executable, "-c", AS_ANOTHER, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT)
        locked, _, sentence = done.stdout.strip().partition("\n")
        assert locked == "False"
        assert answer in sentence
        assert "\n" not in sentence
        assert sorted(path.name for path in folder.iterdir()) == sorted([*left, ".training.lock"])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="its files have no such locks")
def test_a_lock_is_seen_without_the_right_to_write(tmp_path):
    lock = tmp_path / ".lock"
    assert not is_locked(lock)
    with FileLock(lock):
        assert is_locked(lock)
    assert not is_locked(lock)


def test_a_link_in_the_place_of_the_half_written_file_is_not_followed(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"kept")
    (tmp_path / ".a.partial").symlink_to(secret)
    with pytest.raises(GanlibError, match="cannot be read or written"):
        write_atomically(tmp_path / "a", b"x")
    remove_partial_files(tmp_path)
    assert secret.read_bytes() == b"kept"


def test_a_member_of_a_zip_that_says_it_has_gigabytes_takes_no_memory(tmp_path):
    """zipfile asks for as many bytes at once as the header says."""
    path, content = tmp_path / "a.zip", b"some text " * 50
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("good", "bad"):
            archive.writestr(name, content)
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\1\2") + 20  # of the last entry of the directory: its packed size
    data[at : at + 4] = (2**31 + 5).to_bytes(4, "little")
    path.write_bytes(data)
    with open_zip(path) as archive:
        assert archive.read("good") == content
        tracemalloc.start()
        with suppress(*DAMAGED_ARCHIVE):
            assert archive.read("bad") == content
        assert tracemalloc.get_traced_memory()[1] < 10**6
        tracemalloc.stop()
    with open_zip(io.BytesIO(data)) as archive:
        assert archive.read("good") == content
