"""metric-fid50k_full.jsonl and its like: a line per evaluated snapshot. The only step is in the snapshot's name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from ganlib.logs.frame import Scalars
from ganlib.logs.readers import jsonl
from ganlib.logs.readers.columns import scalars_of
from ganlib.logs.readers.records import Table
from ganlib.logs.readers.source import Source

_KIMG = re.compile(r"(\d+)\.\w+$")


def matches(head: str, path: Path) -> bool:
    lines = [line for line in head.split("\n")[:50] if line.strip()]
    return '"snapshot_pkl"' in head and '"results"' in head and jsonl.are_objects(lines)


def read(text: bytes, source: Source) -> list[Scalars]:
    rows: list[tuple[int, dict[str, Any]]] = []
    for records, lines in jsonl.objects(text, source):
        for line, record in zip(lines, records, strict=True):
            if row := evaluation(record):
                rows.append((line, row))
            else:
                source.skip(line, "it names no snapshot or has no results")
    # Snapshots are often measured later and in any order, which is no restart.
    rows.sort(key=lambda row: row[1]["kimg"])
    table = Table()
    table.add([row for _, row in rows])
    return scalars_of(table.columns(), np.array([line for line, _ in rows], np.int64), source)


def evaluation(record: dict[str, Any]) -> dict[str, Any]:
    """One line as a flat record with its step in kimg; empty where there is none."""
    kimg, results = _KIMG.search(str(record.get("snapshot_pkl"))), record.get("results")
    if not kimg or not isinstance(results, dict):
        return {}
    return {"kimg": int(kimg[1]), "timestamp": record.get("timestamp"), **results}
