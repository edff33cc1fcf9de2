"""Where each picture of a set of shards lies, and its class: read once, stored in the cache, memory-mapped."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganlib.data.decode import MAX_SKIPPED_NAMES
from ganlib.data.layout import stratified_test_mask
from ganlib.data.order import Blocks
from ganlib.data.sets import SPLITS, Progress, SplitName
from ganlib.data.shards.labels import Label, number_classes
from ganlib.data.shards.parquet import MEMORY, ParquetReader, scan_parquet
from ganlib.data.shards.shard import Reader, Shard
from ganlib.data.shards.tar import TarReader, scan_tar
from ganlib.errors import GanlibError
from ganlib.files import DAMAGED_ARCHIVE, read_json

VERSION = 1  # to be raised whenever the same shards would get another index
SCANS = {".tar": scan_tar, ".parquet": scan_parquet}
LANES = 64  # blocks that are shuffled together; a number of processes that divides it reads each block once
FEW_LANES = 4

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Files:
    """The shards of a set, relative to ``root``, all of one ``ending``, and which of them are test data."""

    root: Path
    names: tuple[str, ...]
    ending: str
    test: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Index:
    """Pictures are numbered through all shards. ``rows``: the numbers of a split's pictures, in order."""

    classes: tuple[str, ...]
    digest: str
    rows: dict[SplitName, Rows]
    labels: dict[SplitName, Rows]
    starts: Rows  # (K + 1,) first picture of each block
    lanes: int
    reader: Reader
    skipped: tuple[str, ...]
    skipped_count: int
    notes: tuple[str, ...]

    def blocks(self, split: SplitName) -> Blocks:
        return Blocks(self.starts, self.lanes).of(self.rows[split])


def build_index(files: Files, title: str, folder: Path, progress: Progress | None) -> None:
    """Fill ``folder``; ``index.json`` is written last. GanlibError where the shards make no data set."""
    shards: dict[str, Shard] = {}
    codes: dict[Label, int] = {}
    first: dict[Label, str] = {}
    coded: list[NDArray[np.int32]] = []
    skipped: list[str] = []
    for done, name in enumerate(files.names, 1):
        try:
            shard = SCANS[files.ending](files.root / name)
        except DAMAGED_ARCHIVE as error:
            skipped.append(f"{name}: {' '.join(str(error).split())[:100] or type(error).__name__}")
            continue
        for label in dict.fromkeys(shard.labels):
            first.setdefault(label, name)
        coded.append(np.array([codes.setdefault(label, len(codes)) for label in shard.labels], np.int32))
        skipped += shard.skipped
        shard.labels = []  # of ten million pictures
        shards[name] = shard
        if progress:
            progress(done, len(files.names))
    if not any(map(len, coded)):
        reason = f" ({skipped[0]})" if skipped else ""
        raise GanlibError(f"No shard of {title} holds pictures that can be read{reason}; check that they are complete.")
    classes, class_of = number_classes(first, title)
    labels = np.array([class_of[label] for label in codes], np.int64)[np.concatenate(coded)]
    _write(files, title, folder, shards, classes, labels, skipped)


def _write(
    files: Files,
    title: str,
    folder: Path,
    shards: dict[str, Shard],
    classes: tuple[str, ...],
    labels: Rows,
    skipped: list[str],
) -> None:
    sizes = [sum(shard.sizes) for shard in shards.values()]
    is_test = np.repeat([name in files.test for name in shards], sizes)
    notes = list(files.notes)
    if not is_test.any():
        is_test = stratified_test_mask(labels)
    for split, mask in (("train", ~is_test), ("test", is_test)):
        rows = np.flatnonzero(mask)
        _require_pictures(title, split, labels[rows], classes)
        np.save(folder / f"{split}.rows.npy", rows)
        np.save(folder / f"{split}.labels.npy", labels[rows])
    parts = [size for shard in shards.values() for size in shard.sizes]
    np.save(folder / "starts.npy", np.cumsum([0, *parts]))
    np.save(folder / "files.npy", np.repeat(np.arange(len(shards)), [len(shard.sizes) for shard in shards.values()]))
    if files.ending == ".tar":
        np.save(folder / "places.npy", np.concatenate([shard.places for shard in shards.values()]))
    largest = max(shard.largest_part for shard in shards.values())
    lanes = LANES if largest * LANES <= MEMORY else 1 << (MEMORY // largest).bit_length() - 1
    if lanes < FEW_LANES:
        notes.append(
            f"Row groups hold up to {largest / 1e6:,.0f} MB, so that pictures of {lanes} at a time are shuffled; a "
            "smaller row_group_size mixes more."
        )
    digest = hashlib.sha256(b"".join(shard.digest for shard in shards.values()))
    meta = {"files": list(shards), "ending": files.ending, "classes": classes, "lanes": lanes, "notes": notes}
    meta |= {"skipped": skipped[:MAX_SKIPPED_NAMES], "skipped_count": len(skipped), "digest": digest.hexdigest()}
    (folder / "index.json").write_text(json.dumps(meta, indent=1))


def _require_pictures(title: str, split: str, labels: Rows, classes: Sequence[str]) -> None:
    if not len(labels):
        raise GanlibError(f"{title} has no picture for its {split} split; add shards to it.")
    counts = Counter(labels.tolist())
    empty = next((name for label, name in enumerate(classes) if not counts[label]), None)
    if split == "train" and empty is not None:
        raise GanlibError(f"The class {empty!r} of {title} has no picture to train on; add some or remove the class.")


def read_index(folder: Path, root: Path) -> Index | None:
    """None where it is missing or damaged."""
    try:
        meta = read_json(folder / "index.json")
        paths = [root / name for name in meta["files"]]
        files, starts = _array(folder, "files"), _array(folder, "starts")
        rows: dict[SplitName, Rows] = {split: _array(folder, f"{split}.rows") for split in SPLITS}
        labels: dict[SplitName, Rows] = {split: _array(folder, f"{split}.labels") for split in SPLITS}
        reader: Reader = (
            TarReader(paths, files, starts, _array(folder, "places"))
            if meta["ending"] == ".tar"
            else ParquetReader(paths, files, starts)
        )
        if any(len(rows[split]) != len(labels[split]) for split in SPLITS) or len(starts) != len(files) + 1:
            return None
        return Index(
            classes=tuple(meta["classes"]),
            digest=meta["digest"],
            rows=rows,
            labels=labels,
            starts=starts,
            lanes=meta["lanes"],
            reader=reader,
            skipped=tuple(meta["skipped"]),
            skipped_count=meta["skipped_count"],
            notes=tuple(meta["notes"]),
        )
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None


def _array(folder: Path, name: str) -> NDArray[Any]:
    return np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
