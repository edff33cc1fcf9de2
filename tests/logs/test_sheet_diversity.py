"""Sheets of samples: cut into their pictures, and how many of those differ."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ganlib.logs.sheet_diversity import MIN_TILES, count_distinct, cut_sheet, distinct_fraction

RANDOM = np.random.default_rng(3)


def pictures(count: int, side: int = 28) -> np.ndarray:
    """(count, side, side, 3) of smooth pictures that differ."""
    small = RANDOM.random((count, 4, 4))
    return np.repeat(np.kron(small, np.ones((side // 4, side // 4)))[..., None], 3, axis=3)


def sheet(tiles: np.ndarray, columns: int, gap: int = 2, margin: int = 0, border: float = 1.0) -> np.ndarray:
    side = tiles.shape[1]
    rows = -(-len(tiles) // columns)
    height, width = (n * (side + gap) + gap + 2 * margin for n in (rows, columns))
    result = np.full((height, width, 3), border)
    for i, tile in enumerate(tiles):
        top, left = (margin + gap + n * (side + gap) for n in divmod(i, columns))
        result[top : top + side, left : left + side] = tile
    return result


def encode(pixels: np.ndarray, file_format: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray((pixels * 255).astype(np.uint8)).save(stream, file_format)
    return stream.getvalue()


@pytest.mark.parametrize("border", [0.0, 1.0])
@pytest.mark.parametrize("margin", [0, 20])
def test_a_sheet_is_cut_at_the_lines_of_its_border(border: float, margin: int) -> None:
    tiles = pictures(12) * 0.6 + 0.2
    found = cut_sheet(sheet(tiles, 4, margin=margin, border=border).astype(np.float32))
    assert [tile.shape for tile in found] == [(28, 28, 3)] * 12
    assert np.allclose(found, tiles, atol=1e-6)


def test_words_above_the_pictures_are_none_of_them() -> None:
    pixels = sheet(pictures(10) * 0.6 + 0.2, 5, gap=12)
    pixels[3:8, 15:38] = 0  # a title
    assert len(cut_sheet(pixels.astype(np.float32))) == 10


def test_a_grid_in_a_figure_is_cut_too() -> None:
    figure = np.ones((300, 300, 3))
    inner = sheet(pictures(16) * 0.6 + 0.2, 4, border=0.0)
    figure[50 : 50 + inner.shape[0], 60 : 60 + inner.shape[1]] = inner
    assert len(cut_sheet(figure.astype(np.float32))) == 16


def test_what_is_no_grid_has_no_pictures() -> None:
    curve = np.ones((200, 300, 3))
    curve[100, 20:280] = 0
    curve[20:180, 20] = 0
    assert cut_sheet(curve.astype(np.float32)) == []
    assert distinct_fraction(encode(curve)) is None
    assert distinct_fraction(encode(sheet(pictures(MIN_TILES - 1), MIN_TILES - 1))) is None


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(("known", "expected"), [(16, 1.0), (8, 0.5), (1, 1 / 16)])
def test_pictures_that_are_alike_count_once(file_format: str, known: int, expected: float) -> None:
    """ArushJ22/GANs' three collapsed trainings show 1 of 16, 1 of 10 and 5 of 16."""
    tiles = np.resize(pictures(known), (16, 28, 28, 3)) * 0.6 + 0.2
    noisy = np.clip(tiles + 0.02 * RANDOM.normal(size=tiles.shape), 0.1, 0.9)
    measured = distinct_fraction(encode(sheet(noisy, 4, gap=8), file_format))
    assert measured == pytest.approx(expected, abs=0.1)  # JPEG smears the edges


def test_neither_brightness_nor_contrast_decides() -> None:
    tiles = pictures(12).astype(np.float32)
    assert count_distinct(tiles) == count_distinct(0.1 * tiles + 0.3) == 12
    assert count_distinct(np.zeros((12, 16, 16, 3), np.float32)) == 1


def test_damage_is_an_error_of_the_file() -> None:
    with pytest.raises(ValueError, match="not an image"):
        distinct_fraction(b"no picture")
