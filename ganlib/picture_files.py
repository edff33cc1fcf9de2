"""Pictures from elsewhere: which decoders see them, how large they may be, one error whatever is wrong with them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from PIL import Image

from ganlib.files import require_file

MAX_BYTES = 64 * 2**20  # of one file: larger than any training image, and archives may declare false sizes
MAX_PIXELS = 64_000_000  # of one picture


@contextmanager
def open_picture(
    source: bytes | str | Path | IO[bytes], formats: list[str] | tuple[str, ...], max_pixels: int | None = None
) -> Iterator[Image.Image]:
    """A picture in one of Pillow's ``formats``, to be decoded inside; its header's size is looked at before.

    ValueError, with the reason, for what is none, is damaged or too large: Pillow's decoders raise nearly anything.
    """
    try:
        with Image.open(io.BytesIO(_content_of(source)), formats=formats) as picture:
            require_pixels(picture, max_pixels)
            yield picture
    except Exception as error:
        raise ValueError(describe_failure(error)) from error


def _content_of(source: bytes | str | Path | IO[bytes]) -> bytes:
    """At once: of a file Pillow makes room for as many bytes as a part of it claims to have."""
    if isinstance(source, (str, Path)):
        require_file(Path(source))
        with Path(source).open("rb") as file:
            return _content_of(file)
    content = source if isinstance(source, bytes) else source.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"the file is larger than {MAX_BYTES >> 20} MiB")
    return content


def require_pixels(picture: Image.Image, max_pixels: int | None = None) -> None:
    """ValueError for a picture whose header promises more than these, or ``MAX_PIXELS``."""
    pixels, most = picture.width * picture.height, max_pixels or MAX_PIXELS
    if pixels > most:
        raise ValueError(f"it has {pixels / 1e6:.0f} megapixels, more than {most / 1e6:.0f}")


def describe_failure(error: Exception) -> str:
    """What Pillow raised, in a few words."""
    reason = "not an image" if type(error).__name__ == "UnidentifiedImageError" else " ".join(str(error).split())
    return reason or type(error).__name__
