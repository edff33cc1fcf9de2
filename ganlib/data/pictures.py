"""Decoding one image file of any size and mode into a square uint8 array."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ganlib.data.levels import Range, kind_of, note_colour_depth, scale, strips, value_range
from ganlib.errors import GanlibError
from ganlib.picture_files import MAX_BYTES, require_pixels

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "TGA", "JPEG2000", "AVIF")  # as Pillow calls them
SQUARE = "Its middle square is taken."
ORIENTATION = 0x0112  # EXIF tag
TRANSPARENT_MODES = ("RGBA", "LA", "PA")
GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "F")


@cache
def picture_formats() -> tuple[str, ...]:
    """Those of ``FORMATS`` that this Pillow was built with. Its other decoders are never tried on foreign bytes."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def decode(data: bytes) -> Image.Image:
    """The bytes of one image file -> upright image; raises ValueError or whatever PIL raises.

    Only the formats of data sets and of cameras are tried, and the header's size is looked at before any pixel.
    """
    if not data:
        raise ValueError("the file is empty")
    if len(data) > MAX_BYTES:
        raise ValueError(f"the file is larger than {MAX_BYTES >> 20} MiB")
    with catch_warnings():
        simplefilter("ignore", Image.DecompressionBombWarning)
        image: Image.Image = Image.open(io.BytesIO(data), formats=picture_formats())
    require_pixels(image)
    note_colour_depth(image)
    if image.getexif().get(ORIENTATION, 1) != 1:
        return ImageOps.exif_transpose(image)
    return image


class UnreadablePicture(GanlibError):
    """A file that holds no picture; others of its folder may."""


class DecodedPicture(NamedTuple):
    """``pixels``: (size, size, channels) uint8. ``notes``: a sentence for each thing that was left out of the file."""

    pixels: NDArray[np.uint8]
    notes: tuple[str, ...]


def read_picture(path: Path, size: int, channels: int) -> NDArray[np.uint8]:
    """One image file -> (size, size, channels) uint8, as ``to_square`` has it. GanlibError where it is none."""
    try:
        data = path.read_bytes() if path.stat().st_size <= MAX_BYTES else b" " * (MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(str(path), error) from None
    return decode_picture(data, str(path), size, channels).pixels


def decode_picture(data: bytes, name: str, size: int, channels: int) -> DecodedPicture:
    """``read_picture`` of a file's bytes; ``name`` is what errors call it."""
    image = _open(data, name)
    try:
        return DecodedPicture(
            to_square(image, size, channels).copy(), tuple(_notes(image, size, channels))
        )  # which may be changed
    except MemoryError:
        raise
    except Exception as error:  # Pillow raises whatever a damaged file leads to
        raise _unreadable(name, error) from None


def decode_whole(data: bytes, name: str, channels: int, longest: int) -> DecodedPicture:
    """A file's picture in its own shape -> (height, width, channels) uint8, made smaller above ``longest`` pixels."""
    image = _open(data, name)
    notes = [note for note in _notes(image, 0, channels) if note != SQUARE]
    try:
        image = convert(image, channels)
    except Exception as error:  # only now the pixels are read
        raise _unreadable(name, error) from None
    if max(image.size) > longest:
        scale = longest / max(image.size)
        size = max(round(image.width * scale), 1), max(round(image.height * scale), 1)
        notes.append(f"Its {image.width} x {image.height} pixels became {size[0]} x {size[1]}.")
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)  # far smaller: means come first
    return DecodedPicture(np.asarray(image, np.uint8).reshape(image.height, image.width, channels).copy(), tuple(notes))


def _open(data: bytes, name: str) -> Image.Image:
    try:
        return decode(data)
    except MemoryError:
        raise
    except Exception as error:  # Pillow raises whatever a damaged file leads to
        raise _unreadable(name, error) from None


def _unreadable(name: str, error: Exception) -> UnreadablePicture:
    reason = " ".join(str(error).split())[:100] or type(error).__name__
    return UnreadablePicture(f"{name} is no picture that can be read ({reason}); choose a PNG, JPEG or WebP.")


def _notes(image: Image.Image, size: int, channels: int) -> Iterator[str]:
    """``size``: that its square gets, 0 where it keeps its own."""
    if getattr(image, "n_frames", 1) > 1:
        yield "It is an animation; its first frame is taken."
    if image.mode in TRANSPARENT_MODES or "transparency" in image.info:
        yield "Its transparent parts are white."
    if image.width != image.height:
        yield SQUARE
    if channels == 3 and native_channels(image) == 1:
        yield "It is grey, and the model works in colour."
    if channels == 1 and native_channels(image) == 3 and image.mode != "P":
        yield "Its colours are left out."
    if size and image.size != (size, size):
        yield f"Its {image.width} x {image.height} pixels became {size} x {size}."


def native_channels(image: Image.Image) -> int:
    return 1 if image.mode in GREY_MODES else 3


def to_square(
    image: Image.Image, size: int, channels: int, ranges: Mapping[str, Range] | None = None
) -> NDArray[np.uint8]:
    """Centre crop, convert, resize -> (size, size, channels) uint8. ``ranges``: of kinds of more than 8 bits.

    Downsampling is by LANCZOS, which PIL antialiases; upsampling by BILINEAR, which does not overshoot at
    the hard edges of tiny images.
    """
    image = convert(image, channels, ranges)
    width, height = image.size
    if (width, height) == (size, size):
        return np.asarray(image, np.uint8).reshape(size, size, channels)
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    filter = Image.Resampling.LANCZOS if side > size else Image.Resampling.BILINEAR
    image = image.resize((size, size), filter, box=(left, top, left + side, top + side))
    return np.asarray(image, np.uint8).reshape(size, size, channels)


def convert(image: Image.Image, channels: int, ranges: Mapping[str, Range] | None = None) -> Image.Image:
    """Greys or RGB of 8 bits, white where it was transparent."""
    if kind := kind_of(image):  # convert() would clip the values at 255 instead of scaling them
        image = scale(image, (ranges or {}).get(kind) or value_range(image))
    mode = "L" if channels == 1 else "RGB"
    if image.mode in TRANSPARENT_MODES or "transparency" in image.info:
        return _on_white(image, mode)
    return image if image.mode == mode else image.convert(mode)


def _on_white(image: Image.Image, mode: str) -> Image.Image:
    """The colour under transparent pixels is arbitrary."""
    result = Image.new(mode, image.size)
    for box in strips(image):
        part = image.crop(box).convert("RGBA")
        part = Image.alpha_composite(Image.new("RGBA", part.size, "white"), part)
        result.paste(part.convert(mode), box)
    return result
