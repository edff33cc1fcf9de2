"""Films: how many frames, how fast, square pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ganlib.applications.animation import KINDS, LARGEST_SIDE, default_side, film, sides
from ganlib.errors import GanlibError

av = pytest.importorskip("av")


def frames(n: int, size: int = 16, channels: int = 3) -> np.ndarray:
    """Of soft colours, which no encoder has reason to change much."""
    t = np.linspace(0, 1, n)[:, None, None, None]
    x = np.linspace(0, 1, size)[None, :, None, None]
    y = np.linspace(0, 1, size)[None, None, :, None]
    return (40 + 150 * (0.4 * t + 0.3 * x + 0.3 * y) * np.ones(channels)).round().astype(np.uint8)


def decoded(content: bytes, kind: str) -> tuple[np.ndarray, float]:
    """(F, H, W, 3) uint8 and frames per second."""
    if kind == "mp4":
        with av.open(io.BytesIO(content)) as container:
            rate = float(container.streams.video[0].average_rate)
            return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]), rate
    with Image.open(io.BytesIO(content)) as picture:
        shown = []
        for i in range(getattr(picture, "n_frames", 1)):
            picture.seek(i)
            shown.append(np.asarray(picture.convert("RGB")))
        assert picture.info["loop"] == 0
        return np.stack(shown), 1000 / picture.info["duration"]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_a_film_is_the_frames_there_and_back_at_its_rate_in_square_pixels(kind, channels):
    pictures = frames(6, channels=channels)
    shown, rate = decoded(film(pictures, kind, frames_per_second=20, side=64), kind)
    assert shown.shape == (10, 64, 64, 3)
    assert rate == pytest.approx(20)
    for picture, frame in zip([*pictures, *pictures[-2:0:-1]], shown, strict=True):
        enlarged = np.repeat(np.repeat(picture, 4, axis=0), 4, axis=1).astype(int)
        assert np.abs(frame - enlarged).max() <= (12 if kind == "mp4" else 4 if kind == "gif" else 0)


@pytest.mark.parametrize("rate", [0.1, 1, 7, 12, 24, 30, 50, 60])
@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_a_film_keeps_its_length_though_files_count_in_whole_units(kind, rate):
    content = film(frames(31), kind, frames_per_second=rate, boomerang=False)
    durations = []
    with Image.open(io.BytesIO(content)) as picture:
        for i in range(picture.n_frames):  # type: ignore[attr-defined]
            picture.seek(i)
            picture.load()  # which a WebP needs to know its duration
            durations.append(picture.info["duration"])
    expected = 31 * 1000 / min(rate, 50 if kind == "gif" else rate)
    assert sum(durations) == pytest.approx(expected, abs=5 if kind == "gif" else 0.5)
    assert min(durations) >= (20 if kind == "gif" else 16)


@pytest.mark.parametrize(("boomerang", "n", "expected"), [(True, 5, 8), (False, 5, 5), (True, 2, 2), (True, 3, 4)])
def test_a_film_goes_boomerang_without_showing_an_end_twice(boomerang, n, expected):
    assert len(decoded(film(frames(n), "gif", boomerang=boomerang), "gif")[0]) == expected


@pytest.mark.parametrize(("size", "side"), [(16, 256), (32, 256), (48, 192), (256, 256), (512, 512)])
def test_frames_are_enlarged_in_whole_steps(size, side):
    assert default_side(size) == side
    assert all(s % size == 0 and s <= max(LARGEST_SIDE, size) for s in sides(size))


def test_an_odd_side_has_a_film_of_even_sides():
    assert decoded(film(frames(2, size=9), "mp4", side=9), "mp4")[0].shape == (2, 10, 10, 3)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"side": 40}, "whole multiples of 16"),
        ({"side": 4096}, "whole multiples of 16"),
        ({"side": 0}, "whole multiples of 16"),
        ({"frames_per_second": 0}, "0.1 to 60, not 0"),
        ({"frames_per_second": 61}, "0.1 to 60, not 61"),
        ({"frames_per_second": float("nan")}, "0.1 to 60, not nan"),
        ({"kind": "avi"}, "no film of kind 'avi'"),
    ],
)
def test_what_no_film_can_be_is_said(changes, reason):
    with pytest.raises(GanlibError, match=reason):
        film(frames(3), **{"kind": "gif"} | changes)
