"""Pictures from elsewhere, whatever is wrong with them."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from ganlib.images import png
from ganlib.picture_files import open_picture

WHOLE = png(np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8))


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def of_size(width: int, height: int) -> bytes:
    """A header that promises as many pixels as it likes."""
    return WHOLE[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + WHOLE[33:]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not an image"),
        (WHOLE[:1000], "truncated"),
        (WHOLE[:33] + chunk(b"IDAT", WHOLE[41:1000]) + b"\0\0\0\0\0IEN" + bytes(8), "broken PNG file"),  # a SyntaxError
        (of_size(9000, 9000), "81 megapixels, more than 64"),
        (of_size(40_000, 40_000), "decompression bomb"),
    ],
)
def test_whatever_is_wrong_is_a_value_error(content, reason):
    with pytest.raises(ValueError, match=reason), open_picture(content, ["PNG"]) as picture:
        picture.load()


def test_a_whole_picture_is_itself_and_of_no_other_format():
    with open_picture(WHOLE, ["PNG"]) as picture:
        assert picture.size == (32, 32)
    with pytest.raises(ValueError, match="not an image"), open_picture(WHOLE, ["WEBP"]):
        pass
