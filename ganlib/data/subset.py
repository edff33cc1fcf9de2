"""A part of a data set's training images, for studies of few or unequally many images a class: ``subset:SET@COUNTS``.

COUNTS is one number for every class (``50``), a number for each (``500,50,5``) or a ratio of the largest class to the
smallest: ``100:1`` falls exponentially from class to class (Cui et al., "Class-Balanced Loss Based on Effective Number
of Samples", CVPR 2019, arXiv:1901.05555), ``100:1-step`` in one step after half of the classes (Buda, Maki, Mazurowski,
Neural Networks 2018, arXiv:1710.05381). ``@SEED`` at the end draws other images. The test images are all there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ganlib.data.sets import (
    DATA_SETS,
    Contents,
    DataRequest,
    Source,
    SplitName,
    check_name,
    display_name,
    register_data_set,
    select_items,
)
from ganlib.errors import GanlibError

SEPARATOR = "@"
_RATIO = re.compile(r"(\d{1,6}):1(-step)?")
_NUMBERS = re.compile(r"\d{1,9}(?:,\d{1,9})*")


@dataclass(frozen=True)
class Subset:
    name: str  # of the whole set
    counts: str
    seed: int = 0

    def __str__(self) -> str:
        seed = f"{SEPARATOR}{self.seed}" if self.seed else ""
        return f"subset:{self.name}{SEPARATOR}{self.counts}{seed}"

    def class_counts(self, available: NDArray[np.int64]) -> NDArray[np.int64]:
        """(K,) images at hand of each class -> (K,) images to take; GanlibError where a class has too few."""
        k = len(available)
        if ratio := _RATIO.fullmatch(self.counts):
            shares = _step(k, int(ratio[1])) if ratio[2] else _exponential(k, int(ratio[1]))
            counts = np.minimum(available, np.maximum(1, np.rint(available.max() * shares))).astype(np.int64)
        else:
            self.require_classes(k)
            counts = np.broadcast_to(np.array([int(n) for n in self.counts.split(",")], np.int64), k)
        if (counts > available).any():
            short = int(np.flatnonzero(counts > available)[0])
            raise GanlibError(
                f"{self} takes {counts[short]:,} images of class number {short}, of which {self.name} has "
                f"{available[short]:,}; take fewer."
            )
        if not counts.any():
            raise GanlibError(f"{self} takes no image of any class; give a larger count.")
        return counts

    def require_classes(self, k: int) -> None:
        """GanlibError where there are counts of another number of classes."""
        n = 1 if _RATIO.fullmatch(self.counts) else len(self.counts.split(","))
        if n not in (1, k):
            raise GanlibError(f"{self} gives {n} counts for {k} classes; give one, or one for each.")


def parse_subset(text: str) -> Subset:
    """What follows ``subset:``; GanlibError where it is no set with counts."""
    parts = text.split(SEPARATOR)  # a folder's path may hold the separator as well
    has_seed = len(parts) > 2 and parts[-1].isdecimal() and len(parts[-1]) < 10 and _is_counts(parts[-2])
    seed = int(parts.pop()) if has_seed else 0
    name, counts = SEPARATOR.join(parts[:-1]), parts[-1]
    if not name or not _is_counts(counts) or name.startswith("subset:"):
        raise GanlibError(
            f"A subset names its set and how many images of each class, like subset:cifar10{SEPARATOR}50 or "
            f"subset:cifar10{SEPARATOR}100:1; not {text[:80]!r}."
        )
    return Subset(name, counts, seed)


def whole_set(name: str) -> str:
    """A data set's name, or that of the set which it is a subset of; a recipe may hold any text."""
    kind, _, text = name.partition(":")
    try:
        return parse_subset(text).name if kind == "subset" else name
    except GanlibError:
        return name


def _check(argument: str) -> None:
    chosen = parse_subset(argument)
    check_name(chosen.name)
    if classes := DATA_SETS[chosen.name.partition(":")[0]].info.num_classes:
        chosen.require_classes(classes)


def _describe(argument: str) -> str:
    chosen = parse_subset(argument)
    counts = f"{chosen.counts} a class" if chosen.counts.isdecimal() else chosen.counts
    return ", ".join([display_name(chosen.name), counts, *([f"seed {chosen.seed}"] if chosen.seed else [])])


@register_data_set(
    "subset",
    "few or unequally many training images a class: subset:SET@50, subset:SET@100:1",
    size=None,
    channels=None,
    num_classes=None,
    display_name="Subset",
    argument="SET@COUNTS",
    check=_check,
    describe=_describe,
)
def subset(request: DataRequest) -> Source:
    chosen = parse_subset(request.argument or "")
    key, _, argument = chosen.name.partition(":")
    whole = DATA_SETS[key].locate(DataRequest(argument or None, request.roots))
    named = Subset(whole.name, chosen.counts, chosen.seed)
    identity = f"{whole.identity} {chosen.counts} {chosen.seed}"
    return Source(str(named), identity, whole.flip, whole.default, partial(_contents, whole, named), whole.attributes)


def _contents(whole: Source, chosen: Subset) -> Contents:
    contents = whole.contents()
    if not contents.classes:
        raise GanlibError(f"{whole.name} has no classes to take images of; choose a labelled data set.")
    labels = contents.labels["train"]
    available = np.bincount(labels[labels >= 0], minlength=len(contents.classes))
    rows = rows_of_classes(labels, chosen.class_counts(available), chosen.seed)
    selected: dict[SplitName, NDArray[np.int64]] = {"train": rows, "test": np.arange(len(contents.labels["test"]))}
    return Contents(
        contents.classes,
        {"train": labels[rows], "test": contents.labels["test"]},
        select_items(contents.items, selected),
        contents.notes,
    )


def rows_of_classes(labels: NDArray[np.int64], counts: NDArray[np.int64], seed: int = 0) -> NDArray[np.int64]:
    """(n,) and (K,) -> sorted rows of so many images of each class, or of as many as there are.

    Nested for growing counts, other ones for another seed.
    """
    order = np.random.Generator(np.random.PCG64([seed, 0, 5])).permutation(len(labels))
    return np.sort(np.concatenate([order[labels[order] == label][:count] for label, count in enumerate(counts)]))


def _exponential(k: int, ratio: int) -> NDArray[np.float64]:
    return np.power(float(ratio), -np.arange(k) / max(k - 1, 1))


def _step(k: int, ratio: int) -> NDArray[np.float64]:
    return np.where(np.arange(k) < (k + 1) // 2, 1.0, 1.0 / ratio)


def _is_counts(text: str) -> bool:
    ratio = _RATIO.fullmatch(text)
    return int(ratio[1]) > 0 if ratio else bool(_NUMBERS.fullmatch(text))
