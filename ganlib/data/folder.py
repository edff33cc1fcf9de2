"""Images in a folder or archive of class folders, and CIFAR-10 as JPEGs, which is such an archive."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganlib.data.attributes import combination_names, read_attribute_table
from ganlib.data.files import Reader, describe_version, iterate_files, readable_errors
from ganlib.data.layout import Layout, infer_layout
from ganlib.data.pictures import decode, native_channels
from ganlib.data.sets import SPLITS, Contents, DataRequest, Item, Source, SplitName, describe_path, register_data_set
from ganlib.errors import GanlibError

ARCHIVES = (".tar.xz", ".tar.gz", ".tar", ".zip", ".tgz", ".txz")
ATTRIBUTE_TABLE = "attributes.csv"
MAX_DEFAULT = 64


def _require_path(argument: str) -> None:
    if not argument:
        raise GanlibError("A folder data set needs a path; write it as folder:PATH.")


@register_data_set(
    "folder",
    "your own images: a folder or archive of class folders, as folder:PATH",
    size=None,
    channels=None,
    num_classes=None,
    display_name="Your own images",
    argument="PATH",
    check=_require_path,
    describe=describe_path,
)
def folder(request: DataRequest) -> Source:
    """``folder:PATH``: absolute, or in the working folder or a data root; an archive's suffix may be left out."""
    _require_path(request.argument or "")
    requested = Path(os.path.expanduser(request.argument or ""))
    for base in (Path(), *request.roots):
        for path in (base / requested, *(base / f"{requested}{suffix}" for suffix in ARCHIVES)):
            if os.path.exists(path):  # unlike Path.exists, False for impossible paths instead of an error
                return folder_source(path, f"folder:{_stem(path)}", flip=True)
    raise GanlibError(
        f"There is no folder or archive {requested}, here or in {', '.join(map(str, request.roots))}; check the path "
        "after 'folder:', or name the folder that it is in with --data-root or GANLIB_DATA."
    )


@register_data_set(
    "cifar10-jpeg",
    "CIFAR-10 kept as JPEG files: 10 classes, other pixels than cifar10",
    size=32,
    channels=3,
    num_classes=10,
    display_name="CIFAR-10 (JPEG)",
)
def cifar10_jpeg(request: DataRequest) -> Source:
    """``cifar10.tar.xz`` or the unpacked folder ``cifar10-jpeg`` (train/, test/) in any data root."""
    for root in request.roots:
        for path in (root / "cifar10-jpeg", root / "cifar10.tar.xz"):
            if path.is_file() or (path / "train").is_dir():
                return folder_source(path, "cifar10-jpeg", flip=True, default=(32, 3))
    raise GanlibError(
        f"cifar10-jpeg was not found in {', '.join(map(str, request.roots))}; put cifar10.tar.xz there, "
        f"set GANLIB_DATA, or use the data set cifar10, which downloads itself."
    )


def find_pictures(request: DataRequest, name: str, contains: str = "train") -> Path | None:
    """An archive ``NAME.tar.xz`` (or .zip, …), or a folder ``NAME`` that ``contains`` this, in any data root."""
    candidates = (root / f"{name}{suffix}" for root in request.roots for suffix in ("", *ARCHIVES))
    return next((path for path in candidates if path.is_file() or (path / contains).exists()), None)


def folder_source(
    path: Path,
    name: str,
    *,
    flip: bool,
    default: tuple[int, int] | None = None,
    classes: tuple[str, ...] = (),
    attributes: tuple[str, ...] = (),
) -> Source:
    """The folder tree or archive at ``path``; without a default, its first readable image sets size and channels.

    ``classes`` are names for its class folders in alphabetical order, by default the folders' own. ``attributes``
    are columns of its attributes.csv, whose combinations are the classes instead; the folders still decide the split.
    """
    path = path.resolve()

    def contents() -> Contents:
        with readable_errors(path):
            layout = infer_layout((n for n, _ in iterate_files(path)), str(path), archive=not path.is_dir())
        if attributes:
            labels = _attribute_labels(path, attributes, layout)
            return Contents(combination_names(attributes), labels, items(layout.rows), layout.notes)
        if classes and len(classes) != len(layout.classes):
            raise GanlibError(f"{path} has {len(layout.classes)} class folders; {name} has {len(classes)} classes.")
        return Contents(classes or layout.classes, layout.labels, items(layout.rows), layout.notes)

    def items(rows: dict[str, tuple[SplitName, int]]) -> Iterator[Item]:
        pending = dict(rows)  # an archive may contain a name twice: the first one counts
        with readable_errors(path):
            for n, read in iterate_files(path):
                if n in pending:
                    split, row = pending.pop(n)
                    yield Item(split, row, n, partial(_open, read))

    def default_shape() -> tuple[int, int]:
        first: tuple[str, int, int] | None = None
        for item in contents().items:
            if first is None or item.name < first[0]:
                try:
                    image = item.open()
                except Exception:  # unreadable: another one decides, and decoding lists this one as skipped
                    continue
                first = item.name, *default_shape_of(image)
        if first is None:
            raise GanlibError(f"No image in {path} can be read; check that the files are JPEG, PNG or WebP.")
        return first[1:]

    with readable_errors(path):
        identity = " ".join([describe_version(path), *attributes])
        return Source(name, identity, flip, default or default_shape, contents, attributes)


def _attribute_labels(path: Path, attributes: tuple[str, ...], layout: Layout) -> dict[SplitName, NDArray[np.int64]]:
    """Labels by split from attributes.csv, whose files are named like the set's, without folders above them."""
    with readable_errors(path):
        tables = (read() for n, read in iterate_files(path) if PurePosixPath(n).name == ATTRIBUTE_TABLE)
        table = next(tables, None)
    if table is None:
        raise GanlibError(f"{path} has no {ATTRIBUTE_TABLE}, which names the attributes of its images.")
    classes = read_attribute_table(table.decode(errors="replace"), attributes, str(path))
    labels = {split: np.zeros_like(layout.labels[split]) for split in SPLITS}
    for name, (split, row) in layout.rows.items():
        tails = ("/".join(PurePosixPath(name).parts[i:]) for i in range(name.count("/") + 1))
        file = next((tail for tail in tails if tail in classes), None)
        if file is None:
            raise GanlibError(f"{ATTRIBUTE_TABLE} of {path} has no line for {name}; add one or remove the image.")
        labels[split][row] = classes[file]
    return labels


def default_shape_of(image: Image.Image) -> tuple[int, int]:
    """Size and channels for a set of such images: a power of two."""
    return max(4, min(MAX_DEFAULT, 1 << (min(image.size).bit_length() - 1))), native_channels(image)


def _open(read: Reader) -> Image.Image:
    return decode(read())


def _stem(path: Path) -> str:
    name = path.resolve().name
    return next((name[: -len(s)] for s in ARCHIVES if name.endswith(s)), name)
