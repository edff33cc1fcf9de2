"""What a data set is: a name, class names and two fingerprinted splits, apart from where it lies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganlib.errors import GanlibError
from ganlib.registry import Registry
from ganlib.settings import data_roots

SplitName = Literal["train", "test"]
SPLITS: tuple[SplitName, SplitName] = ("train", "test")


@dataclass(frozen=True, eq=False)
class Split:
    """Images (N, H, W, C) uint8 (read-only memory map) and labels (N,) int64, -1 = unlabelled."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    fingerprint: str  # 16 hex digits of sha256 over pixels, labels, shape and class names

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class DataSet:
    """A train and a test split of equal image shape; ``classes`` is empty when nothing is labelled."""

    name: str
    classes: tuple[str, ...]
    train: Split
    test: Split
    flip: bool  # mirroring keeps an image's meaning
    skipped: tuple[str, ...] = ()  # "path: reason" of the first unreadable files
    skipped_count: int = 0

    @property
    def size(self) -> int:
        return int(self.train.images.shape[1])

    @property
    def channels(self) -> int:
        return int(self.train.images.shape[3])

    @property
    def num_classes(self) -> int:
        return len(self.classes)

    def require_classes(self, model_name: str) -> None:
        """Raise GanlibError unless there are two classes or more."""
        if self.num_classes < 2:
            found = f"only the class {self.classes[0]!r}" if self.classes else "no classes"
            raise GanlibError(
                f"{model_name} learns from labels but {self.name} has {found}; choose a data set with two "
                f"classes or more, or a model without labels."
            )


class Item(NamedTuple):
    """One picture on its way into the arrays: ``open`` may raise anything, which skips the picture."""

    split: SplitName
    row: int  # within the split
    name: str
    open: Callable[[], Image.Image]


@dataclass(frozen=True)
class Contents:
    """A source's labels by split, and its pictures in whatever order is cheapest to read."""

    classes: tuple[str, ...]
    labels: dict[SplitName, NDArray[np.int64]]
    items: Iterable[Item]


@dataclass(frozen=True)
class Source:
    """A data set that was found but not yet decoded."""

    name: str
    identity: str  # changes whenever the pictures may have
    flip: bool
    default: tuple[int, int] | Callable[[], tuple[int, int]]  # size, channels when none are asked for
    contents: Callable[[], Contents]


class Query(NamedTuple):
    """What a definition is asked for: ``name:argument`` and the folders to look in, best first."""

    argument: str | None
    roots: tuple[Path, ...]
    home: Path  # where downloads go


class DataInfo(NamedTuple):
    """A line of the ``list`` command; None = depends on the files."""

    name: str
    description: str
    size: int | None  # native, before scaling
    channels: int | None
    num_classes: int | None


@dataclass(frozen=True)
class Definition:
    info: DataInfo
    find: Callable[[Query], Source]
    argument: str | None = None  # what may follow the colon: "PATH", "ATTRIBUTE"


DATA_SETS: Registry[Definition] = Registry("data set")


def define(
    name: str,
    description: str,
    *,
    size: int | None,
    channels: int | None,
    num_classes: int | None,
    argument: str | None = None,
) -> Callable[[Callable[[Query], Source]], Callable[[Query], Source]]:
    """Register the decorated ``find`` function as data set ``name``."""

    def add(find: Callable[[Query], Source]) -> Callable[[Query], Source]:
        info = DataInfo(name, description, size, channels, num_classes)
        DATA_SETS.register(name)(Definition(info, find, argument))
        return find

    return add


def list_data() -> tuple[DataInfo, ...]:
    """Every registered data set, by name."""
    return tuple(DATA_SETS[name].info for name in DATA_SETS)


def make_query(argument: str | None, root: Path | str | None = None) -> Query:
    """Searched in the order of ``data_roots``; downloads go to the first."""
    roots = data_roots(root)
    return Query(argument, roots, roots[0])
