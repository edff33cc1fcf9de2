"""Parsed logs on disk, in Parquet: a large file that was read before is not parsed again.

A file's content, its name and the readers' version are the key. The folder is bounded: what was not used for longest
goes. Without pyarrow nothing is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from ganlib.files import remove_partial_files, replacing
from ganlib.logs.frame import Scalars, SkippedLine
from ganlib.logs.readers.source import Source
from ganlib.settings import log_cache

VERSION = 4  # of the readers' results: raise it when a reader changes what it makes of a file
MIN_BYTES = 500_000  # a smaller file is parsed as quickly as its copy is read
MAX_CACHE_BYTES = 2_000_000_000
COLUMNS = {"part": "int16", "code": "int32", "row": "int32", "step": "int64", "wall": "float64", "value": "float64"}


def entry_of(data: bytes, source: Source) -> Path | None:
    """The file that holds or will hold what is read from this content; None for one too small to keep."""
    if len(data) < MIN_BYTES or source.keeps_cells:
        return None
    key = hashlib.blake2b(data, digest_size=20)
    key.update(f"\0{VERSION}\0{source.path.name}\0{source.step_column}".encode("utf-8", "surrogatepass"))
    return log_cache() / f"{key.hexdigest()}.parquet"


def load(entry: Path, source: Source) -> list[Scalars] | None:
    """The scalars of a file that was read before, its skipped lines added to the source; None if there are none."""
    if not entry.is_file():
        return None
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        return None
    try:
        table = parquet.read_table(entry)
        about = json.loads(table.schema.metadata[b"ganlib"])
        columns = {name: table.column(name).to_numpy() for name in COLUMNS}
        parts = [_part(number, part, columns) for number, part in enumerate(about["parts"])]
        skipped = [SkippedLine(str(source.path), line, reason) for line, reason in about["skipped"]]
        with suppress(OSError):
            os.utime(entry)
    except (ArrowException, OSError, ValueError, LookupError, TypeError):  # of another version, or damaged
        return None
    source.skipped += skipped
    source.skipped_total += about["skipped_total"]
    return parts


def store(entry: Path, scalars: list[Scalars], source: Source) -> None:
    """Keep what was read; a full or read-only disk is no error."""
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError:
        return
    columns = {
        "part": np.repeat(np.arange(len(scalars), dtype=np.int16), [len(part) for part in scalars]),
        **{
            name: np.concatenate([getattr(part, name) for part in scalars]) if scalars else np.empty(0, dtype)
            for name, dtype in COLUMNS.items()
            if name != "part"
        },
    }
    about = {
        "parts": [
            {"originals": part.originals, "tags": part.tags, "unit": part.unit, "run": part.run} for part in scalars
        ],
        "skipped": [(line.line, line.reason) for line in source.skipped],
        "skipped_total": source.skipped_total,
    }
    table = arrow.table(columns).replace_schema_metadata({"ganlib": json.dumps(about)})
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        with replacing(entry) as file:
            parquet.write_table(table, file, compression="zstd")
        _remove_oldest(entry.parent)
    except (OSError, arrow.ArrowException):
        return


def _part(number: int, about: dict[str, Any], columns: dict[str, Any]) -> Scalars:
    first, end = np.searchsorted(columns["part"], [number, number + 1])
    code, row, step, wall, value = (columns[name][first:end] for name in ("code", "row", "step", "wall", "value"))
    return Scalars(about["originals"], about["tags"], code, row, step, wall, value, about["unit"], about["run"])


def _remove_oldest(folder: Path) -> None:
    remove_partial_files(folder)
    entries = sorted(((path.stat(), path) for path in folder.glob("*.parquet")), key=lambda entry: entry[0].st_mtime)
    size = sum(status.st_size for status, _ in entries)
    for status, path in entries:
        if size <= MAX_CACHE_BYTES:
            break
        path.unlink(missing_ok=True)
        size -= status.st_size
