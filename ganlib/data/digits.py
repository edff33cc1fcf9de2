"""Handwritten digits, shipped with the package: 1,797 images of 8x8 pixels with 17 levels of grey.

E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998,
doi:10.24432/C50P49, licensed CC BY 4.0; the test part, as scikit-learn's ``load_digits`` has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from ganlib.data.layout import stratified_test_mask
from ganlib.data.sets import Contents, DataRequest, Item, Source, register_data_set

FILE = Path(__file__).with_name("digits.npz")  # images (1797, 8, 8) uint8 0..16, labels (1797,) uint8
DEFAULT = (16, 1)  # twice the native size: the smallest that every architecture supports


@register_data_set(
    "digits",
    "1,797 handwritten digits, shipped with ganlib",
    size=8,
    channels=1,
    num_classes=10,
    display_name="Handwritten digits",
)
def digits(request: DataRequest) -> Source:
    """No download; the test split is the fixed stratified fifth."""
    return Source("digits", "digits, the shipped file", False, DEFAULT, _contents)


def _contents() -> Contents:
    with np.load(FILE, allow_pickle=False) as file:
        images, labels = file["images"], file["labels"].astype(np.int64)
    pixels = np.rint(images * (255 / 16)).astype(np.uint8)
    test = stratified_test_mask(labels)

    def items() -> Iterator[Item]:
        for row, i in enumerate(np.flatnonzero(~test)):
            yield Item("train", row, f"digit {i}", partial(Image.fromarray, pixels[i]))
        for row, i in enumerate(np.flatnonzero(test)):
            yield Item("test", row, f"digit {i}", partial(Image.fromarray, pixels[i]))

    return Contents(tuple("0123456789"), {"train": labels[~test], "test": labels[test]}, items())
