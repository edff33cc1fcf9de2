"""python -m ganlib apply: folders of pictures through every kind of run, and what cannot be."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganlib.applications.superresolution import TILE, enlarge
from ganlib.models import ImageToImage
from ganlib.runs import Run
from helpers.command_line import read, run_command, run_refused_command
from helpers.tiny_models import write_run

SIZES = {"a.png": (16, 16), "deep/b.jpg": (40, 20)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name, (width, height) in SIZES.items():
        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8)).save(path)
    (tmp_path / "pictures" / "broken.png").write_bytes(b"no picture")
    (tmp_path / "pictures" / "notes.txt").write_text("none at all")
    return tmp_path / "pictures"


def apply(run: Path, folder: Path, *arguments: str, capsys) -> tuple[dict[str, np.ndarray], str]:
    """Output pictures by name, and what was printed; one file of the folder is broken."""
    from ganlib.__main__ import main

    out = folder.parent / "out"
    assert main(["apply", str(run), str(folder), "--out", str(out), "--device", "cpu", *arguments]) == 0
    printed, error = capsys.readouterr()
    assert error.count("broken.png is no picture that can be read") == 1
    return {path.relative_to(out).as_posix(): read(path) for path in sorted(out.rglob("*.png"))}, printed


def test_pictures_of_any_shape_are_enlarged(folder, tmp_path, capsys):
    write_run(tmp_path / "run", "srgan", channels=3)
    pictures, printed = apply(tmp_path / "run", folder, capsys=capsys)
    assert {name: p.shape for name, p in pictures.items()} == {"a.png": (32, 32, 3), "deep/b.png": (40, 80, 3)}
    assert printed.startswith("2 pictures in ")


def test_tiles_have_no_seams(tmp_path):
    model = write_run(tmp_path / "run", "srgan").load()
    assert isinstance(model, ImageToImage)
    picture = np.random.default_rng(0).integers(0, 256, (20, TILE + 30, 1), np.uint8)
    whole = enlarge(model, picture)[0]
    ends = [enlarge(model, part)[0] for part in (picture[:, : TILE + 16], picture[:, TILE - 16 :])]
    joined = np.concatenate([ends[0][:, : 2 * TILE], ends[1][:, 32:]], axis=1)
    assert np.abs(whole.astype(int) - joined).max() <= 1


def test_other_tasks_resize_and_say_so(folder, tmp_path, capsys):
    for name, arguments in {
        "cyclegan": ["--from", "b"],
        "pix2pix": ["--drawing"],
        "context_encoder": ["--mask", "centre"],
    }.items():
        write_run(tmp_path / name, name)
        pictures, printed = apply(tmp_path / name, folder, *arguments, capsys=capsys)
        assert {p.shape for p in pictures.values()} == {(16, 16)}
        assert "1 of 2: Its 40 x 20 pixels became 16 x 16." in printed
        assert "1 of 2: Its middle square is taken." in printed


def test_a_gan_fills_holes_with_several_results(folder, tmp_path, capsys):
    write_run(tmp_path / "run", "dcgan")
    pictures, _ = apply(
        tmp_path / "run", folder, "--mask", "half", "--results", "2", "--steps", "2", "--starts", "4", capsys=capsys
    )
    assert list(pictures) == ["a-0.png", "a-1.png", "deep/b-0.png", "deep/b-1.png"]


def test_a_run_that_can_fills_holes_by_the_named_method(folder, tmp_path, capsys):
    write_run(tmp_path / "run", "bigan")
    few = ["--mask", "half", "--results", "1", "--steps", "2", "--starts", "4", "--rounds", "2"]
    usual, _ = apply(tmp_path / "run", folder, *few, capsys=capsys)
    named, _ = apply(tmp_path / "run", folder, *few, "--method", "latents", capsys=capsys)
    other, _ = apply(tmp_path / "run", folder, *few, "--method", "reencoding", capsys=capsys)
    assert (usual["a.png"] == named["a.png"]).all()
    assert (usual["a.png"] != other["a.png"]).any()


def test_a_lapgan_enlarges_by_its_levels(folder, tmp_path, capsys):
    write_run(tmp_path / "run", "lapgan")
    pictures, _ = apply(tmp_path / "run", folder, "--results", "2", "--class", "b", capsys=capsys)
    assert {p.shape for p in pictures.values()} == {(16, 16)}
    assert (pictures["a-0.png"] != pictures["a-1.png"]).any()
    Image.new("L", (4, 4), 90).save(tmp_path / "tiny.png")
    printed = run_command(
        "apply", tmp_path / "run", tmp_path / "tiny.png", "--out", tmp_path / "o", "--class", "b", capsys=capsys
    )
    assert "became" not in printed  # one of the pyramid's sizes is taken as it is


def test_an_archive_is_read_in_place_and_cannot_write_outside(tmp_path, capsys):
    write_run(tmp_path / "run", "srgan", channels=3)
    content = io.BytesIO()
    Image.new("RGB", (8, 8)).save(content, "PNG")
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name in ("in.png", "../../out.png"):
            info = tarfile.TarInfo(name)
            info.size = len(content.getvalue())
            tar.addfile(info, io.BytesIO(content.getvalue()))
    run_command("apply", tmp_path / "run", tmp_path / "a.tar", "--out", tmp_path / "o" / "o", capsys=capsys)
    assert [p.name for p in tmp_path.rglob("*.png")] == ["in.png"]


def test_pictures_of_one_name_do_not_overwrite_each_other(tmp_path, capsys):
    write_run(tmp_path / "run", "srgan", channels=3)
    (tmp_path / "in").mkdir()
    for ending in ("png", "jpg"):
        Image.new("RGB", (8, 8)).save(tmp_path / "in" / f"a.{ending}")
    run_command("apply", tmp_path / "run", tmp_path / "in", "--out", tmp_path / "out", capsys=capsys)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.png", "a.png.png"]
    folders = [tmp_path / name for name in ("x", "y", "z", "w")]
    for folder, name in zip(folders, ("a.png", "a.png", "a.png", "A.png"), strict=True):
        folder.mkdir()
        Image.new("RGB", (8, 8)).save(folder / name)
    run_command("apply", tmp_path / "run", *folders, "--out", tmp_path / "four", capsys=capsys)
    written = [p.name for p in (tmp_path / "four").iterdir()]
    assert sorted(written) == ["A (3).png", "a (2).png", "a.png", "a.png.png"]
    assert len({name.lower() for name in written}) == 4


def test_results_in_a_folder_of_the_pictures_are_no_pictures_of_the_next_call(folder, tmp_path, capsys):
    write_run(tmp_path / "run", "srgan", channels=3)
    (folder / "broken.png").unlink()
    out = folder / "deep" / "larger"
    for _ in range(2):
        printed = run_command("apply", tmp_path / "run", folder, "--out", out, capsys=capsys)
        assert printed.startswith("2 pictures in ")
    assert [p.relative_to(out).as_posix() for p in sorted(out.rglob("*.png"))] == ["a.png", "deep/b.png"]


REFUSED = {
    "domain": ("cyclegan", [], "translates between a and b, and the pictures' own is missing; say it with --from"),
    "unknown domain": ("cyclegan", ["--from", "x"], "not 'x'; say it with --from"),
    "no mask": ("context_encoder", [], "say where with --mask, centre, half"),
    "mask": ("srgan", ["--mask", "centre"], "fills no holes, so leave --mask out"),
    "method": (
        "dcgan",
        ["--mask", "half", "--method", "repaint"],
        "fills no holes by repaint; choose latents, or leave",
    ),
    "method without holes": ("srgan", ["--method", "latents"], "fills no holes, so leave --method out"),
    "method without mask": ("dcgan", ["--method", "latents"], "say where with --mask"),
    "missing mask": ("context_encoder", ["--mask", "hole.png"], "There is no mask hole.png"),
    "from": ("srgan", ["--from", "a"], "does not translate between domains"),
    "drawing": ("pix2pix", ["--drawing"], "makes no pictures of drawings"),
    "classifier": ("classifier", [], "takes no picture as its condition"),
    "class": ("cdcgan", ["--mask", "centre"], "nothing at hand tells the picture's class; give --class"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_go_together_is_refused(case, folder, tmp_path, monkeypatch, capsys):
    name, arguments, sentence = REFUSED[case]
    monkeypatch.setenv("GANLIB_GALLERY", str(tmp_path / "none"))
    changes: Any = {"task": "superresolution"} if case == "drawing" else {}
    write_run(tmp_path / "run", name, **changes)
    (folder / "broken.png").unlink()
    refused = run_refused_command(
        "apply", tmp_path / "run", folder, "--out", tmp_path / "out", *arguments, capsys=capsys
    )
    assert sentence in refused
    assert Run(tmp_path / "run").model_name == name


def test_places_without_pictures_are_refused(folder, tmp_path, capsys):
    write_run(tmp_path / "run", "srgan")
    (tmp_path / "empty").mkdir()
    for source, out, sentence in [
        (tmp_path / "empty", tmp_path / "out", "No picture was found"),
        (tmp_path / "away", tmp_path / "out", "There is no "),
        (folder, folder, "the pictures' own folder"),
        (folder / "a.png", folder, "the pictures' own folder"),
    ]:
        assert sentence in run_refused_command("apply", tmp_path / "run", source, "--out", out, capsys=capsys)
