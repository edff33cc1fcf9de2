"""JSON Lines: an object per line. NVIDIA's and EDM's stats.jsonl, BigGAN-PyTorch's log, W&B's history and others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.records import RecordTable, table_to_scalars
from ganlib.logs.readers.source import Source

CHUNK_BYTES = 2**20  # parsed at one time
JSON_ERRORS = (ValueError, RecursionError)


def matches(head: str, path: Path) -> bool:
    """Several lines, of which a third are objects. A single object is a document of its own."""
    lines = [line for line in head.split("\n")[:50] if line.strip() and not line.startswith("#")]
    return len(lines) > 1 and contains_objects(lines)


def contains_objects(lines: list[str]) -> bool:
    candidates = [line for line in lines if line.lstrip().startswith("{") and line.rstrip().endswith("}")]
    return len(candidates) * 3 >= len(lines) and any(parse_object(line) for line in candidates)


def read(text: bytes, source: Source) -> list[Scalars]:
    table, lines = RecordTable(), []
    for records, record_lines in parse_objects(text, source):
        table.add(records)
        lines += record_lines
    return table_to_scalars(table, lines, source)


def parse_objects(text: bytes, source: Source) -> Iterator[tuple[list[dict[str, Any]], list[int]]]:
    """The objects of some lines, and their line numbers; other lines are skipped."""
    start, first = 0, 1
    while start < len(text):
        end = text.find(b"\n", start + CHUNK_BYTES) + 1 or len(text)
        lines = text[start:end].split(b"\n")
        if not lines[-1]:
            lines.pop()
        try:  # one call for all lines is twice as fast
            records = json.loads(b"[" + b",".join(lines) + b"]")
        except JSON_ERRORS:
            records = []
        if len(records) == len(lines) and all(type(record) is dict for record in records):
            yield records, list(range(first, first + len(lines)))
        else:
            yield _parse_one_by_one(lines, first, source, cut=end == len(text) and not text.endswith(b"\n"))
        start, first = end, first + len(lines)


def _parse_one_by_one(
    lines: list[bytes], first: int, source: Source, cut: bool
) -> tuple[list[dict[str, Any]], list[int]]:
    records, line_numbers = [], []
    for line_number, line in enumerate(lines, first):
        stripped = line.strip()
        if not stripped:
            continue
        record = parse_object(stripped.decode("utf-8", errors="replace"))
        if record is not None:
            records.append(record)
            line_numbers.append(line_number)
        elif stripped.startswith((b"#", b"//")):
            source.skip(line_number, "a comment")
        elif cut and line_number == first + len(lines) - 1:
            source.skip(line_number, "the last line is half written")
        else:
            source.skip(line_number, "it is no JSON object")
    return records, line_numbers


def parse_object(line: str) -> dict[str, Any] | None:
    """The object on a line; None if it holds none."""
    try:
        record = json.loads(line)
    except JSON_ERRORS:
        return None
    return record if isinstance(record, dict) else None
