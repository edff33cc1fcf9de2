"""Pictures in a folder or archive of class folders, and CIFAR-10 as JPEGs, which is one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from PIL import Image

from ganlib.data.files import Reader, identity, readable, walk
from ganlib.data.layout import arrange
from ganlib.data.pictures import decode, native_channels
from ganlib.data.sets import Contents, Item, Query, Source, SplitName, define
from ganlib.errors import GanlibError

ARCHIVES = (".tar.xz", ".tar.gz", ".tar", ".zip", ".tgz", ".txz")
MAX_DEFAULT = 64


@define(
    "folder",
    "your own images: a folder or archive of class folders, as folder:PATH",
    size=None,
    channels=None,
    num_classes=None,
    argument="PATH",
)
def folder(query: Query) -> Source:
    """``folder:PATH``: absolute, or in the working folder or a data root; an archive's suffix may lack."""
    if not query.argument:
        raise GanlibError("A folder data set needs a path; write it as folder:PATH.")
    asked = Path(os.path.expanduser(query.argument))
    for base in (Path(), *query.roots):
        for path in (base / asked, *(base / f"{asked}{suffix}" for suffix in ARCHIVES)):
            if os.path.exists(path):  # unlike Path.exists, False for a path that no system could have
                return pictures(path, f"folder:{_stem(path)}", flip=True)
    raise GanlibError(f"There is no folder or archive {asked}; check the path after 'folder:'.")


@define(
    "cifar10-jpeg",
    "CIFAR-10 kept as JPEG files: 10 classes, other pixels than cifar10",
    size=32,
    channels=3,
    num_classes=10,
)
def cifar10_jpeg(query: Query) -> Source:
    """``cifar10.tar.xz`` or the unpacked folder ``cifar10-jpeg`` (train/, test/) in any data root."""
    for root in query.roots:
        for path in (root / "cifar10-jpeg", root / "cifar10.tar.xz"):
            if path.is_file() or (path / "train").is_dir():
                return pictures(path, "cifar10-jpeg", flip=True, default=(32, 3))
    raise GanlibError(
        f"cifar10-jpeg was not found in {', '.join(map(str, query.roots))}; put cifar10.tar.xz there, "
        f"set GANLIB_DATA, or use the data set cifar10, which downloads itself."
    )


def pictures(path: Path, name: str, *, flip: bool, default: tuple[int, int] | None = None) -> Source:
    """The folder tree or archive at ``path``; without a default, its first readable image decides."""
    path = path.resolve()

    def contents() -> Contents:
        with readable(path):
            layout = arrange((n for n, _ in walk(path)), str(path), archive=not path.is_dir())
        return Contents(layout.classes, layout.labels, items(layout.rows))

    def items(rows: dict[str, tuple[SplitName, int]]) -> Iterator[Item]:
        left = dict(rows)  # an archive may hold a name twice: the first one counts
        with readable(path):
            for n, read in walk(path):
                if n in left:
                    split, row = left.pop(n)
                    yield Item(split, row, n, partial(_open, read))

    def first() -> tuple[int, int]:
        best: tuple[str, int, int] | None = None
        known = contents()
        for item in known.items:
            if best is None or item.name < best[0]:
                try:
                    image = item.open()
                except Exception:  # unreadable: another one decides, and decoding will name this one
                    continue
                best = item.name, min(image.size), native_channels(image)
        if best is None:
            raise GanlibError(f"No image in {path} can be read; check that the files are JPEG, PNG or WebP.")
        return max(4, min(MAX_DEFAULT, 1 << (best[1].bit_length() - 1))), best[2]

    with readable(path):
        return Source(name, identity(path), flip, default or first, contents)


def _open(read: Reader) -> Image.Image:
    return decode(read())


def _stem(path: Path) -> str:
    name = path.resolve().name
    return next((name[: -len(s)] for s in ARCHIVES if name.endswith(s)), name)
