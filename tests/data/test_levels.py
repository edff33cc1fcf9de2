"""Pictures of more than 8 bits: the ramp 0 … 255 in all the ways in which it is stored."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ganlib.data import load_data
from helpers.image_files import write

RAMP = np.arange(256).reshape(16, 16)


def stored(pixels: NDArray[np.generic], kind: str) -> bytes:
    file = io.BytesIO()
    if kind == "PGM":
        return b"P5 16 16 65535\n" + pixels.astype(">u2").tobytes()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def unsigned(pixels: NDArray[np.int64]) -> bytes:
    """A TIFF of 32 bits without a sign, which Pillow does not write."""
    content = stored(pixels.astype(np.uint32).view(np.int32), "TIFF")
    signed, positive = (struct.pack("<HHII", 339, 3, 1, sample_format) for sample_format in (2, 1))
    assert content.count(signed) == 1
    return content.replace(signed, positive)


def colour_png(pixels: NDArray[np.int64]) -> bytes:
    """A PNG of 16 bits a channel, likewise."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels[:, :, None].repeat(3, 2))

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *pixels.shape, 16, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


KINDS = {
    "16 bits in a PNG": (stored((RAMP * 257).astype(np.uint16), "PNG"), "0.png", "16-bit PNG", 65535),
    "12 bits in a PNG": (stored((RAMP * 16).astype(np.uint16), "PNG"), "0.png", "16-bit PNG", 4095),
    "8 bits in a PNG": (stored(RAMP.astype(np.uint16), "PNG"), "0.png", "16-bit PNG", 255),
    "16 bits in a PGM": (stored(RAMP * 257, "PGM"), "0.pgm", "integer PPM", 65535),
    "16 bits in a TIFF": (stored((RAMP * 257).astype(np.uint16), "TIFF"), "0.tif", "16-bit TIFF", 65535),
    "32 bits in a TIFF": (stored((RAMP * 2**20).astype(np.int32), "TIFF"), "0.tif", "integer TIFF", 2**28 - 1),
    "32 bits without a sign": (unsigned(RAMP * 2**24), "0.tif", "integer TIFF", 2**32 - 1),
    "floats of 0 to 1": (stored((RAMP / 255).astype(np.float32), "TIFF"), "0.tif", "float TIFF", 1),
    "floats of -1 to 1": (stored((RAMP / 127.5 - 1).astype(np.float32), "TIFF"), "0.tif", "float TIFF", 1),
    "floats of 0 to 255": (stored(RAMP.astype(np.float32), "TIFF"), "0.tif", "float TIFF", 255),
    "other floats": (stored((RAMP * 10 - 1000).astype(np.float32), "TIFF"), "0.tif", "float TIFF", 1550),
}


@pytest.mark.parametrize(("content", "name", "kind", "white"), KINDS.values(), ids=KINDS)
def test_a_ramp_is_a_ramp_however_it_is_stored(
    content: bytes, name: str, kind: str, white: int, tmp_path: Path
) -> None:
    files = {f"{split}/a/{name}": content for split in ("train", "test")}
    data = load_data(f"folder:{write(tmp_path / 'set', files)}", size=16, channels=1)
    assert np.array_equal(data.train.images[0, :, :, 0], RAMP)
    assert np.array_equal(data.test.images[0, :, :, 0], RAMP)
    (note,) = data.notes
    assert kind in note
    assert note.endswith(f" and {white:g} white.")


def test_dark_pictures_stay_dark_beside_bright_ones_of_their_kind(tmp_path: Path) -> None:
    bright, dark = (stored((RAMP * 257 // k).astype(np.uint16), "PNG") for k in (1, 16))
    files = {"train/a/0.png": dark, "train/a/1.png": bright, "test/a/0.png": dark}
    data = load_data(f"folder:{write(tmp_path / 'set', files)}", size=16, channels=1)
    assert [int(image.max()) for image in (*data.train.images, *data.test.images)] == [15, 255, 15]


@pytest.mark.parametrize(("bits", "notes"), [(16, 0), (12, 1)])
def test_colours_of_few_bits_in_sixteen_are_warned_about(bits: int, notes: int, tmp_path: Path) -> None:
    content = colour_png(RAMP << bits - 8)
    files = {f"{split}/a/0.png": content for split in ("train", "test")}
    data = load_data(f"folder:{write(tmp_path / 'set', files)}", size=16, channels=3)
    assert len(data.notes) == notes
    assert all("16-bit colour PNG pictures are dark: of their upper 8 bits" in note for note in data.notes)
    assert (data.skipped_count, int(np.max(data.train.images))) == (0, (255 << bits - 8) >> 8)


def test_a_float_that_is_no_number_skips_its_picture(tmp_path: Path) -> None:
    broken = (RAMP / 255).astype(np.float32)
    broken[3, 3] = np.nan
    good = stored((RAMP / 255).astype(np.float32), "TIFF")
    files = {"train/a/0.tif": good, "train/a/1.tif": stored(broken, "TIFF"), "test/a/0.tif": good}
    data = load_data(f"folder:{write(tmp_path / 'set', files)}")
    assert data.skipped == ("train/a/1.tif: a pixel is not finite",)
    assert len(data.train) == 1
