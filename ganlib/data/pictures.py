"""Decoding one image file of any size and mode into a square uint8 array."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ganlib.data.levels import Range, kind_of, note_colour_depth, scale, value_range
from ganlib.errors import GanlibError

MAX_BYTES = 64 * 2**20  # of one file: larger than any training image, and archives may declare false sizes
ORIENTATION = 0x0112  # EXIF tag
GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "F")


def decode(data: bytes) -> Image.Image:
    """The bytes of one image file -> upright image; raises ValueError or whatever PIL raises."""
    if not data:
        raise ValueError("the file is empty")
    if len(data) > MAX_BYTES:
        raise ValueError(f"the file is larger than {MAX_BYTES >> 20} MiB")
    image: Image.Image = Image.open(io.BytesIO(data))
    note_colour_depth(image)
    if image.getexif().get(ORIENTATION, 1) != 1:
        return ImageOps.exif_transpose(image)
    return image


def read_picture(path: Path, size: int, channels: int) -> NDArray[np.uint8]:
    """One image file -> (size, size, channels) uint8, as ``to_square`` has it. GanlibError where it is none."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"the file is larger than {MAX_BYTES >> 20} MiB")
        return to_square(decode(path.read_bytes()), size, channels).copy()  # which may be changed
    except MemoryError:
        raise
    except Exception as error:  # Pillow raises whatever a damaged file leads to
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise GanlibError(f"{path} is no picture that can be read ({reason}); choose a PNG, JPEG or WebP.") from None


def native_channels(image: Image.Image) -> int:
    return 1 if image.mode in GREY_MODES else 3


def to_square(
    image: Image.Image, size: int, channels: int, ranges: Mapping[str, Range] | None = None
) -> NDArray[np.uint8]:
    """Centre crop, convert, resize -> (size, size, channels) uint8. ``ranges``: of kinds of more than 8 bits.

    Downsampling is by LANCZOS, which PIL antialiases; upsampling by BILINEAR, which does not overshoot at
    the hard edges of tiny images.
    """
    if kind := kind_of(image):  # convert() would clip the values at 255 instead of scaling them
        image = scale(image, (ranges or {}).get(kind) or value_range(image))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")  # the colour under transparent pixels is arbitrary: make it white
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    mode = "L" if channels == 1 else "RGB"
    if image.mode != mode:
        image = image.convert(mode)
    width, height = image.size
    if (width, height) == (size, size):
        return np.asarray(image, np.uint8).reshape(size, size, channels)
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    filter = Image.Resampling.LANCZOS if side > size else Image.Resampling.BILINEAR
    image = image.resize((size, size), filter, box=(left, top, left + side, top + side))
    return np.asarray(image, np.uint8).reshape(size, size, channels)
