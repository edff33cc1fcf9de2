"""Inversion of a picture from the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganlib.applications.saved_latents import load_latents
from ganlib.runs import Run
from helpers.command_line import run_command, run_refused_command
from helpers.gallery import CONDITIONAL, UNCONDITIONAL

QUICK = ["--steps", "3", "--seeds", "8", "--starts", "2", "--feature", "0"]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 4), np.uint8)
    Image.fromarray(pixels, "RGBA").save(path)
    return path


def test_a_picture_is_inverted_drawn_and_kept(own_gallery, picture, tmp_path, capsys):
    out = tmp_path / "pair.png"
    flags = ["--class", "3", "--out", str(out), "--save", "mine"]
    text = run_command("invert", CONDITIONAL, picture, *flags, *QUICK, capsys=capsys)
    assert "picture.png: distance 0." in text
    assert f"Picture, inversion in {out}" in text
    latents, label = load_latents(Run(own_gallery / CONDITIONAL), "mine")
    assert (len(latents), label) == (1, 3)
    with Image.open(out) as pair:
        assert pair.width > pair.height


def test_what_is_no_picture_or_has_no_class_is_refused(gallery, picture, tmp_path, capsys):
    text = tmp_path / "text.png"
    text.write_text("no picture")
    refusals = {
        (CONDITIONAL, picture): "is conditional and nothing at hand tells the picture's class; give --class.",
        (UNCONDITIONAL, text): "is no picture that can be read",
        (UNCONDITIONAL, tmp_path / "absent.png"): "is no picture that can be read",
        (UNCONDITIONAL, picture, "--class", "3"): "unconditional, so --class has no meaning",
        (UNCONDITIONAL, picture, "--out", "pair.gif"): "is no .png",
        (UNCONDITIONAL, picture, "--save", "a", "--tuning-steps", "2"): "for the run's own weights",
        (UNCONDITIONAL, picture, "--save", "a/b"): "cannot name latents",
    }
    for arguments, sentence in refusals.items():
        assert sentence in run_refused_command("invert", *arguments, *QUICK, capsys=capsys), arguments
