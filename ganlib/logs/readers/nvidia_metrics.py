"""metric-fid50k_full.jsonl and its like: a line per evaluated snapshot. The only step is in the snapshot's name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ganlib.logs.frame import Scalars
from ganlib.logs.readers import jsonl
from ganlib.logs.readers.records import records_to_scalars
from ganlib.logs.readers.source import Source

_KIMG = re.compile(r"(\d+)\.\w+$")


def matches(head: str, path: Path) -> bool:
    lines = [line for line in head.split("\n")[:50] if line.strip()]
    return '"snapshot_pkl"' in head and '"results"' in head and jsonl.contains_objects(lines)


def read(text: bytes, source: Source) -> list[Scalars]:
    """Along the snapshots; where no line names one, along the number of the evaluation."""
    unnamed: list[tuple[int, dict[str, Any]]] = []
    rows: list[tuple[int, dict[str, Any]]] = []
    for records, lines in jsonl.parse_objects(text, source):
        for line, record in zip(lines, records, strict=True):
            if row := flatten_evaluation(record):
                rows.append((line, row))
            elif isinstance(results := record.get("results"), dict):
                unnamed.append((line, {"timestamp": record.get("timestamp"), **results}))
            else:
                source.skip(line, "it has no results")
    if source.state.setdefault("unnamed", not rows):
        counted = range(source.state.get("evaluations", 0), source.state.get("evaluations", 0) + len(unnamed))
        rows = [(line, {"step": step} | row) for step, (line, row) in zip(counted, unnamed, strict=True)]
        source.state["evaluations"], unnamed = counted.stop, []
    for line, _ in unnamed:
        source.skip(line, "it names no snapshot, from which the step could be known")
    # Snapshots are often evaluated later and in any order, which is no restart.
    rows.sort(key=lambda row: row[1].get("kimg", 0))
    return records_to_scalars([row for _, row in rows], [line for line, _ in rows], source)


def flatten_evaluation(record: dict[str, Any]) -> dict[str, Any]:
    """One line as a flat record with its step in kimg; empty where there is none."""
    kimg, results = _KIMG.search(str(record.get("snapshot_pkl"))), record.get("results")
    if not kimg or not isinstance(results, dict):
        return {}
    return {"kimg": int(kimg[1]), "timestamp": record.get("timestamp"), **results}
