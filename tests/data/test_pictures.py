"""A picture of one's own, made smaller."""

from __future__ import annotations

import io
import time

import numpy as np
from PIL import Image

from ganlib.data.pictures import decode_picture, decode_whole


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def test_a_picture_made_far_smaller_differs_little_from_an_exact_resampling():
    waves = np.sin(np.linspace(0, 20, 600))[:, None, None] * np.cos(np.linspace(0, 15, 900))[None, :, None]
    picture = Image.fromarray((127 + 120 * waves * np.array([1, 0.5, -1])).astype(np.uint8))
    small = decode_whole(png(picture), "a.png", 3, 60)
    exact = np.asarray(picture.resize((60, 40), Image.Resampling.LANCZOS))
    assert small.pixels.shape == (40, 60, 3)
    assert np.abs(small.pixels.astype(int) - exact.astype(int)).max() <= 2
    assert small.notes == ("Its 900 x 600 pixels became 60 x 40.",)


def test_a_strip_of_megapixels_is_made_smaller_in_the_time_that_its_middle_takes():
    """24 x 2,097,172 pixels of 16 bits took 3 s instead of 0.7 (found by fuzzing)."""
    content = png(Image.fromarray(np.zeros((1_000_000, 24), np.uint16)))
    start = time.process_time()
    assert decode_picture(content, "strip.png", 32, 3).pixels.shape == (32, 32, 3)
    middle = time.process_time()
    assert decode_whole(content, "strip.png", 3, 64).pixels.shape == (64, 1, 3)
    assert time.process_time() - middle < 2 * (middle - start)
