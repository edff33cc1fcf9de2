"""Data sets: a name, class names and two fingerprinted splits; and the sources they are decoded from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganlib.data.order import Blocks
from ganlib.errors import GanlibError
from ganlib.registry import Registry

SplitName = Literal["train", "test"]
SPLITS: tuple[SplitName, SplitName] = ("train", "test")
IMBALANCE = 2  # images of the largest class for one of the smallest


Progress = Callable[[int, int], None]  # (done, total)


class Images(Protocol):
    """(N, H, W, C) uint8: an array, or what decodes the rows that it is indexed with."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> NDArray[np.uint8]:
        """``rows``: a slice, numbers, a mask, or one number."""

    def __iter__(self) -> Iterator[NDArray[np.uint8]]: ...

    def __array__(self, dtype: None = None, /, *, copy: bool | None = None) -> NDArray[np.uint8]: ...


@dataclass(frozen=True, eq=False)
class Split:
    """Images (N, H, W, C), a read-only memory map or shards, and labels (N,) int64, -1 = unlabelled."""

    images: Images
    labels: NDArray[np.int64]
    fingerprint: str  # 16 hex digits of sha256 over pixels (of shards: of their index), labels, shape, class names
    blocks: Blocks | None = None  # of shards: what is read in one go
    damaged: Mapping[int, str] = field(default_factory=dict)  # of shards: "name: reason" of rows that failed so far

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class DataSet:
    """A train and a test split of equal image shape; ``classes`` is empty when nothing is labelled."""

    name: str
    classes: tuple[str, ...]
    train: Split
    test: Split
    flip: bool  # whether a mirrored image is as valid as the original
    attributes: tuple[str, ...] = ()  # binary; where there are any, each combination is a class (data.attributes)
    skipped: tuple[str, ...] = ()  # "path: reason" of the first unreadable files
    skipped_count: int = 0
    notes: tuple[str, ...] = ()  # choices that its files left open, a sentence each

    @property
    def size(self) -> int:
        return int(self.train.images.shape[1])

    @property
    def channels(self) -> int:
        return int(self.train.images.shape[3])

    @property
    def num_classes(self) -> int:
        return len(self.classes)

    @property
    def class_counts(self) -> tuple[int, ...]:
        """Training images of each class; 0 where a combination of attributes does not occur."""
        labels = self.train.labels[self.train.labels >= 0]
        return tuple(np.bincount(labels, minlength=self.num_classes).tolist())

    def require_classes(self, model_name: str) -> None:
        """Raise GanlibError unless there are two classes or more."""
        if self.num_classes < 2:
            classes = f"only the class {self.classes[0]!r}" if self.classes else "no classes"
            raise GanlibError(
                f"{model_name} learns from labels but {self.name} has {classes}; choose a data set with two "
                f"classes or more, or a model without labels."
            )


def is_imbalanced(class_counts: Sequence[int]) -> bool:
    """Whether the largest class has twice as many images as the smallest, or more; False where there are no classes.

    The classes of sets that are meant to be even differ by less.
    """
    return len(class_counts) > 0 and max(class_counts) >= IMBALANCE * min(class_counts)


class Item(NamedTuple):
    """One image to decode. ``open`` may raise any exception: the image is then skipped."""

    split: SplitName
    row: int  # within the split
    name: str
    open: Callable[[], Image.Image]


def select_items(
    items: Iterable[Item], rows: Mapping[SplitName, NDArray[np.int64]], first: Mapping[SplitName, int] | None = None
) -> Iterator[Item]:
    """Those at ``rows`` of each split, numbered anew in the order of ``rows``, from ``first`` on."""
    numbers = {
        split: {int(row): number for number, row in enumerate(rows[split], first[split] if first else 0)}
        for split in SPLITS
    }
    return (item._replace(row=numbers[item.split][item.row]) for item in items if item.row in numbers[item.split])


@dataclass(frozen=True)
class Contents:
    """Class names and labels by split, and the images in the order that is cheapest to read."""

    classes: tuple[str, ...]
    labels: dict[SplitName, NDArray[np.int64]]
    items: Iterable[Item]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """A data set whose files are located but not yet decoded.

    ``open``, of shards: (size, channels, cache root, progress) -> the data set, whose images are decoded as they are
    read, not once for all.
    """

    name: str
    identity: str  # changes whenever the files may have changed
    flip: bool
    default: tuple[int, int] | Callable[[], tuple[int, int]]  # size and channels where none are requested
    contents: Callable[[], Contents]
    attributes: tuple[str, ...] = ()  # into whose combinations the classes factor; some may have no image
    open: Callable[[int | None, int | None, Path, Progress | None], DataSet] | None = None


class DataRequest(NamedTuple):
    """The argument of ``name:argument`` and the folders to search, in order; downloads go to the first."""

    argument: str | None
    roots: tuple[Path, ...]

    @property
    def download_root(self) -> Path:
        return self.roots[0]


class DataInfo(NamedTuple):
    """What ``ganlib list data`` shows of a data set; None = depends on the files."""

    name: str
    description: str
    size: int | None  # native, before scaling
    channels: int | None
    num_classes: int | None


@dataclass(frozen=True)
class Definition:
    info: DataInfo
    locate: Callable[[DataRequest], Source]
    display_name: str
    argument: str | None = None  # what may follow the colon: "PATH", "ATTRIBUTES"
    check: Callable[[str], object] = lambda argument: (
        None
    )  # GanlibError for what cannot follow it, whatever files there are
    describe: Callable[[str], str] | None = None  # the set with what follows the colon, for people


DATA_SETS: Registry[Definition] = Registry("data set")


def register_data_set(
    name: str,
    description: str,
    *,
    size: int | None,
    channels: int | None,
    num_classes: int | None,
    display_name: str,
    argument: str | None = None,
    check: Callable[[str], object] = lambda argument: None,
    describe: Callable[[str], str] | None = None,
) -> Callable[[Callable[[DataRequest], Source]], Callable[[DataRequest], Source]]:
    """Register the decorated function, which locates the files, as data set ``name``."""

    def add(locate: Callable[[DataRequest], Source]) -> Callable[[DataRequest], Source]:
        info = DataInfo(name, description, size, channels, num_classes)
        DATA_SETS.register(name)(Definition(info, locate, display_name, argument, check, describe))
        return locate

    return add


def check_name(name: str) -> None:
    """GanlibError for what is no data set's name, whichever files there are: none is looked for."""
    key, colon, argument = name.partition(":")
    definition = DATA_SETS[key]
    if colon and definition.argument is None:
        raise GanlibError(f"{key} takes nothing after its name; write {key} instead of {name}.")
    definition.check(argument)


def list_data() -> tuple[DataInfo, ...]:
    """Every registered data set, by name."""
    return tuple(DATA_SETS[name].info for name in DATA_SETS)


def display_name(name: str) -> str:
    """A data set's name as text for people: "CelebA faces (Smiling, Male)" for ``celeba:Smiling,Male``.

    A name that is not registered, or is followed by what cannot follow it, stays.
    """
    key, _, argument = name.partition(":")
    if key not in DATA_SETS:
        return name
    definition = DATA_SETS[key]
    if not argument:
        return definition.display_name
    if definition.describe:
        try:
            return definition.describe(argument)
        except GanlibError:
            return name
    return f"{definition.display_name} ({', '.join(argument.split(','))})"


def describe_path(path: str) -> str:
    """The name of a folder or file as a word: "Flowers" for ``data/flowers5``; a registered set's as that set."""
    if path in DATA_SETS:
        return display_name(path)
    words = re.sub(r"[\W_]+", " ", re.sub(r"\d+$", "", Path(path).name.partition(".")[0])).strip()
    return words[:1].upper() + words[1:] if words else path
