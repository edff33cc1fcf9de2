"""Decode once: a source -> uint8 arrays on disk, memory-mapped from then on."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from pathlib import Path

import numpy as np

from ganlib.data.decode import Progress, build
from ganlib.data.sets import SPLITS, DataSet, Source, Split
from ganlib.errors import GanlibError

VERSION = 1  # raise it whenever the same files would give other pixels


def cached(
    source: Source, size: int | None, channels: int | None, root: Path, progress: Progress | None = None
) -> DataSet:
    """The source's arrays at ``size`` and ``channels`` (None = its default), decoded on first use."""
    slug = re.sub(r"[^A-Za-z0-9.-]+", "-", source.name)[:40]
    key = hashlib.sha256(source.identity.encode(errors="surrogateescape")).hexdigest()[:16]
    home = root / f"{slug}-{key}"
    try:
        if size is None or channels is None:
            defaults = _default(source, home / "default.json")
            size, channels = size or defaults[0], channels or defaults[1]
        folder = home / f"{size}x{channels}-v{VERSION}"
        found = read(folder, source)
        if found is None:
            _install(source, folder, size, channels, progress)
            found = read(folder, source)
    except OSError as e:
        raise GanlibError(
            f"The decoded images of {source.name} cannot be stored under {root} ({e.strerror or e}); "
            f"free some space or point GANLIB_CACHE to another folder."
        ) from e
    if found is None:
        raise GanlibError(f"The decoded images in {folder} cannot be read back; delete that folder and try again.")
    return found


def read(folder: Path, source: Source) -> DataSet | None:
    """A finished cache folder -> data set; None if it is missing or damaged."""
    try:
        meta = json.loads((folder / "meta.json").read_text())
        splits = {}
        for split in SPLITS:
            images = np.load(folder / f"{split}.images.npy", mmap_mode="r", allow_pickle=False)
            labels = np.load(folder / f"{split}.labels.npy", mmap_mode="r", allow_pickle=False)
            if list(images.shape) != meta["shapes"][split] or images.dtype != np.uint8:
                return None
            if labels.shape != images.shape[:1] or labels.dtype != np.int64:
                return None
            splits[split] = Split(images, labels, meta["fingerprints"][split])
        return DataSet(
            name=source.name,
            classes=tuple(meta["classes"]),
            train=splits["train"],
            test=splits["test"],
            flip=source.flip,
            skipped=tuple(meta["skipped"]),
            skipped_count=meta["skipped_count"],
        )
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None


def _default(source: Source, path: Path) -> tuple[int, int]:
    """Finding the default may mean unpacking an archive, so that it is remembered next to the arrays."""
    if isinstance(source.default, tuple):
        return source.default
    try:
        size, channels = json.loads(path.read_text())
        return int(size), int(channels)
    except (OSError, ValueError, TypeError):
        size, channels = source.default()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([size, channels]))
        return size, channels


def _install(source: Source, folder: Path, size: int, channels: int, progress: Progress | None) -> None:
    """Build in a temporary folder and rename it, so that a half-written cache never has the real name."""
    contents = source.contents()  # may fail, before there is anything to clean up
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
    try:
        build(source, contents, building, size, channels, progress)
        if folder.exists() and read(folder, source) is None:
            shutil.rmtree(folder)
        try:
            building.rename(folder)
        except OSError:
            if read(folder, source) is None:  # else another process was faster: its arrays are the same
                raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
