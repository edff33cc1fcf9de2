"""Data sets downloaded and verified by torchvision: cifar10, mnist, fashion_mnist; and the base of celeba."""

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

from ganlib.data.folder import find_pictures, folder_source
from ganlib.data.sets import SPLITS, Contents, DataRequest, Item, Source, SplitName, register_data_set
from ganlib.errors import GanlibError

CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
FASHION = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
Opener = Callable[[], Image.Image]
OpenSplit = Callable[[Path, SplitName, bool], Any]  # (root, split, download) -> torchvision data set


@register_data_set(
    "cifar10",
    "60,000 photographs of animals and vehicles",
    size=32,
    channels=3,
    num_classes=10,
    display_name="CIFAR-10",
)
def cifar10(request: DataRequest) -> Source:
    return _array_source(
        request, "cifar10", "CIFAR10", "cifar-10-batches-py", classes=CIFAR, flip=True, default=(32, 3)
    )


@register_data_set(
    "mnist",
    "70,000 handwritten digits",
    size=28,
    channels=1,
    num_classes=10,
    display_name="MNIST",
)
def mnist(request: DataRequest) -> Source:
    return _file_or_array_source(request, "mnist", "MNIST", classes=tuple("0123456789"), flip=False)


@register_data_set(
    "fashion_mnist",
    "70,000 pictures of 10 kinds of clothing",
    size=28,
    channels=1,
    num_classes=10,
    display_name="Fashion-MNIST",
)
def fashion_mnist(request: DataRequest) -> Source:
    return _file_or_array_source(request, "fashion_mnist", "FashionMNIST", classes=FASHION, flip=True)


def _file_or_array_source(
    request: DataRequest, name: str, kind: str, *, classes: tuple[str, ...], flip: bool
) -> Source:
    """Lossless picture files in class folders where a data root has them, else torchvision's own."""
    if (path := find_pictures(request, name)) is not None:
        return folder_source(path, name, flip=flip, default=(32, 1), classes=classes)
    return _array_source(request, name, kind, kind, classes=classes, flip=flip, default=(32, 1))


def _array_source(
    request: DataRequest,
    name: str,
    class_name: str,
    folder: str,
    *,
    classes: tuple[str, ...],
    flip: bool,
    default: tuple[int, int],
) -> Source:
    """A torchvision data set with its pixels in ``data`` and its labels in ``targets``."""

    def open_split(root: Path, split: SplitName, download: bool) -> Any:
        return torchvision_set(class_name)(str(root), train=split == "train", download=download)

    def read(data: Any) -> tuple[NDArray[np.int64], list[Opener]]:
        openers = [partial(Image.fromarray, x) for x in np.asarray(data.data)]
        return np.asarray(data.targets).astype(np.int64), [*openers]

    return torchvision_source(request, name, folder, open_split, read, classes=classes, flip=flip, default=default)


def torchvision_source(
    request: DataRequest,
    name: str,
    folder: str,
    open_split: OpenSplit,
    read: Callable[[Any], tuple[NDArray[np.int64], list[Opener]]],
    *,
    classes: tuple[str, ...],
    flip: bool,
    default: tuple[int, int],
) -> Source:
    """Look for ``folder`` in the data roots; download into ``request.download_root`` when it is in none of them."""
    root = next((r for r in request.roots if (r / folder).is_dir()), None)
    if root is None:
        root = request.download_root
        _open_splits(open_split, root, name, folder, request, download=True)

    def contents() -> Contents:
        splits = _open_splits(open_split, root, name, folder, request, download=False)
        parts = {split: read(splits[split]) for split in SPLITS}
        return Contents(classes, {split: parts[split][0] for split in SPLITS}, items(parts))

    def items(parts: dict[SplitName, tuple[NDArray[np.int64], list[Opener]]]) -> Iterator[Item]:
        for split in SPLITS:
            for row, opener in enumerate(parts[split][1]):
                yield Item(split, row, f"{split} {row}", opener)

    return Source(name, f"{name} {_identity(root / folder)}", flip, default, contents)


def torchvision_set(class_name: str) -> Any:
    """A class of torchvision.datasets, imported only where raw files are read: the import is slow."""
    return getattr(import_module("torchvision.datasets"), class_name)


def _open_splits(
    open_split: OpenSplit, root: Path, name: str, folder: str, request: DataRequest, *, download: bool
) -> dict[SplitName, Any]:
    """Both splits; what is missing or damaged is downloaded (again)."""
    try:
        try:
            return {split: open_split(root, split, download) for split in SPLITS}
        except RuntimeError:  # torchvision: "not found or corrupted"
            if download:
                raise
            return {split: open_split(root, split, True) for split in SPLITS}
    except Exception as e:  # networks, mirrors, full disks and partial archives fail in many ways
        searched, reason = ", ".join(map(str, request.roots)), (str(e).splitlines() or [repr(e)])[0]
        raise GanlibError(
            f"{name} is not complete in {searched} and its download failed ({reason}); connect "
            f"to the internet, or copy torchvision's folder {folder} into one of these."
        ) from e


def _identity(folder: Path) -> str:
    """Names, sizes and times of the set's own files; CelebA's 202,599 images count as one folder."""
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*"), *folder.glob("raw/*")]):
        info = path.stat()
        digest.update(f"{path.name}\0{info.st_size}\0{info.st_mtime_ns}\n".encode())
    return f"{folder.resolve()} {digest.hexdigest()}"
