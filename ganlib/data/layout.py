"""Classes and splits from file names: which folder is a class, which a split, which only contains the others."""

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
TEST_FOLDERS = ("test", "val", "valid", "validation")  # the first that exists is the test split


class Layout(NamedTuple):
    classes: tuple[str, ...]
    labels: dict[SplitName, NDArray[np.int64]]
    rows: dict[str, tuple[SplitName, int]]  # file name -> split and row


def is_data_file(name: str) -> bool:
    """False for files of operating systems (dot files, __MACOSX, Thumbs.db) and for names with ``..``."""
    parts = PurePosixPath(name).parts
    if not parts or parts[-1].lower() in ("thumbs.db", "desktop.ini"):
        return False
    return not any(part.startswith(".") or part == "__MACOSX" for part in parts)


def infer_layout(names: Iterable[str], title: str, *, archive: bool = False) -> Layout:
    """Relative POSIX file names -> layout, whatever their order; GanlibError when there are no images.

    ``[wrapper/][train|test/]class/**/image``: class folders in alphabetical order; images outside
    of any folder are unlabelled, and ignored where there are class folders. Without a test folder (or ``val``),
    a fixed stratified fifth of each class is the test split.
    """
    files = {name: PurePosixPath(name).parts for name in sorted(names) if is_data_file(name)}
    if not any(_is_image(parts) for parts in files.values()):
        raise GanlibError(f"There are no images in {title}; it needs one folder of images for each class.")
    files = _strip_wrapper(files, archive)
    train, test = _split_files(files)
    has_classes = any(len(parts) > 1 and _is_image(parts) for group in (train, test) for parts in group.values())
    # In a class folder every file should be an image, and is listed as skipped if it is not; elsewhere it may be
    # a README.
    train, test = (
        {name: parts for name, parts in group.items() if (len(parts) > 1 if has_classes else _is_image(parts))}
        for group in (train, test)
    )
    classes = tuple(sorted({p[0] for p in [*train.values(), *test.values()]})) if has_classes else ()
    index = {c: i for i, c in enumerate(classes)}
    label = {n: index[p[0]] if has_classes else -1 for n, p in [*train.items(), *test.items()]}
    names_by_split: dict[SplitName, list[str]] = {"train": list(train), "test": list(test)}
    if not test:
        test_mask = stratified_test_mask(np.array([label[n] for n in names_by_split["train"]], np.int64))
        all_names = np.array(names_by_split["train"], object)
        names_by_split = {"train": all_names[~test_mask].tolist(), "test": all_names[test_mask].tolist()}
    return Layout(
        classes,
        {split: np.array([label[n] for n in names_by_split[split]], np.int64) for split in SPLITS},
        {n: (split, row) for split in SPLITS for row, n in enumerate(names_by_split[split])},
    )


def stratified_test_mask(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(N,) labels -> (N,) mask of a fixed fifth of each class, at least one image of any class with two."""
    mask = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        number = max(1, round(len(members) / 5)) if len(members) > 1 else 0
        generator = np.random.Generator(np.random.PCG64([SPLIT_SEED, int(label) + 1]))
        mask[generator.permutation(members)[:number]] = True
    return mask


def _is_image(parts: tuple[str, ...]) -> bool:
    return PurePosixPath(parts[-1]).suffix.lower() in SUFFIXES


def _strip_wrapper(files: dict[str, tuple[str, ...]], archive: bool) -> dict[str, tuple[str, ...]]:
    """Removes one top folder that contains all images.

    A folder on disk with images right inside its only subfolder is one class; in an archive the subfolder is
    the archive's own root.
    """
    images = [parts for parts in files.values() if _is_image(parts)]
    tops = {parts[0] for parts in images if len(parts) > 1}
    wrapped = len(tops) == 1 and all(len(parts) > 1 for parts in images)
    nested = any(len(parts) > 2 for parts in images)
    if not wrapped or not (nested or archive) or next(iter(tops)).lower() in ("train", *TEST_FOLDERS):
        return files
    return {name: parts[1:] for name, parts in files.items() if parts[0] in tops and len(parts) > 1}


def _split_files(
    files: dict[str, tuple[str, ...]],
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """The files of train and test, without the split's folder; all are train when there are none."""
    tops = {parts[0].lower() for parts in files.values() if len(parts) > 1 and _is_image(parts)}
    if "train" not in tops or not tops <= {"train", *TEST_FOLDERS}:
        return files, {}
    test = next((t for t in TEST_FOLDERS if t in tops), None)
    return (
        {n: p[1:] for n, p in files.items() if len(p) > 1 and p[0].lower() == "train"},
        {n: p[1:] for n, p in files.items() if len(p) > 1 and p[0].lower() == test},
    )
