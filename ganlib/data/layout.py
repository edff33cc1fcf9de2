"""File names -> classes and splits: which folder is a class, which a split, which only wraps the rest."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganlib.data.sets import SPLITS, SplitName
from ganlib.errors import GanlibError

SPLIT_SEED = 0  # of the fixed 80/20 split: another value is another data set
SUFFIXES = (
    ".jpg",
    ".jpeg",
    ".png",
    ".webp",
    ".bmp",
    ".gif",
    ".tif",
    ".tiff",
    ".ppm",
    ".pgm",
    ".pbm",
    ".avif",
)
TESTS = ("test", "val", "valid", "validation")  # the first that is there is the test split


class Layout(NamedTuple):
    classes: tuple[str, ...]
    labels: dict[SplitName, NDArray[np.int64]]
    rows: dict[str, tuple[SplitName, int]]  # file name -> split and row


def visible(name: str) -> bool:
    """False for what systems leave behind: dot files, __MACOSX, Thumbs.db; and for names that climb out."""
    parts = PurePosixPath(name).parts
    if not parts or parts[-1].lower() in ("thumbs.db", "desktop.ini"):
        return False
    return not any(part.startswith(".") or part == "__MACOSX" for part in parts)


def arrange(names: Iterable[str], title: str, *, archive: bool = False) -> Layout:
    """Relative POSIX file names -> layout, whatever their order; GanlibError when there are no images.

    ``[wrapper/][train|test/]class/**/image``: class folders in alphabetical order; images that lie in no
    folder are unlabelled, and beside class folders they are left out. Without a test folder (or ``val``),
    every class gives a fixed fifth.
    """
    files = {name: PurePosixPath(name).parts for name in sorted(names) if visible(name)}
    if not any(_is_picture(parts) for parts in files.values()):
        raise GanlibError(f"There are no images in {title}; it needs one folder of images for each class.")
    files = _unwrap(files, archive)
    train, test = _splits(files)
    deep = any(len(parts) > 1 and _is_picture(parts) for group in (train, test) for parts in group.values())
    # In a class folder every file claims to be an image, and is named when it is not; elsewhere it may be
    # a README.
    train, test = (
        {name: parts for name, parts in group.items() if (len(parts) > 1 if deep else _is_picture(parts))}
        for group in (train, test)
    )
    classes = tuple(sorted({p[0] for p in [*train.values(), *test.values()]})) if deep else ()
    index = {c: i for i, c in enumerate(classes)}
    label = {n: index[p[0]] if deep else -1 for n, p in [*train.items(), *test.items()]}
    chosen: dict[SplitName, list[str]] = {"train": list(train), "test": list(test)}
    if not test:
        fifth = held_out(np.array([label[n] for n in chosen["train"]], np.int64))
        every = np.array(chosen["train"], object)
        chosen = {"train": every[~fifth].tolist(), "test": every[fifth].tolist()}
    return Layout(
        classes,
        {split: np.array([label[n] for n in chosen[split]], np.int64) for split in SPLITS},
        {n: (split, row) for split in SPLITS for row, n in enumerate(chosen[split])},
    )


def held_out(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(N,) labels -> (N,) mask of the fixed stratified test fifth, at least one of every pair."""
    mask = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        number = max(1, round(len(members) / 5)) if len(members) > 1 else 0
        generator = np.random.Generator(np.random.PCG64([SPLIT_SEED, int(label) + 1]))
        mask[generator.permutation(members)[:number]] = True
    return mask


def _is_picture(parts: tuple[str, ...]) -> bool:
    return PurePosixPath(parts[-1]).suffix.lower() in SUFFIXES


def _unwrap(files: dict[str, tuple[str, ...]], archive: bool) -> dict[str, tuple[str, ...]]:
    """See through one top folder that holds all images.

    A folder on disk with images right inside its only subfolder is one class; in an archive the subfolder is
    just what was packed.
    """
    pictures = [parts for parts in files.values() if _is_picture(parts)]
    tops = {parts[0] for parts in pictures if len(parts) > 1}
    wrapped = len(tops) == 1 and all(len(parts) > 1 for parts in pictures)
    nested = any(len(parts) > 2 for parts in pictures)
    if not wrapped or not (nested or archive) or next(iter(tops)).lower() in ("train", *TESTS):
        return files
    return {name: parts[1:] for name, parts in files.items() if parts[0] in tops and len(parts) > 1}


def _splits(
    files: dict[str, tuple[str, ...]],
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """The files of train and test, without the split's folder; all are train when there are none."""
    tops = {parts[0].lower() for parts in files.values() if len(parts) > 1 and _is_picture(parts)}
    if "train" not in tops or not tops <= {"train", *TESTS}:
        return files, {}
    test = next((t for t in TESTS if t in tops), None)
    return (
        {n: p[1:] for n, p in files.items() if len(p) > 1 and p[0].lower() == "train"},
        {n: p[1:] for n, p in files.items() if len(p) > 1 and p[0].lower() == test},
    )
