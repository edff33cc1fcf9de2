"""python -m ganlib interpolate: films, pictures and frames, the same as from Python."""

from __future__ import annotations

import io
import shlex
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganlib.__main__ import main
from ganlib.images import read_metadata
from ganlib.sampling import interpolate
from helpers.gallery import OTHER, UNCONDITIONAL, model, pixels

KEYS = ["--key", "1~4", "--key", "6~5", "--key", "3~6", "--frames", "7"]


@pytest.mark.usefixtures("gallery")
def test_frames_in_a_zip_are_those_of_python(gallery, tmp_path: Path, capsys):
    out = tmp_path / "frames.zip"
    assert main(["interpolate", OTHER, *KEYS, "--path", "lerp", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"7 frames of {OTHER} in {out}\n"
    with zipfile.ZipFile(out) as archive:
        frames = np.stack([pixels(archive.read(f"{i}.png")) for i in range(1, 8)])
    assert np.array_equal(frames, interpolate(model(gallery, OTHER), (4, 5, 6), (1, 6, 3), 7, path="lerp")[..., 0])


def test_a_film_has_its_size_and_a_picture_the_command_that_makes_it(gallery, tmp_path: Path):
    film, picture = tmp_path / "walk.webp", tmp_path / "walk.png"
    assert main(["interpolate", OTHER, *KEYS, "--side", "48", "--frames-per-second", "10", "--out", str(film)]) == 0
    with Image.open(io.BytesIO(film.read_bytes())) as opened:
        opened.load()
        assert (getattr(opened, "n_frames", 1), opened.size, opened.info["duration"]) == (7, (48, 48), 100)
    assert main(["interpolate", OTHER, *KEYS, "--out", str(picture)]) == 0
    again = tmp_path / "again.png"
    about = read_metadata(picture)
    assert about
    assert main([*shlex.split(about["command"])[3:], "--out", str(again)]) == 0
    assert np.array_equal(pixels(again.read_bytes()), pixels(picture.read_bytes()))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--out", "x.avi"], "is neither .gif, .webp, .mp4, .png nor .zip"),
        (["--out", "x.gif", "--sheet", "3x3"], "not a film"),
        (["--out", "x.gif", "--side", "50"], "whole multiples of 16, like 16, 32"),
        (["--out", "x.png", "--sheet", "3"], "rows x columns"),
        (["--out", "x.png", "--key", "4"], "at least 2 key frames, not 1"),
        (["--out", "x.png", "--key", "cat~4", "--key", "5"], "unconditional"),
        (["--out", "x.png", "--key", "4", "--key", "5", "--space", "w"], "has no latent space 'w'; it has z"),
        (["--out", "x.png", "--key", "4", "--key", "5", "--frames", "1"], "at least 2 frames, not 1"),
    ],
)
def test_what_cannot_be_is_one_sentence(arguments, reason, gallery, capsys):
    assert main(["interpolate", UNCONDITIONAL, *arguments]) == 1
    error = capsys.readouterr().err
    assert reason in error
    assert error.count("\n") == 1
