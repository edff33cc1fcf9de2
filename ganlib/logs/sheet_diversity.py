"""How many different pictures a sheet of samples holds.

Near-duplicates among a few dozen samples mean that a generator knows only some hundreds of pictures: the birthday
paradox test of Arora & Zhang, arXiv:1706.08224. Pictures are alike here where their squared distance is a small part of
that of two pixels of the sheet, so that neither brightness nor contrast decides.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganlib.picture_files import open_picture

Pixels = NDArray[np.float32]

MIN_TILES = 8  # fewer say nothing of a generator
MAX_TILES = 144  # compared: more are thinned out evenly
MAX_SIDE = 1_600  # of a sheet as it is cut
TILE_SIDE = 16  # of a picture as it is compared: noise and the edges of the cut are averaged away
ALIKE = 0.03  # of twice the variance of the sheet's pixels, which is the mean square distance of independent pictures
BORDER_DIFFERENCE = 0.08  # of the range: a resized line between pictures is not of one colour
BORDER_FRACTION = 0.01  # of a line's pixels that may differ from the border
MIN_RELATIVE_SIDE = 0.5  # of the largest: smaller are words above the pictures
MAX_RELATIVE_DEVIATION = 0.15  # of the sides' median
MIN_REGULAR = 0.8  # of the tiles: a sheet is a grid
MAX_PIXELS = 16_000_000  # of a sheet
MAX_DEPTH = 3  # a grid in a figure in a frame


def distinct_fraction(content: bytes) -> float | None:
    """The part of a sheet's pictures that are not like an earlier one, 1 / n to 1; None where it is no sheet.

    ``content`` is PNG, JPEG or WebP; ValueError for what is none.
    """
    with open_picture(content, ("PNG", "JPEG", "WEBP"), MAX_PIXELS) as picture:
        rgb = Image.new("RGB", picture.size, "white")
        rgb.paste(picture, mask=picture.convert("RGBA").getchannel("A"))
    rgb.thumbnail((MAX_SIDE, MAX_SIDE))
    tiles = cut_sheet(np.asarray(rgb, np.float32) / np.float32(255))
    if not len(tiles) >= MIN_TILES:
        return None
    chosen = np.unique(np.linspace(0, len(tiles) - 1, MAX_TILES).round().astype(int))
    return count_distinct(np.stack([_shrink(tiles[i]) for i in chosen])) / len(chosen)


def count_distinct(tiles: Pixels) -> int:
    """How many of (n, …) pictures are not like one that counts already."""
    flat = tiles.reshape(len(tiles), -1).astype(np.float64)
    limit = ALIKE * 2 * flat.var()
    counted: list[int] = []
    for i, tile in enumerate(flat):
        if not counted or ((flat[counted] - tile) ** 2).mean(axis=1).min() > limit:
            counted.append(i)
    return len(counted)


def cut_sheet(pixels: Pixels, depth: int = 0) -> list[Pixels]:
    """The pictures of a (height, width, 3) sheet between lines of its border's colour; [] where it is no grid."""
    boxes = list(_boxes(pixels))
    if len(boxes) == 1:
        inner = pixels[boxes[0]]
        return cut_sheet(inner, depth + 1) if depth < MAX_DEPTH and inner.shape != pixels.shape else []
    if not boxes:
        return []
    sides = np.array([pixels[box].shape[:2] for box in boxes])
    regular = (np.abs(sides / np.median(sides, axis=0) - 1) <= MAX_RELATIVE_DEVIATION).all(axis=1)
    if regular.mean() < MIN_REGULAR:
        return []
    return [pixels[box] for box, fits in zip(boxes, regular, strict=True) if fits]


def _boxes(pixels: Pixels) -> Iterator[tuple[slice, slice]]:
    """Rows of pictures, then the pictures of each."""
    edges = [pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]
    border = np.median(np.concatenate(edges), axis=0)
    differs = np.abs(pixels - border).max(axis=2) > BORDER_DIFFERENCE
    for rows in _runs(differs.mean(axis=1) > BORDER_FRACTION):
        for columns in _runs(differs[rows].mean(axis=0) > BORDER_FRACTION):
            yield rows, columns


def _runs(mask: NDArray[np.bool_]) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8))).reshape(-1, 2)
    longest = (edges[:, 1] - edges[:, 0]).max(initial=0)
    return [slice(a, b) for a, b in edges.tolist() if b - a >= max(MIN_RELATIVE_SIDE * longest, 2)]


def _shrink(tile: Pixels) -> Pixels:
    image = Image.fromarray((tile * 255).astype(np.uint8))
    return np.asarray(image.resize((TILE_SIDE, TILE_SIDE), Image.Resampling.BOX), np.float32) / np.float32(255)
