"""Pictures from elsewhere, whatever is wrong with them."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest

from ganlib.images import png
from ganlib.picture_files import open_picture
from helpers.gallery import PROJECT

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


def test_a_part_of_a_file_that_claims_gigabytes_takes_no_memory(tmp_path):
    """Pillow asks a file for as many bytes as a part of it claims to have, and Python makes room for them first."""
    path = tmp_path / "a.png"
    path.write_bytes(WHOLE[:-12] + struct.pack(">I", 2**31 - 1) + b"tEXtkey")
    code = "import sys, resource\nfrom ganlib.picture_files import open_picture\n"
    code += "pages = int(open('/proc/self/statm').read().split()[0])\n"
    code += "resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2**28,) * 2)\n"
    code += "with open_picture(sys.argv[1], ['PNG']) as picture: print(picture.text)"
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)
    assert "MemoryError" not in done.stderr


def test_a_whole_picture_is_itself_and_of_no_other_format():
    with open_picture(WHOLE, ["PNG"]) as picture:
        assert picture.size == (32, 32)
    with pytest.raises(ValueError, match="not an image"), open_picture(WHOLE, ["WEBP"]):
        pass
