"""Columns under names -> cells: what the columns that hold words say of the others (tag, split, run)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.cells import Cells, scalars
from ganlib.logs.readers.source import Source, date, number
from ganlib.logs.tags import BATCHES, EPOCHS, IMAGES, RUNS, SPLITS, STEPS, TAGS, VALUES, WALLS, plain

WORDED = frozenset([*TAGS, *RUNS, *SPLITS])
AXES = frozenset([*STEPS, *BATCHES, *IMAGES, *EPOCHS, *WALLS])


class Column(NamedTuple):
    """The cells of a column that are not blank, from the first row to the last."""

    name: str
    row: NDArray[np.int32]
    value: NDArray[np.float64]  # empty where the column holds words
    texts: list[str] | None = None


def column_of(name: str, row: NDArray[np.int32], texts: list[str], decimal: str = ".") -> tuple[Column, dict[int, str]]:
    """Texts as a column of numbers, with what is wrong in some rows; of words where most are no numbers."""
    if plain(name) in WORDED and _is_word(next(filter(str.strip, texts), "")):
        known: dict[str, str] = {}  # each word once in memory
        return Column(name, row, np.empty(0), [known.setdefault(text, text) for text in texts]), {}
    kept, values, failed = [], [], {}
    dated = plain(name) in WALLS
    for place, text in zip(row.tolist(), texts, strict=True):
        try:
            value = number(text, decimal)
        except ValueError as error:
            try:
                value = date(text) if dated else None
            except ValueError:
                value = None
            if value is None:
                failed[place] = str(error)
        if value is not None:
            kept.append(place)
            values.append(value)
    if len(failed) > len(kept) or (failed and plain(name) in WORDED):
        return Column(name, row, np.empty(0), texts), {}
    return Column(name, np.array(kept, np.int32), np.array(values, np.float64)), failed


def _is_word(text: str) -> bool:
    try:
        number(text)
    except ValueError:
        return True
    return False


def joined(name: str, parts: list[Column]) -> Column:
    """A column that was read piece by piece; words if any piece is."""
    row = np.concatenate([part.row for part in parts])
    if all(part.texts is None for part in parts):
        return Column(name, row, np.concatenate([part.value for part in parts]))
    texts = [text for part in parts for text in (part.texts or ["" for _ in part.row])]
    return Column(name, row, np.empty(0), texts)


def scalars_of(columns: Iterable[Column], lines: NDArray[np.int64], source: Source) -> list[Scalars]:
    """Each run's scalars; ``lines`` (rows,) are the rows' places in the file."""
    return [scalars(cells, source) for cells in _tables(list(columns), lines, source) if len(cells.lines)]


def _tables(columns: list[Column], lines: NDArray[np.int64], source: Source) -> Iterator[Cells]:
    worded = {plain(column.name): column for column in columns if column.texts is not None}
    numbers = [column for column in columns if column.texts is None]
    tag, run, split = (next((worded[n] for n in names if n in worded), None) for names in (TAGS, RUNS, SPLITS))
    value = next((column for name in VALUES for column in numbers if plain(column.name) == name), None)
    heads = [_prefix(text) for text in _dense(split, len(lines))] if split else []
    if tag and value:
        keys = _dense(tag, len(lines))
        if split:
            keys = [head + key for head, key in zip(heads, keys, strict=True)]
        numbers = [*(column for column in numbers if column is not value), *_spread(value, keys)]
    else:
        if value and not any(len(c.row) for c in numbers if c is not value and plain(c.name) not in AXES):
            numbers = [column._replace(name=_stem(source.path)) if column is value else column for column in numbers]
        if split:
            axes = [column for column in numbers if plain(column.name) in AXES]
            rest = [column for column in numbers if plain(column.name) not in AXES]
            numbers = [*axes, *(part for c in rest for part in _spread(c, [head + c.name for head in heads]))]
    if run:
        yield from _runs(numbers, lines, _dense(run, len(lines)))
    elif exported := [column for column in numbers if " - " in column.name]:  # by Weights & Biases: "run - tag"
        axes = [column for column in numbers if " - " not in column.name]
        for name in dict.fromkeys(column.name.rpartition(" - ")[0] for column in exported):
            own = [c._replace(name=c.name.rpartition(" - ")[2]) for c in exported if c.name.startswith(f"{name} - ")]
            yield _cells([*axes, *(c for c in own if not c.name.endswith(("__MIN", "__MAX")))], lines, name)
    else:
        yield _cells(numbers, lines)


def _dense(column: Column | None, rows: int) -> list[str]:
    texts = [""] * rows
    if column:
        for place, text in zip(column.row.tolist(), column.texts or [], strict=True):
            texts[place] = text.strip()
    return texts


def _spread(column: Column, keys: list[str]) -> Iterator[Column]:
    """A column as several, by the key of each row."""
    codes, names = pd.factorize(np.array(keys, dtype=object)[column.row])
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.arange(len(names) + 1))
    for place, name in enumerate(names):
        rows = order[ends[place] : ends[place + 1]]
        yield Column(str(name), column.row[rows], column.value[rows])


def _runs(columns: list[Column], lines: NDArray[np.int64], names: list[str]) -> Iterator[Cells]:
    codes, found = pd.factorize(np.array(names, dtype=object))
    for code, name in enumerate(found):
        rows = codes == code
        place = np.cumsum(rows, dtype=np.int32) - np.int32(1)
        own = [Column(c.name, place[c.row[keep]], c.value[keep]) for c in columns for keep in [rows[c.row]]]
        yield _cells(own, lines[rows], str(name))


def _cells(columns: list[Column], lines: NDArray[np.int64], run: str = "") -> Cells:
    counts = [len(column.row) for column in columns]
    code = np.repeat(np.arange(len(columns), dtype=np.int32), counts)
    row = np.concatenate([column.row for column in columns]) if columns else np.empty(0, np.int32)
    value = np.concatenate([column.value for column in columns]) if columns else np.empty(0)
    return Cells([column.name for column in columns], code, row, value, lines, run)


def _prefix(split: str) -> str:
    return "" if split.lower() in ("", "train", "training") else f"{split}/"


def _stem(path: Path) -> str:
    """TensorBoard calls the CSV of one scalar "run-<run>-tag-<tag>.csv"."""
    return re.sub(r"^.*tag-", "", path.stem)
