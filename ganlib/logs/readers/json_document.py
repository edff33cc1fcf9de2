"""One JSON document, or the whole records of one that is being written; ``json_rows`` finds the rows in it."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.columns import AXIS_COLUMNS
from ganlib.logs.readers.json_rows import find_rows
from ganlib.logs.readers.jsonl import JSON_ERRORS
from ganlib.logs.readers.records import records_to_scalars
from ganlib.logs.readers.source import Source
from ganlib.logs.tags import axis_name

JSONL_SUFFIXES = (".jsonl", ".ndjson")
_NUMBER = r"-?\d[\d.eE+-]*"
# Of objects; of lists of numbers; of numbers, more than in "[1, 2000] loss: 0.5".
_START = re.compile(rf"\s*(?:\[\s*[{{\]]|\[\s*\[\s*{_NUMBER}\s*,|\[\s*(?:{_NUMBER}\s*,\s*){{3}}|\{{\s*[\"}}])")
_BETWEEN = re.compile(r"[\s,]*")


def matches(head: str, path: Path) -> bool:
    return _START.match(head) is not None


def read(text: bytes, source: Source) -> list[Scalars]:
    document = _load_document(text.decode("utf-8", errors="replace"), source)
    if _is_evaluation(document):
        raise source.not_a_log("it is the evaluation of a run and holds no curve over steps")
    records = find_rows(document, source) or _summary(document, source.path)
    if not records:
        if isinstance(document, dict) and len(document) > 1 and all(_is_result(part) for part in document.values()):
            names = ", ".join(list(document)[:2])
            raise source.not_a_log(f"it compares {len(document)} results ({names}, …) and holds no curve over steps")
        raise source.not_a_log("it is JSON without rows of scalars")
    # A document that is not pretty-printed has one line: its rows are counted instead.
    return records_to_scalars(records, list(range(1, len(records) + 1)), source)


def _load_document(text: str, source: Source) -> Any:
    try:
        return json.loads(text)
    except JSON_ERRORS as error:
        if not text.lstrip().startswith("["):
            raise source.error(str(error), getattr(error, "lineno", None)) from None
    # An array that is being written, or was cut: the records before the cut are complete.
    with suppress(*JSON_ERRORS):
        if "{" not in text:  # numbers alone, of which the last may be cut
            return _cut_off(json.loads(f"{text[: text.rindex(',')]}]"), text.count("\n") + 1, source)
    records, decoder = [], json.JSONDecoder()
    offset = text.index("[") + 1
    while True:
        if match := _BETWEEN.match(text, offset):
            offset = match.end()
        try:
            record, offset = decoder.raw_decode(text, offset)
        except JSON_ERRORS:
            break
        records.append(record)
    line = text.count("\n", 0, offset) + 1
    if not records:
        raise source.error("it is no JSON", line)
    return _cut_off(records, line, source)


def _cut_off(records: list[Any], line: int, source: Source) -> list[Any]:
    source.skip(line, "the array is cut off here")
    return records


def _summary(document: Any, path: Path) -> list[dict[str, Any]]:
    """A single object of numbers: a summary names the step of its values; without one it is a configuration."""
    if not isinstance(document, dict):
        return []
    is_summary = path.suffix in JSONL_SUFFIXES or any(axis_name(key) in AXIS_COLUMNS for key in document)
    return [document] if is_summary else []


def _is_evaluation(document: Any) -> bool:
    """Whether it is this project's ``evaluation.json``."""
    records = document.get("records") if isinstance(document, dict) else None
    return isinstance(records, list) and all(
        isinstance(r, dict) and {"metric", "protocol"} <= r.keys() for r in records
    )


def _is_result(value: Any) -> bool:
    return isinstance(value, dict) and any(isinstance(number, float) for number in value.values())
