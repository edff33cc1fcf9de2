"""Pictures of more than 8 bits: which of their values is white.

Files do not say it: a camera's 12 bits are stored as 16, a float is 0 … 1 or 0 … 255 or anything. All pictures of a
kind have one answer, from the values of all of them, so that they stay comparable.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SAMPLE_FORMAT = 339  # TIFF tag: 1 unsigned, 2 signed, 3 float
COLOUR_KIND = "ganlib kind"  # key of a picture's info
STRIP = 2**20  # pixels of a picture that are converted at once
DEPTHS = (8, 10, 12, 14, 16)  # bits of sensors and files


Box = tuple[int, int, int, int]  # left, top, right, bottom


@dataclass(frozen=True)
class Range:
    """Lowest and highest value of all pictures of a kind, "16-bit PNG"."""

    low: float
    high: float

    def __or__(self, other: Range) -> Range:
        return Range(min(self.low, other.low), max(self.high, other.high))


def kind_of(image: Image.Image) -> str | None:
    """ "16-bit PNG", "integer TIFF", "float TIFF"; None for pictures of 8 bits."""
    names = {"I": "integer", "F": "float"}
    name = "16-bit" if image.mode.startswith("I;16") else names.get(image.mode)
    return name and f"{name} {image.format or 'picture'}"


def strips(image: Image.Image) -> Iterator[Box]:
    """Parts of a picture from top to bottom: a large one is converted without many copies of it in memory."""
    rows = max(STRIP // max(image.width, 1), 1)
    for top in range(0, image.height, rows):
        yield 0, top, image.width, min(top + rows, image.height)


def values_of(image: Image.Image, box: Box) -> NDArray[Any]:
    """Pixels of a picture of more than 8 bits; Pillow reads unsigned 32 bits of a TIFF as signed ones."""
    pixels = np.asarray(image.crop(box))
    tags = getattr(image, "tag_v2", None)
    unsigned = image.mode == "I" and tags is not None and tags.get(SAMPLE_FORMAT, (1,)) == (1,)
    return pixels.view(np.uint32) if unsigned else pixels


def note_colour_depth(image: Image.Image) -> None:
    """Leaves in the picture's info that Pillow reads the upper 8 of 16 bits a channel; before its pixels are read."""
    rawmodes = [str(part) for tile in getattr(image, "tile", ()) for part in np.array(tile[3], object).ravel()]
    if image.mode in ("RGB", "RGBA") and any(";16" in rawmode for rawmode in rawmodes):
        image.info[COLOUR_KIND] = f"16-bit colour {image.format}"


def describe_colour(kind: str, high: int) -> str | None:
    """What to do where the upper 8 bits hold little: pictures of 10 or 12 bits."""
    if high >= 128:
        return None
    return (
        f"{kind} pictures are dark: of their upper 8 bits, which are read, none is over {high}; store them as 8 bits."
    )


def value_range(image: Image.Image) -> Range:
    """ValueError where a value is not finite."""
    parts = [(part.min(), part.max()) for part in (values_of(image, box) for box in strips(image))]
    low, high = float(np.min([low for low, _ in parts])), float(np.max([high for _, high in parts]))
    if not np.isfinite([low, high]).all():
        raise ValueError("a pixel is not finite")
    return Range(low, high)


def scale(image: Image.Image, values: Range) -> Image.Image:
    """To 8 bits, by what ``values`` of its kind say."""
    result = Image.new("L", image.size)
    for box in strips(image):
        result.paste(Image.fromarray(_scaled(values_of(image, box), values, real=image.mode == "F")), box)
    return result


def _scaled(pixels: NDArray[Any], values: Range, *, real: bool) -> NDArray[np.uint8]:
    low, high = limits(values, real)
    if not real and low == 0:
        levels = np.clip(pixels.astype(np.int64), 0, None) >> (int(high).bit_length() - 8)
    else:
        levels = np.rint((pixels.astype(np.float64) - low) * (255 / ((high - low) or 1)))
    return np.clip(levels, 0, 255).astype(np.uint8)


def limits(values: Range, real: bool) -> tuple[float, float]:
    """The values of black and white."""
    if real:
        usual = [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)]
        return next((r for r in usual if r[0] <= values.low and values.high <= r[1]), (values.low, values.high))
    if values.low < 0:
        return values.low, values.high
    bits = int(values.high).bit_length()
    return 0.0, float(2 ** next((depth for depth in DEPTHS if bits <= depth), bits) - 1)


def describe(kind: str, values: Range) -> str:
    low, high = limits(values, kind.startswith("float"))
    return (
        f"The values of {kind} pictures, {values.low:g} to {values.high:g}, were scaled so that {low:g} is black and "
        f"{high:g} white."
    )
