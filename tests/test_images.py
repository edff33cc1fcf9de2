"""Images as tensors."""

from __future__ import annotations

import warnings

import numpy as np

from ganlib.images import from_uint8


def test_images_of_a_file_mapped_for_reading_become_tensors_without_a_warning(tmp_path):
    np.save(tmp_path / "images.npy", np.full((1, 2, 2, 3), 255, np.uint8))
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert from_uint8(mapped).min() == 1
