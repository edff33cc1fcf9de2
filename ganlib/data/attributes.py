"""Binary attributes as labels: each combination is a class, whose index holds the attributes' values as bits."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from difflib import get_close_matches
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ganlib.errors import GanlibError

MAX_ATTRIBUTES = 8  # 256 combinations


def parse_attributes(text: str, known: Sequence[str], data_name: str) -> tuple[str, ...]:
    """ "Smiling,Male" -> its attributes; GanlibError where one is unknown or repeated, or where there are too many."""
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, n=3, cutoff=0.4) or known
            raise GanlibError(f"{data_name} has no attribute {name!r}; try {', '.join(close)}.")
    if len(set(names)) < len(names):
        raise GanlibError(f"{data_name}:{text} names an attribute twice; name each one once.")
    if len(names) > MAX_ATTRIBUTES:
        raise GanlibError(f"{len(names)} attributes have too many combinations; choose at most {MAX_ATTRIBUTES}.")
    return names


def combination_names(attributes: Sequence[str]) -> tuple[str, ...]:
    """Names of all 2^k classes: "not Smiling, not Male", "not Smiling, Male", "Smiling, not Male", "Smiling, Male"."""
    return tuple(", ".join(values) for values in product(*((f"not {name}", name) for name in attributes)))


def combine(values: ArrayLike) -> NDArray[np.int64]:
    """(N, k) values 0 or 1 -> (N,) classes: the first attribute is the highest bit."""
    bits = np.asarray(values, np.int64)
    return bits @ (1 << np.arange(bits.shape[1])[::-1])


def split_class(label: int, k: int) -> tuple[bool, ...]:
    """The inverse of ``combine`` for one class: the values of its k attributes."""
    return tuple(bool(label >> i & 1) for i in reversed(range(k)))


def read_attribute_table(text: str, attributes: Sequence[str], title: str) -> dict[str, int]:
    """CSV with the columns ``file`` and attributes of 0 or 1 -> class by file; GanlibError where it is none."""
    classes: dict[str, int] = {}
    try:
        for row in csv.DictReader(io.StringIO(text), strict=True):
            values = [{"0": 0, "1": 1}[row[name].strip()] for name in attributes]
            classes[row["file"]] = int(combine([values])[0])
    except (KeyError, AttributeError, csv.Error) as error:
        raise GanlibError(
            f"attributes.csv of {title} is damaged (line {len(classes) + 2}: {error}); restore it from its source."
        ) from None
    return classes
