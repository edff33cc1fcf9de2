"""Small pictures, folders and archives of them, and when two are the same."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganlib.data import DataSet, Split
from ganlib.data.sets import Images


def picture(seed: int, size: tuple[int, int] = (20, 18), mode: str = "RGB", kind: str = "PNG") -> bytes:
    shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], 3)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def tree(*names: str) -> dict[str, bytes]:
    return {name: picture(i) for i, name in enumerate(names)}


def write(root: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def pack(path: Path, files: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as packed:
            for name, data in files.items():
                packed.writestr(name, data)
        return path
    with tarfile.open(path, WRITE[path.suffix]) as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


WRITE: dict[str, Any] = {".tar": "w", ".gz": "w:gz", ".xz": "w:xz"}
PETS = tree(*(f"{kind}/{i:02}.png" for kind in ("cats", "dogs") for i in range(10)))


def same(a: DataSet, b: DataSet) -> bool:
    return (a.train.fingerprint, a.test.fingerprint) == (b.train.fingerprint, b.test.fingerprint)


def equal(a: Images, b: Images) -> bool:
    """The same picture, but for float error that crosses one level here or there."""
    difference = abs(np.array(a).astype(int) - np.array(b).astype(int))
    return a.shape == b.shape and difference.max() <= 1 and difference.mean() < 0.01


def toy(n: int = 10, size: int = 4, channels: int = 3) -> Split:
    pixels = np.random.default_rng(0).integers(0, 256, (n, size, size, channels), dtype=np.uint8)
    return Split(pixels, np.arange(n), "0" * 16)
