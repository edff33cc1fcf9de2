"""CSV and its relatives: a column per scalar, or a row per scalar with its tag beside it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.columns import TEXT_COLUMNS, Column, columns_to_scalars, concat_columns, parse_column
from ganlib.logs.readers.numerals import MISSING_VALUES
from ganlib.logs.readers.source import Source
from ganlib.logs.readers.table_layout import (
    Layout,
    deduplicate,
    detect_layout,
    is_number,
    is_rule,
    plain_rules,
    split_cells,
)
from ganlib.logs.tags import normalize_name

ROWS_PER_BLOCK = 4_000  # held as text at one time
_HALF_NUMBER = re.compile(rb"(?:[0-9](?:\.|[eE][-+]?)|[,;\t ][-+])\Z")  # at the end of a line that is being written
_NAN = re.compile(rb"nan", re.IGNORECASE)


def matches(head: str, path: Path) -> bool:
    return detect_layout(plain_rules(head)) is not None


def read(text: bytes, source: Source) -> list[Scalars]:
    if not text.isascii():
        text = plain_rules(text.decode("utf-8", errors="replace")).encode("utf-8", errors="replace")
    layout = source.state.get("layout") or detect_layout(text[: 2**16].decode("utf-8", errors="replace"))
    if layout is None:
        raise source.error("its lines are no table of numbers under names")
    source.state["layout"] = layout._replace(header_lines=0)
    start = 0
    for _ in range(layout.header_lines):
        start = text.find(b"\n", start) + 1 or len(text)
    table = _parse_with_pandas(text, start, source, layout) or _parse_by_line(text, source, layout)
    return columns_to_scalars(*table, source)


def _parse_with_pandas(
    text: bytes, start: int, source: Source, layout: Layout
) -> tuple[list[Column], NDArray[np.int64]] | None:
    """The columns and line numbers of a regular table; None if a line must be parsed on its own."""
    count, is_cut = _count_regular_rows(text, start, layout)
    if not count:
        return None
    try:
        table, logged_nan = _read_csv(text, start, count, layout)
    except (ValueError, OverflowError):  # pandas' parser errors are ValueErrors too
        return None
    if len(table) != count:
        return None
    if is_cut:
        source.skip(layout.header_lines + count + 1, "the last line is half written")
    lines = np.arange(layout.header_lines + 1, layout.header_lines + 1 + count)
    rows = np.arange(count, dtype=np.int32)
    columns = []
    for index, name in enumerate(layout.names):
        cells = table.iloc[:, index]
        if cells.dtype.kind in "fiub":
            value = cells.to_numpy(np.float64)
            logged = ~np.isnan(value)
            if index in logged_nan:
                logged |= logged_nan[index]
            columns.append(Column(name, rows, value) if logged.all() else Column(name, rows[logged], value[logged]))
        else:
            codes, distinct = pd.factorize(cells.fillna("").astype(str))  # few texts, each once in memory
            texts = np.array(distinct, dtype=object)[codes].tolist()
            columns.append(_parse_column(name, rows, texts, lines, source, layout.decimal))
    return columns, lines


def _count_regular_rows(text: bytes, start: int, layout: Layout) -> tuple[int, bool]:
    """Number of rows, 0 if one is irregular; whether the last line is cut and left out."""
    separator, width = layout.separator.encode(), len(layout.names)
    if layout.separator == " " or any(
        text.find(mark, max(start - 1, 0)) >= 0 for mark in (b'"', b"#", b"\n\n", b"\0", b"--", b"==")
    ):
        return 0, False
    count = text.count(b"\n", start)
    end = text.rfind(b"\n", start) + 1 or start
    is_cut = end < len(text) and (text.count(separator, end) != width - 1 or _HALF_NUMBER.search(text[-9:]) is not None)
    count += end < len(text) and not is_cut
    stream = io.BytesIO(text)
    stream.seek(start)
    is_regular = {line.count(separator) for line in islice(stream, count)} == {width - 1}
    return count if is_regular else 0, is_cut


def _read_csv(text: bytes, start: int, count: int, layout: Layout) -> tuple[pd.DataFrame, dict[int, NDArray[np.bool_]]]:
    """The table, and per column with missing values where "nan" was logged, which is no blank."""
    stream = io.BytesIO(text)

    def parse(**options: Any) -> pd.DataFrame:
        stream.seek(start)
        return pd.read_csv(
            stream, sep=layout.separator, decimal=layout.decimal, header=None, nrows=count, skip_blank_lines=False,
            skipinitialspace=True, quoting=csv.QUOTE_NONE, **options,
        )  # fmt: skip

    missing = sorted(MISSING_VALUES)
    try:
        table = parse(na_values=missing, dtype=np.float64)
    except ValueError:  # a column of text, which has to be parsed as a whole
        table = parse(na_values=missing, low_memory=False)
    is_float = [dtype.kind == "f" for dtype in table.dtypes]
    has_missing = [i for i in range(len(layout.names)) if is_float[i] and table.iloc[:, i].isna().any()]
    logged_nan = {}
    if has_missing and _NAN.search(text, start):
        for index in has_missing:
            cells = parse(usecols=[index], dtype="str", keep_default_na=False)[index]
            logged_nan[index] = cells.str.strip().str.lower().isin(["nan", "-nan", "+nan"]).to_numpy()
    return table, logged_nan


def _parse_by_line(text: bytes, source: Source, layout: Layout) -> tuple[list[Column], NDArray[np.int64]]:
    """The columns and line numbers of any table; lines and cells without numbers are skipped."""
    names = list(layout.names)
    parts: dict[str, list[Column]] = {}
    lines: list[NDArray[np.int64]] = []
    row_count = 0
    for block, line_numbers in _iter_blocks(text, source, layout, names):
        rows = np.arange(row_count, row_count + len(block), dtype=np.int32)
        row_count += len(block)
        lines.append(line_numbers)
        for index, name in enumerate(names):
            # Rows before a later header that brought new columns are shorter.
            cells = [row[index] if index < len(row) else "" for row in block]
            parts.setdefault(name, []).append(_parse_column(name, rows, cells, line_numbers, source, layout.decimal))
    columns = [concat_columns(name, pieces) for name, pieces in parts.items()]
    return columns, np.concatenate(lines) if lines else np.empty(0, np.int64)


def _parse_column(
    name: str, rows: NDArray[np.int32], texts: list[str], lines: NDArray[np.int64], source: Source, decimal: str
) -> Column:
    column, errors = parse_column(name, rows, texts, decimal)
    for row, reason in errors.items():
        source.skip(int(lines[row - rows[0]]), f"in column {name}, {reason}")
    if column.texts is not None and normalize_name(name) not in TEXT_COLUMNS and f"text in {name}" not in source.state:
        source.state[f"text in {name}"] = True
        source.skip(None, f"{name!r} holds text, not numbers")
    return column


def _iter_blocks(
    text: bytes, source: Source, layout: Layout, names: list[str]
) -> Iterator[tuple[list[list[str]], NDArray[np.int64]]]:
    """Rows of cells in the order of ``names``, which grows when a later header brings new columns."""
    rows: list[list[str]] = []
    lines: list[int] = []
    order = list(range(len(names)))
    stream = io.BytesIO(text)
    for line_number, raw in enumerate(stream, 1):
        line = raw.decode("utf-8", errors="replace").rstrip("\n")
        if not line.strip() or is_rule(line):
            continue
        if line.lstrip().startswith(("#", "//")):
            source.skip(line_number, "a comment")
            continue
        if line_number <= layout.header_lines:
            if line_number < layout.header_lines:
                source.skip(line_number, "it stands before the header")
            continue
        cells = split_cells(line, layout.separator)
        while len(cells) > len(order) and not cells[-1].strip():
            cells.pop()
        if header := _repeated_header(cells, names, layout.decimal):
            source.skip(line_number, "the header again")
            names += [name for name in header if name not in names]
            order = [names.index(name) for name in header]
            source.state["layout"] = layout._replace(names=header, header_lines=0)
        elif len(cells) != len(order) or _HALF_NUMBER.search(raw[-9:]):
            cut = not raw.endswith(b"\n")
            reason = "the last line is half written" if cut else _field_count_message(len(cells), len(order))
            source.skip(line_number, reason)
        elif not any(map(str.strip, cells)) or "\0" in line:
            source.skip(line_number, "it holds no numbers")
        else:
            row = [""] * len(names)
            for target, cell in zip(order, cells, strict=True):
                row[target] = cell
            rows.append(row)
            lines.append(line_number)
            if len(rows) == ROWS_PER_BLOCK:
                yield rows, np.array(lines)
                rows, lines = [], []
    if rows:
        yield rows, np.array(lines)


def _repeated_header(cells: list[str], names: list[str], decimal: str) -> list[str]:
    """The names in a line that is a header in the middle of the file, else nothing."""
    if len(cells) < 2 or len(set(cells) & set(names)) * 2 < len(cells) or any(is_number(c, decimal) for c in cells):
        return []
    return deduplicate(cells)


def _field_count_message(count: int, expected: int) -> str:
    return f"it has {count} field{'s' if count != 1 else ''} instead of {expected}"
