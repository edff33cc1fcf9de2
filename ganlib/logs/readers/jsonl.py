"""JSON Lines: an object per line. NVIDIA's and EDM's stats.jsonl, BigGAN-PyTorch's log, W&B's history and others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.columns import scalars_of
from ganlib.logs.readers.records import Table
from ganlib.logs.readers.source import Source

CHUNK = 2**20  # bytes that are Python objects at one time
BROKEN = (ValueError, RecursionError)


def matches(head: str, path: Path) -> bool:
    """Several lines, of which a third are objects. A single object is a document of its own."""
    lines = [line for line in head.split("\n")[:50] if line.strip() and not line.startswith("#")]
    return len(lines) > 1 and are_objects(lines)


def are_objects(lines: list[str]) -> bool:
    objects = [line for line in lines if line.lstrip().startswith("{") and line.rstrip().endswith("}")]
    return len(objects) * 3 >= len(lines) and any(parsed(line) for line in objects)


def read(text: bytes, source: Source) -> list[Scalars]:
    table, lines = Table(), []
    for records, places in objects(text, source):
        table.add(records)
        lines += places
    columns = table.columns()
    for row, reason in table.failed.items():
        source.skip(lines[row], reason)
    return scalars_of(columns, np.array(lines, np.int64), source)


def objects(text: bytes, source: Source) -> Iterator[tuple[list[dict[str, Any]], list[int]]]:
    """The objects of some lines, and their line numbers; other lines are skipped."""
    start, first = 0, 1
    while start < len(text):
        end = text.find(b"\n", start + CHUNK) + 1 or len(text)
        lines = text[start:end].split(b"\n")
        if not lines[-1]:
            lines.pop()
        try:  # one call for all lines is twice as fast
            records = json.loads(b"[" + b",".join(lines) + b"]")
        except BROKEN:
            records = []
        if len(records) == len(lines) and all(type(record) is dict for record in records):
            yield records, list(range(first, first + len(lines)))
        else:
            yield _one_by_one(lines, first, source, cut=end == len(text) and not text.endswith(b"\n"))
        start, first = end, first + len(lines)


def _one_by_one(lines: list[bytes], first: int, source: Source, cut: bool) -> tuple[list[dict[str, Any]], list[int]]:
    records, places = [], []
    for place, line in enumerate(lines, first):
        stripped = line.strip()
        if not stripped:
            continue
        record = parsed(stripped.decode("utf-8", errors="replace"))
        if record is not None:
            records.append(record)
            places.append(place)
        elif stripped.startswith((b"#", b"//")):
            source.skip(place, "a comment")
        elif cut and place == first + len(lines) - 1:
            source.skip(place, "the last line is half written")
        else:
            source.skip(place, "it is no JSON object")
    return records, places


def parsed(line: str) -> dict[str, Any] | None:
    """The object on a line; None if it holds none."""
    try:
        record = json.loads(line)
    except BROKEN:
        return None
    return record if isinstance(record, dict) else None
