"""One JSON document: an array of objects (Chainer, W&B's export), a history of lists (Keras), steps as keys."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.columns import AXES, scalars_of
from ganlib.logs.readers.jsonl import BROKEN
from ganlib.logs.readers.records import Table
from ganlib.logs.readers.source import Source
from ganlib.logs.tags import plain

LINES = (".jsonl", ".ndjson")
HISTORIES = ("log_history", "history", "logs", "log")  # where a document keeps its rows beside other things

_START = re.compile(r"\s*(?:\[\s*[{\]]|\{\s*[\"}])")


def matches(head: str, path: Path) -> bool:
    return _START.match(head) is not None


def read(text: bytes, source: Source) -> list[Scalars]:
    document = _document(text.decode("utf-8", errors="replace"), source)
    records = _records(document, source.path)
    if not records:
        raise source.no_log("it is JSON without rows of scalars")
    table = Table()
    table.add(records)
    # A document that is not pretty-printed has one line: its rows are counted instead.
    return scalars_of(table.columns(), np.arange(1, len(records) + 1), source)


def _document(text: str, source: Source) -> Any:
    try:
        return json.loads(text)
    except BROKEN as error:
        if not text.lstrip().startswith("["):
            raise source.error(str(error), getattr(error, "lineno", None)) from None
    # An array that is being written, or was cut: what stands before the cut is whole.
    records, decoder = [], json.JSONDecoder()
    place = text.index("[") + 1
    while True:
        place += len(text[place : place + 2**16]) - len(text[place : place + 2**16].lstrip(" \n\t,"))
        try:
            record, place = decoder.raw_decode(text, place)
        except BROKEN:
            break
        records.append(record)
    line = text.count("\n", 0, place) + 1
    if not records:
        raise source.error("it is no JSON", line)
    source.skip(line, "the array is cut off here")
    return records


def _records(document: Any, path: Path) -> list[dict[str, Any]]:
    if isinstance(document, list):
        return [record for record in document if isinstance(record, dict)]
    if not isinstance(document, dict):
        return []
    for key in HISTORIES:
        if isinstance(document.get(key), list | dict) and (records := _records(document[key], path)):
            return records
    if document and all(key.lstrip("-").isdecimal() for key in document):  # mimicry: step -> value, or one per seed
        steps = [(int(step), _mean(value)) for step, value in document.items()]
        return [{"step": step, path.stem: value} for step, value in steps if value is not None]
    lists = {key: value for key, value in document.items() if isinstance(value, list) and len(value)}
    if (
        lists and len(lists) == len(document) and len(set(map(len, lists.values()))) == 1
    ):  # Keras: tag -> value by epoch
        rows = zip(*lists.values(), strict=True)
        return [{"epoch": epoch, **dict(zip(lists, row, strict=True))} for epoch, row in enumerate(rows)]
    # A summary says where the run stands; without that it is a configuration.
    row = path.suffix in LINES or any(plain(key) in AXES for key in document)
    return [document] if row else []


def _mean(value: Any) -> float | None:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(item, int | float) for item in values):
        return None
    return float(np.mean(values))
