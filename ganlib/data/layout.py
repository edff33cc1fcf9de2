"""Classes and splits from file names: which folder is a class, which a split, which only contains the others."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Literal, NamedTuple
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from ganlib.data.sets import SPLITS, SplitName
from ganlib.errors import GanlibError

Files = dict[str, tuple[str, ...]]  # file name -> what is left of its parts
SPLIT_SEED = 0  # of the fixed 80/20 split: another value is another data set
SUFFIXES = (
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".jp2",
    ".png",
    ".webp",
    ".bmp",
    ".gif",
    ".tif",
    ".tiff",
    ".ppm",
    ".pgm",
    ".pbm",
    ".pnm",
    ".pfm",
    ".tga",
    ".avif",
)
Role = Literal["train", "test", "validation"]
# Names of a split's folder, in small letters and without digits, punctuation and words such as "set" and "images".
ROLES: dict[str, Role] = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("test", "testing", "tst"), "test"),
    **dict.fromkeys(("val", "valid", "validate", "validation", "dev", "eval", "evaluation", "holdout"), "validation"),
}
FILLERS = "data|dataset|set|split|images|image|imgs|img|pictures|photos|samples|seg|folder"
WORDS = re.compile(rf"(?:{FILLERS})*({'|'.join(sorted(ROLES, key=len, reverse=True))})(?:{FILLERS})*")
DOMAIN = re.compile(r"([a-z]+)[_-]?([A-Z])")


class Layout(NamedTuple):
    classes: tuple[str, ...]
    labels: dict[SplitName, NDArray[np.int64]]
    rows: dict[str, tuple[SplitName, int]]  # file name -> split and row
    notes: tuple[str, ...] = ()  # what was left out


def is_data_file(name: str) -> bool:
    """False for files of operating systems (dot files, __MACOSX, Thumbs.db) and for names with ``..``."""
    parts = PurePosixPath(name).parts
    if not parts or parts[-1].lower() in ("thumbs.db", "desktop.ini"):
        return False
    return not any(part.startswith(".") or part == "__MACOSX" for part in parts)


def split_role(folder: str) -> Role | None:
    """The split that a folder's name says it holds: "Training", "test_images", "seg_test", "val2017"; else None."""
    match = WORDS.fullmatch(re.sub(r"[^a-z]", "", folder.lower()))
    return ROLES[match[1]] if match else None


def infer_layout(names: Iterable[str], title: str, *, archive: bool = False) -> Layout:
    """Relative POSIX file names -> layout, whatever their order; GanlibError when there are no images.

    ``[wrapper/…][train|test/]class/**/image``, or ``class/train|test/**/image``: class folders in alphabetical order,
    their names in NFC; images outside of any folder are unlabelled, and ignored where there are class folders. Without
    a folder of test images, those for validation are the test split, and without these a fixed stratified fifth of
    each class.
    """
    files = {name: PurePosixPath(name).parts for name in sorted(names) if is_data_file(name)}
    if not any(_is_image(parts) for parts in files.values()):
        raise GanlibError(f"There are no images in {title}; it needs one folder of images for each class.")
    files = _split_first(_strip_wrapper(files, archive))
    train, test, notes = _split_files(files)
    has_classes = any(len(parts) > 1 and _is_image(parts) for group in (train, test) for parts in group.values())
    # In a class folder every file should be an image, and is listed as skipped if it is not; elsewhere it may be
    # a README.
    train, test = (
        {name: parts for name, parts in group.items() if (len(parts) > 1 if has_classes else _is_image(parts))}
        for group in (train, test)
    )
    # A Mac writes names in NFD, keyboards type them in NFC: they are one class.
    name_of = {n: normalize("NFC", p[0]) if has_classes else "" for n, p in [*train.items(), *test.items()]}
    classes = tuple(sorted(set(name_of.values()))) if has_classes else ()
    index = {c: i for i, c in enumerate(classes)}
    label = {n: index.get(c, -1) for n, c in name_of.items()}
    names_by_split: dict[SplitName, list[str]] = {"train": list(train), "test": list(test)}
    if not test:
        test_mask = stratified_test_mask(np.array([label[n] for n in names_by_split["train"]], np.int64))
        all_names = np.array(names_by_split["train"], object)
        names_by_split = {"train": all_names[~test_mask].tolist(), "test": all_names[test_mask].tolist()}
    return Layout(
        classes,
        {split: np.array([label[n] for n in names_by_split[split]], np.int64) for split in SPLITS},
        {n: (split, row) for split in SPLITS for row, n in enumerate(names_by_split[split])},
        notes,
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


def _strip_wrapper(files: Files, archive: bool) -> Files:
    """Removes top folders that contain all images: "archive/dataset/train/class/image" begins with two.

    A folder on disk with images right inside its only subfolder is one class; in an archive the subfolder is
    the archive's own root.
    """
    images = [parts for parts in files.values() if _is_image(parts)]
    tops = {parts[0] for parts in images if len(parts) > 1}
    wrapped = len(tops) == 1 and all(len(parts) > 1 for parts in images)
    nested = any(len(parts) > 2 for parts in images)
    if not wrapped or not (nested or archive) or split_role(next(iter(tops))) == "train":
        return files
    inner = {name: parts[1:] for name, parts in files.items() if parts[0] in tops and len(parts) > 1}
    return _strip_wrapper(inner, archive=False) if nested else inner


def _split_first(files: Files) -> Files:
    """``class/train/image`` and ``trainA/image`` -> ``train/class/image``, where all images lie like this."""
    for divide in (_split_below_class, _split_and_domain):
        divided = {name: divide(parts) for name, parts in files.items()}
        roles = {split_role(new[0]) if (new := divided[n]) else None for n, parts in files.items() if _is_image(parts)}
        if None not in roles and "train" in roles and len(roles) > 1:
            return {name: parts for name, parts in divided.items() if parts}
    return files


def _split_below_class(parts: tuple[str, ...]) -> tuple[str, ...] | None:
    if len(parts) < 3 or split_role(parts[0]):
        return None
    return parts[1], parts[0], *parts[2:]


def _split_and_domain(parts: tuple[str, ...]) -> tuple[str, ...] | None:
    """CycleGAN's trainA, trainB, testA, testB."""
    match = DOMAIN.fullmatch(parts[0])
    return (match[1], match[2], *parts[1:]) if match and len(parts) > 1 else None


def _split_files(files: Files) -> tuple[Files, Files, tuple[str, ...]]:
    """The files of train and test, without the split's folder, and what was left out; without splits all are train."""
    tops = sorted({parts[0] for parts in files.values() if len(parts) > 1 and _is_image(parts)})
    roles = {top: split_role(top) for top in tops}
    held_out = next((role for role in ("test", "validation") if role in roles.values()), None)
    others = [top for top in tops if roles[top] not in ("train", held_out)]
    if "train" not in roles.values() or (None in roles.values() and held_out is None):
        return files, {}, ()
    train, test = (
        {n: _without(p, role) for n, p in files.items() if len(p) > 1 and roles.get(p[0]) == role}
        for role in ("train", held_out)
    )
    notes = (f"Left out, as neither training nor test images: {', '.join(others)}.",) if others else ()
    return train, test if held_out else {}, notes


def _without(parts: tuple[str, ...], role: str | None) -> tuple[str, ...]:
    """Without the split's folder, and without another one of its kind inside: ``seg_train/seg_train/class/image``."""
    return parts[2:] if len(parts) > 2 and split_role(parts[1]) == role else parts[1:]
