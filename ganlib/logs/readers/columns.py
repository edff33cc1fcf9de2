"""Columns under names -> cells: text columns name the tag, the split or the run of the others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.cells import OTHER_SPLIT, Cells
from ganlib.logs.readers.comparisons import describe_comparison
from ganlib.logs.readers.headings import Heading
from ganlib.logs.readers.numerals import has_decimal_commas, parse_number, without_grouping_dots
from ganlib.logs.readers.source import Source, parse_date
from ganlib.logs.readers.trainings import cells_to_runs
from ganlib.logs.tags import (
    BATCH_NAMES,
    EPOCH_NAMES,
    IMAGE_NAMES,
    RUN_NAMES,
    SPLIT_NAMES,
    STEP_NAMES,
    TAG_NAMES,
    VALUE_NAMES,
    WALL_TIME_NAMES,
    axis_name,
    normalize_name,
)

MAX_NAMES = 5_000  # of scalars in a file; more are no names
TEXT_COLUMNS = frozenset([*TAG_NAMES, *RUN_NAMES, *SPLIT_NAMES])
_DOWNLOAD = re.compile(r"run-(.+)-tag-.+")
_COPY = re.compile(r" \(\d+\)$")
AXIS_COLUMNS = frozenset([*STEP_NAMES, *BATCH_NAMES, *IMAGE_NAMES, *EPOCH_NAMES, *WALL_TIME_NAMES])


class Column(NamedTuple):
    """The cells of a column that are not blank, from the first row to the last."""

    name: str
    row: NDArray[np.int32]
    value: NDArray[np.float64]  # empty for a column of text
    texts: list[str] | None = None


def parse_column(
    name: str, row: NDArray[np.int32], texts: list[str], decimal: str = "."
) -> tuple[Column, dict[int, str]]:
    """Texts as a column of numbers, and an error for each row that has none; as text where most rows have none."""
    if normalize_name(name) in TEXT_COLUMNS and _is_text(next(filter(str.strip, texts), "")):
        interned: dict[str, str] = {}  # each text once in memory
        return Column(name, row, np.empty(0), [interned.setdefault(text, text) for text in texts]), {}
    decimal = "," if decimal == "." and has_decimal_commas(texts) else decimal
    is_time = normalize_name(name) in WALL_TIME_NAMES
    if decimal == ",":
        texts = without_grouping_dots(texts, axis_name(name) in AXIS_COLUMNS and not is_time)
    rows, values, errors = [], [], {}
    for index, text in zip(row.tolist(), texts, strict=True):
        try:
            value = parse_number(text, decimal)
        except ValueError as error:
            try:
                value = parse_date(text) if is_time else None
            except ValueError:
                value = None
            if value is None:
                errors[index] = str(error)
        if value is not None:
            rows.append(index)
            values.append(value)
    if len(errors) > len(rows) or (errors and normalize_name(name) in TEXT_COLUMNS):
        return Column(name, row, np.empty(0), texts), {}
    return Column(name, np.array(rows, np.int32), np.array(values, np.float64)), errors


def _is_text(text: str) -> bool:
    try:
        parse_number(text)
    except ValueError:
        return True
    return False


def numbers_or_texts(name: str, parts: list[Column]) -> tuple[list[Column], dict[int, str]]:
    """The parts of one kind that a column consists of, and an error for each text among more numbers."""
    texts = [part for part in parts if part.texts is not None]
    rows = sum(len(part.row) for part in texts)
    if not rows or normalize_name(name) in TEXT_COLUMNS or 2 * rows > sum(len(part.row) for part in parts):
        return parts, {}
    errors = {
        row: f"{text[:40]!r} is no number"
        for part in texts
        for row, text in zip(part.row.tolist(), part.texts or [], strict=True)
    }
    return [part for part in parts if part.texts is None], errors


def concat_columns(name: str, parts: list[Column]) -> Column:
    """A column that was read in parts; text if any part is."""
    row = np.concatenate([part.row for part in parts])
    if all(part.texts is None for part in parts):
        return Column(name, row, np.concatenate([part.value for part in parts]))
    texts = [text for part in parts for text in (part.texts or ["" for _ in part.row])]
    return Column(name, row, np.empty(0), texts)


def columns_to_scalars(
    columns: Iterable[Column],
    lines: NDArray[np.int64],
    source: Source,
    run: str = "",
    headings: Iterable[Heading] | None = None,
) -> list[Scalars]:
    """The scalars of each run. ``lines`` (rows,): line numbers of the rows; ``run``: the name of runs without one;
    ``headings``: of a text log, in which several trainings may follow each other.

    NotALog for a table whose rows are runs or models.
    """
    columns = list(columns)
    if len(columns) > MAX_NAMES:
        left_out = sum(len(column.row) for column in columns[MAX_NAMES:])
        source.skip(None, f"{len(columns) - MAX_NAMES:,} names after the first {MAX_NAMES:,}, {left_out:,} numbers")
        columns = columns[:MAX_NAMES]
    if headings is None and (reason := describe_comparison(columns, len(lines))):
        raise source.not_a_log(reason)
    lines = lines + (source.first_line - 1)
    tables = [
        cells._replace(run=cells.run or run, headings=None if headings is None else tuple(headings))
        for cells in _split_by_run(columns, lines, source)
        if len(cells.lines)
    ]
    if source.keeps_cells:
        return [Scalars.of_cells(cells, cells.run) for cells in tables]
    return [scalars for cells in tables for scalars in cells_to_runs(cells, source)]


def _split_by_run(columns: list[Column], lines: NDArray[np.int64], source: Source) -> Iterator[Cells]:
    texts = [column for column in columns if column.texts is not None]
    numbers = [column for column in columns if column.texts is None]
    rows, run = len(lines), _find_column(texts, RUN_NAMES)
    numbers = _split_by_tag(numbers, _find_column(texts, TAG_NAMES), _find_column(texts, SPLIT_NAMES), rows, source)
    if run:
        yield from _split_by_run_column(numbers, lines, _texts_by_row(run, rows), source)
    elif exported := [column for column in numbers if " - " in column.name]:  # by Weights & Biases: "run - tag"
        shared = [column for column in numbers if " - " not in column.name]
        for name in dict.fromkeys(column.name.rpartition(" - ")[0] for column in exported):
            own = [c._replace(name=c.name.rpartition(" - ")[2]) for c in exported if c.name.startswith(f"{name} - ")]
            own = [c for c in own if not c.name.endswith(("__MIN", "__MAX"))]
            yield _to_cells([*shared, *own], lines, source, name)
    else:
        is_download = any(column.name == _tag_of_file(source.path) for column in numbers)
        yield _to_cells(numbers, lines, source, _run_of_file(source.path) if is_download else "")


def _split_by_tag(
    columns: list[Column], tag: Column | None, split: Column | None, rows: int, source: Source
) -> list[Column]:
    """A column per tag, named by the tag column where there is one, with the split's name before it."""
    value = _find_column(columns, VALUE_NAMES)
    prefixes = [_split_prefix(text) for text in _texts_by_row(split, rows)] if split else []
    other = np.flatnonzero(prefixes).astype(np.int32)
    marks = [Column(OTHER_SPLIT, other, np.ones(len(other)))] if len(other) else []
    if tag and value:
        keys = _texts_by_row(tag, rows)
        if split:
            keys = [prefix + key for prefix, key in zip(prefixes, keys, strict=True)]
        return [*(column for column in columns if column is not value), *_split_by_key(value, keys), *marks]
    if value and not any(len(column.row) for column in columns if column is not value and not _is_axis(column)):
        columns = [c._replace(name=_tag_of_file(source.path)) if c is value else c for c in columns]
    if split is None:
        return columns
    axes = [column for column in columns if _is_axis(column)]
    scalars = [column for column in columns if not _is_axis(column)]
    parts = (part for c in scalars for part in _split_by_key(c, [prefix + c.name for prefix in prefixes]))
    return [*axes, *parts, *marks]


def _find_column(columns: list[Column], names: tuple[str, ...]) -> Column | None:
    by_name = {normalize_name(column.name): column for column in reversed(columns)}
    return next((by_name[name] for name in names if name in by_name), None)


def _is_axis(column: Column) -> bool:
    return axis_name(column.name) in AXIS_COLUMNS


def _texts_by_row(column: Column | None, rows: int) -> list[str]:
    texts = [""] * rows
    if column:
        for index, text in zip(column.row.tolist(), column.texts or [], strict=True):
            texts[index] = text.strip()
    return texts


def _split_by_key(column: Column, keys: list[str]) -> Iterator[Column]:
    """A column as several, by the key of each row."""
    codes, names = pd.factorize(np.array(keys, dtype=object)[column.row])
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.arange(len(names) + 1))
    for index, name in enumerate(names):
        rows = order[ends[index] : ends[index + 1]]
        yield Column(str(name), column.row[rows], column.value[rows])


def _split_by_run_column(
    columns: list[Column], lines: NDArray[np.int64], names: list[str], source: Source
) -> Iterator[Cells]:
    codes, run_names = pd.factorize(np.array(names, dtype=object))
    for code, name in enumerate(run_names):
        rows = codes == code
        new_row = np.cumsum(rows, dtype=np.int32) - np.int32(1)
        run_columns = [Column(c.name, new_row[c.row[keep]], c.value[keep]) for c in columns for keep in [rows[c.row]]]
        yield _to_cells(run_columns, lines[rows], source, str(name))


def _to_cells(columns: list[Column], lines: NDArray[np.int64], source: Source, run: str = "") -> Cells:
    """Of columns of one name the first: a line of text may name its epoch twice, a column of tags the step."""
    first: dict[str, Column] = {}
    for column in columns:
        if first.setdefault(column.name, column) is not column:
            source.skip(None, f"{column.name[:40]!r} is there twice; its first numbers count")
    columns = list(first.values())
    counts = [len(column.row) for column in columns]
    code = np.repeat(np.arange(len(columns), dtype=np.int32), counts)
    row = np.concatenate([column.row for column in columns]) if columns else np.empty(0, np.int32)
    value = np.concatenate([column.value for column in columns]) if columns else np.empty(0)
    return Cells([column.name for column in columns], code, row, value, lines, run)


def _split_prefix(split: str) -> str:
    return "" if split.lower() in ("", "train", "training") else f"{split}/"


def _tag_of_file(path: Path) -> str:
    """TensorBoard calls the CSV of one scalar "run-<run>-tag-<tag>.csv"; a browser counts those of one name."""
    return _COPY.sub("", path.stem.rpartition("tag-")[2])


def _run_of_file(path: Path) -> str:
    """The run of such a file; "" for another, and for "." where TensorBoard was started in the run's own folder."""
    match = _DOWNLOAD.fullmatch(path.stem)
    return match[1] if match and match[1] != "." else ""
