"""One JSON document: an array of objects (Chainer, W&B's export), a history of lists (Keras), steps as keys."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.columns import AXIS_COLUMNS
from ganlib.logs.readers.jsonl import JSON_ERRORS
from ganlib.logs.readers.records import records_to_scalars
from ganlib.logs.readers.source import Source
from ganlib.logs.tags import normalize_name

JSONL_SUFFIXES = (".jsonl", ".ndjson")
ROW_KEYS = ("log_history", "history", "logs", "log")  # under which a document has its rows beside other things

_START = re.compile(r"\s*(?:\[\s*[{\]]|\{\s*[\"}])")


def matches(head: str, path: Path) -> bool:
    return _START.match(head) is not None


def read(text: bytes, source: Source) -> list[Scalars]:
    document = _load_document(text.decode("utf-8", errors="replace"), source)
    records = _find_rows(document, source.path)
    if not records:
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
    records, decoder = [], json.JSONDecoder()
    offset = text.index("[") + 1
    while True:
        window = text[offset : offset + 2**16]
        offset += len(window) - len(window.lstrip(" \n\t,"))
        try:
            record, offset = decoder.raw_decode(text, offset)
        except JSON_ERRORS:
            break
        records.append(record)
    line = text.count("\n", 0, offset) + 1
    if not records:
        raise source.error("it is no JSON", line)
    source.skip(line, "the array is cut off here")
    return records


def _find_rows(document: Any, path: Path) -> list[dict[str, Any]]:
    if isinstance(document, list):
        return [record for record in document if isinstance(record, dict)]
    if not isinstance(document, dict):
        return []
    for key in ROW_KEYS:
        if isinstance(document.get(key), list | dict) and (records := _find_rows(document[key], path)):
            return records
    if document and all(key.lstrip("-").isdecimal() for key in document):  # mimicry: step -> value, or one per seed
        steps = [(int(step), _to_number(value)) for step, value in document.items()]
        return [{"step": step, path.stem: value} for step, value in steps if value is not None]
    lists = {key: value for key, value in document.items() if isinstance(value, list) and len(value)}
    if (
        lists and len(lists) == len(document) and len(set(map(len, lists.values()))) == 1
    ):  # Keras: tag -> value by epoch
        rows = zip(*lists.values(), strict=True)
        return [{"epoch": epoch, **dict(zip(lists, row, strict=True))} for epoch, row in enumerate(rows)]
    # A summary names the step of its values; without one the document is a configuration.
    is_summary = path.suffix in JSONL_SUFFIXES or any(normalize_name(key) in AXIS_COLUMNS for key in document)
    return [document] if is_summary else []


def _to_number(value: Any) -> float | None:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(item, int | float) for item in values):
        return None
    return float(np.mean(values))
