"""Cache of decoded data sets: uint8 arrays on disk, decoded on first use and memory-mapped afterwards."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ganlib.data.decode import build_arrays
from ganlib.data.sets import SPLITS, DataSet, Progress, Source, Split
from ganlib.errors import GanlibError
from ganlib.files import read_json, scratch_folder

VERSION = 2  # to be raised whenever the same files would decode to other pixels


def load_cached(
    source: Source, size: int | None, channels: int | None, root: Path, progress: Progress | None = None
) -> DataSet:
    """The source's arrays at ``size`` and ``channels`` (None = its default), decoded on first use."""
    source_folder = cache_folder(source, root)
    with storing(source, root):
        if size is None or channels is None:
            defaults = _default_shape(source, source_folder / "default.json")
            size, channels = size or defaults[0], channels or defaults[1]
        folder = source_folder / f"{size}x{channels}-v{VERSION}"
        data = read_cached(folder, source)
        if data is None:
            contents = source.contents()  # may raise: before there is anything to clean up

            def build(temporary: Path) -> None:
                build_arrays(source, contents, temporary, size, channels, progress)

            build_folder(folder, build, lambda: read_cached(folder, source) is not None)
            data = read_cached(folder, source)
    if data is None:
        raise GanlibError(f"The decoded images in {folder} cannot be read back; delete that folder and try again.")
    return data


def cache_folder(source: Source, root: Path) -> Path:
    """Of what is derived from the source's files as they are now."""
    slug = re.sub(r"[^A-Za-z0-9.-]+", "-", source.name)[:40]
    key = hashlib.sha256(source.identity.encode(errors="surrogateescape")).hexdigest()[:16]
    return root / f"{slug}-{key}"


@contextmanager
def storing(source: Source, root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as e:
        raise GanlibError(
            f"The decoded images of {source.name} cannot be stored under {root} ({e.strerror or e}); "
            f"free some space or point GANLIB_CACHE to another folder."
        ) from e


def read_cached(folder: Path, source: Source) -> DataSet | None:
    """A complete cache folder -> data set; None if it is missing or damaged."""
    try:
        meta = read_json(folder / "meta.json")
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
            attributes=source.attributes,
            skipped=tuple(meta["skipped"]),
            skipped_count=meta["skipped_count"],
            notes=tuple(meta["notes"]),
        )
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None


def _default_shape(source: Source, path: Path) -> tuple[int, int]:
    """Size and channels by default, stored beside the arrays: finding them may take unpacking an archive."""
    if isinstance(source.default, tuple):
        return source.default
    try:
        size, channels = read_json(path)
        return int(size), int(channels)
    except (OSError, ValueError, TypeError):
        size, channels = source.default()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([size, channels]))
        return size, channels


def build_folder(folder: Path, build: Callable[[Path], None], is_complete: Callable[[], bool]) -> None:
    """Build in a temporary folder and rename it when complete, so that no partial cache is ever read."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder(folder.parent, ".building-") as temporary:
        build(temporary)
        if folder.exists() and not is_complete():
            shutil.rmtree(folder)
        try:
            temporary.rename(folder)
        except OSError:
            if not is_complete():  # else another process has built the same meanwhile
                raise
