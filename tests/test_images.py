"""Images as tensors."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from ganlib.errors import GanlibError
from ganlib.images import from_uint8, png, read_metadata


def test_images_of_a_file_mapped_for_reading_become_tensors_without_a_warning(tmp_path):
    np.save(tmp_path / "images.npy", np.full((1, 2, 2, 3), 255, np.uint8))
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert from_uint8(mapped).min() == 1


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n" + b"\0" * 20])
def test_a_picture_without_readable_metadata_is_one_sentence(content, tmp_path):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(GanlibError, match=r"It is no PNG of ganlib that can be read \(.+\); save the picture again\."):
        read_metadata(tmp_path / "a.png")


def test_metadata_come_back_and_their_absence_is_none(tmp_path):
    (tmp_path / "a.png").write_bytes(png(np.zeros((2, 2, 3), np.uint8), {"seeds": [1]}))
    (tmp_path / "b.png").write_bytes(png(np.zeros((2, 2, 3), np.uint8)))
    assert read_metadata(tmp_path / "a.png") == {"seeds": [1]}
    assert read_metadata(tmp_path / "b.png") is None
