"""Sets that torchvision downloads and checks: cifar10, mnist, fashion_mnist; celeba builds on this."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganlib.data.sets import SPLITS, Contents, Item, Query, Source, SplitName, define
from ganlib.errors import GanlibError

CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
FASHION = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
Opener = Callable[[], Image.Image]
Open = Callable[[Path, SplitName, bool], Any]  # (root, split, download) -> torchvision data set


@define("cifar10", "60,000 photographs of animals and vehicles", size=32, channels=3, num_classes=10)
def cifar10(query: Query) -> Source:
    return _arrays(query, "cifar10", "CIFAR10", "cifar-10-batches-py", classes=CIFAR, flip=True, default=(32, 3))


@define("mnist", "70,000 handwritten digits", size=28, channels=1, num_classes=10)
def mnist(query: Query) -> Source:
    return _arrays(query, "mnist", "MNIST", "MNIST", classes=tuple("0123456789"), flip=False, default=(32, 1))


@define("fashion_mnist", "70,000 pictures of 10 kinds of clothing", size=28, channels=1, num_classes=10)
def fashion_mnist(query: Query) -> Source:
    return _arrays(query, "fashion_mnist", "FashionMNIST", "FashionMNIST", classes=FASHION, flip=True, default=(32, 1))


def _arrays(
    query: Query,
    name: str,
    kind: str,
    folder: str,
    *,
    classes: tuple[str, ...],
    flip: bool,
    default: tuple[int, int],
) -> Source:
    """A torchvision set that keeps its pixels in ``data`` and its labels in ``targets``."""

    def open(root: Path, split: SplitName, download: bool) -> Any:
        return torchvision_set(kind)(str(root), train=split == "train", download=download)

    def read(found: Any) -> tuple[NDArray[np.int64], list[Opener]]:
        openers = [partial(Image.fromarray, x) for x in np.asarray(found.data)]
        return np.asarray(found.targets).astype(np.int64), [*openers]

    return torchvision_source(query, name, folder, open, read, classes=classes, flip=flip, default=default)


def torchvision_source(
    query: Query,
    name: str,
    folder: str,
    open: Open,
    read: Callable[[Any], tuple[NDArray[np.int64], list[Opener]]],
    *,
    classes: tuple[str, ...],
    flip: bool,
    default: tuple[int, int],
) -> Source:
    """Look for ``folder`` in the data roots; download into ``query.home`` when it is in none of them."""
    root = next((r for r in query.roots if (r / folder).is_dir()), None)
    if root is None:
        root = query.home
        _opened(open, root, name, folder, query, download=True)

    def contents() -> Contents:
        found = _opened(open, root, name, folder, query, download=False)
        parts = {split: read(found[split]) for split in SPLITS}
        return Contents(classes, {split: parts[split][0] for split in SPLITS}, items(parts))

    def items(parts: dict[SplitName, tuple[NDArray[np.int64], list[Opener]]]) -> Iterator[Item]:
        for split in SPLITS:
            for row, opener in enumerate(parts[split][1]):
                yield Item(split, row, f"{split} {row}", opener)

    return Source(name, f"{name} {_identity(root / folder)}", flip, default, contents)


def torchvision_set(kind: str) -> Any:
    """Imported only to read raw files: it takes longer to import than the arrays take to load."""
    return getattr(import_module("torchvision.datasets"), kind)


def _opened(open: Open, root: Path, name: str, folder: str, query: Query, *, download: bool) -> dict[SplitName, Any]:
    """Both splits; what is missing or damaged is downloaded (again)."""
    try:
        try:
            return {split: open(root, split, download) for split in SPLITS}
        except RuntimeError:  # torchvision: "not found or corrupted"
            if download:
                raise
            return {split: open(root, split, True) for split in SPLITS}
    except Exception as e:  # networks, mirrors, full disks and half archives fail in many ways
        looked, reason = ", ".join(map(str, query.roots)), (str(e).splitlines() or [repr(e)])[0]
        raise GanlibError(
            f"{name} is not complete in {looked} and its download failed ({reason}); connect "
            f"to the internet, or copy torchvision's folder {folder} into one of these."
        ) from e


def _identity(folder: Path) -> str:
    """Names, sizes and times of the set's own files; CelebA's 202,599 pictures count as one folder."""
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*"), *folder.glob("raw/*")]):
        info = path.stat()
        digest.update(f"{path.name}\0{info.st_size}\0{info.st_mtime_ns}\n".encode())
    return f"{folder.resolve()} {digest.hexdigest()}"
