"""CSV and its relatives: a column per scalar, or a row per scalar with its tag beside it."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.columns import WORDED, Column, column_of, joined, scalars_of
from ganlib.logs.readers.source import MISSING, Source, number
from ganlib.logs.tags import STEPS, WALLS, plain

SEPARATORS = ("\t", ";", "|", ",", " ")
SAMPLE = 60  # lines that decide about the layout
MOSTLY = 0.9  # share of numbers without which what has no header, or only blanks between words, is a text
ROWS = 4_000  # of a dirty file that are text at one time
_DAYS = re.compile(r"(\d+ days?), *(\d+:\d\d:\d\d)")  # Python's own way to print a long time
_NAN = re.compile(rb"nan", re.IGNORECASE)


class Layout(NamedTuple):
    separator: str
    decimal: str
    names: list[str]
    before: int  # lines up to the first row, with the header


def matches(head: str, path: Path) -> bool:
    return sniff(head) is not None


def read(text: bytes, source: Source) -> list[Scalars]:
    layout = source.memory.get("layout") or sniff(text[: 2**16].decode("utf-8", errors="replace"))
    if layout is None:
        raise source.error("its lines are no table of numbers under names")
    source.memory["layout"] = layout._replace(before=0)
    start = 0
    for _ in range(layout.before):
        start = text.find(b"\n", start) + 1 or len(text)
    table = _clean(text, start, source, layout) or _dirty(text, source, layout)
    return scalars_of(*table, source)


def sniff(head: str) -> Layout | None:
    """The layout of a table from its first lines; None if they are none."""
    lines = head.split("\n")
    if len(head) >= 2**16 - 8:
        lines.pop()  # cut by the sample's end
    kept = [(place, line) for place, line in enumerate(lines) if line.strip()][: SAMPLE * 2]
    rows = [(place, line) for place, line in kept if not line.lstrip().startswith(("#", "//"))][:SAMPLE]
    best: tuple[float, Layout] | None = None
    for separator in SEPARATORS:
        split = [(place, _split(line, separator)) for place, line in rows]
        width = Counter(len(cells) for _, cells in split).most_common(1)[0][0] if split else 0
        if width < 2:
            continue
        regular = [(place, cells) for place, cells in split if len(cells) == width]
        for decimal in (".", ",") if separator != "," else (".",):
            if found := _layout(regular, kept, separator, decimal):
                share, layout = found
                score = share * len(regular) / len(split)
                if best is None or score > best[0] + 1e-9:
                    best = score, layout
    if best and best[0] >= 0.25:
        return best[1]
    return _single(rows)


def _layout(
    regular: list[tuple[int, list[str]]], kept: list[tuple[int, str]], separator: str, decimal: str
) -> tuple[float, Layout] | None:
    numeric = [[_numeric(cell, decimal) for cell in cells] for _, cells in regular]
    place, first = regular[0]
    if any(numeric[0]):  # no header, unless a comment just above is one
        above = [line for other, line in kept if other < place and line.lstrip().startswith("#")]
        names = _split(above[-1].lstrip("# "), separator) if above else []
        if len(names) != len(first):
            names = [f"column {index}" for index in range(1, len(first) + 1)]
        body, before = numeric, place
    else:
        names, body, before = first, numeric[1:], place + 1
        if not body:  # a header alone: a run that just began, if it says what it counts
            known = {plain(name) for name in names}
            return (1.0, Layout(separator, ".", _unique(names), before)) if known & {*STEPS, *WALLS, "epoch"} else None
    filled = [cell for row in body for cell in row]
    share = sum(filled) / len(filled)
    if share < MOSTLY and (separator == " " or place == before):
        return None
    return (share, Layout(separator, decimal, _unique(names), before)) if share else None


def _single(rows: list[tuple[int, str]]) -> Layout | None:
    """A table of one column: a name, and nothing but numbers below."""
    if len(rows) < 2 or _numeric(rows[0][1], ".") or not all(_numeric(line, ".") for _, line in rows[1:]):
        return None
    return Layout(",", ".", [rows[0][1].strip().strip("\"'")], rows[0][0] + 1)


def _numeric(cell: str, decimal: str) -> bool:
    try:
        return number(cell, decimal) is not None
    except ValueError:
        return False


def _split(line: str, separator: str) -> list[str]:
    if separator == " ":
        return line.split()
    if "day" in line:
        line = _DAYS.sub(r"\1 \2", line)
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True))
    except (csv.Error, StopIteration):
        return []


def _unique(names: list[str]) -> list[str]:
    seen: Counter[str] = Counter()
    result = []
    for name in names:
        name = name.strip() or "unnamed"
        result.append(f"{name}.{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return result


def _clean(text: bytes, start: int, source: Source, layout: Layout) -> tuple[list[Column], NDArray[np.int64]] | None:
    """The columns by pandas' parser; None if a line needs a closer look."""
    separator, width = layout.separator.encode(), len(layout.names)
    if layout.separator == " " or any(text.find(mark, max(start - 1, 0)) >= 0 for mark in (b'"', b"#", b"\n\n", b"\0")):
        return None
    count = text.count(b"\n", start)
    end = text.rfind(b"\n", start) + 1 or start
    cut = end < len(text) and text.count(separator, end) != width - 1
    count += end < len(text) and not cut
    stream = io.BytesIO(text)
    stream.seek(start)
    if not count or {line.count(separator) for line in islice(stream, count)} != {width - 1}:
        return None

    def parsed(**more: Any) -> pd.DataFrame:
        stream.seek(start)
        return pd.read_csv(
            stream, sep=layout.separator, decimal=layout.decimal, header=None, nrows=count, skip_blank_lines=False,
            skipinitialspace=True, quoting=csv.QUOTE_NONE, **more,
        )  # fmt: skip

    missing = sorted(MISSING)
    try:
        try:
            wide = parsed(na_values=missing, dtype=np.float64)
        except ValueError:  # a column of words, which has to be seen whole
            wide = parsed(na_values=missing, low_memory=False)
        gaps = [gap for gap in range(width) if wide.dtypes.iloc[gap].kind == "f" and wide.iloc[:, gap].isna().any()]
        said = {}
        if gaps and _NAN.search(text, start):  # a NaN that was logged, and not a blank
            for gap in gaps:
                cells = parsed(usecols=[gap], dtype="str", keep_default_na=False)[gap]
                said[gap] = cells.str.strip().str.lower().isin(["nan", "-nan", "+nan"])
    except (ValueError, OverflowError):  # pandas' parser errors are ValueErrors too
        return None
    if len(wide) != count:
        return None
    if cut:
        source.skip(layout.before + count + 1, "the last line is half written")
    lines = np.arange(layout.before + 1, layout.before + 1 + count)
    every = np.arange(count, dtype=np.int32)
    columns = []
    for place, name in enumerate(layout.names):
        cells = wide.iloc[:, place]
        if cells.dtype.kind in "fiub":
            value = cells.to_numpy(np.float64)
            logged = ~np.isnan(value)
            if place in said:
                logged |= said[place].to_numpy()
            columns.append(Column(name, every, value) if logged.all() else Column(name, every[logged], value[logged]))
        else:
            codes, words = pd.factorize(cells.fillna("").astype(str))  # few words, each once in memory
            texts = np.array(words, dtype=object)[codes].tolist()
            columns.append(_column(name, every, texts, lines, source, layout.decimal))
    return columns, lines


def _dirty(text: bytes, source: Source, layout: Layout) -> tuple[list[Column], NDArray[np.int64]]:
    """The columns line by line; what cannot be used is skipped."""
    names = list(layout.names)
    parts: dict[str, list[Column]] = {}
    lines: list[NDArray[np.int64]] = []
    end = 0
    for block, places in _blocks(text, source, layout, names):
        rows = np.arange(end, end + len(block), dtype=np.int32)
        end += len(block)
        lines.append(places)
        for place, name in enumerate(names):
            # Rows before a later header that brought new columns are shorter.
            cells = [row[place] if place < len(row) else "" for row in block]
            parts.setdefault(name, []).append(_column(name, rows, cells, places, source, layout.decimal))
    columns = [joined(name, pieces) for name, pieces in parts.items()]
    return columns, np.concatenate(lines) if lines else np.empty(0, np.int64)


def _column(
    name: str, rows: NDArray[np.int32], texts: list[str], lines: NDArray[np.int64], source: Source, decimal: str
) -> Column:
    column, failed = column_of(name, rows, texts, decimal)
    for row, reason in failed.items():
        source.skip(int(lines[row - rows[0]]), f"in column {name}, {reason}")
    if column.texts is not None and plain(name) not in WORDED and f"words in {name}" not in source.memory:
        source.memory[f"words in {name}"] = True
        source.skip(None, f"{name!r} holds words, not numbers")
    return column


def _blocks(
    text: bytes, source: Source, layout: Layout, names: list[str]
) -> Iterator[tuple[list[list[str]], NDArray[np.int64]]]:
    """Rows of cells in the order of ``names``, which grows when a later header brings new columns."""
    rows: list[list[str]] = []
    lines: list[int] = []
    order = list(range(len(names)))
    stream = io.BytesIO(text)
    for place, raw in enumerate(stream, 1):
        line = raw.decode("utf-8", errors="replace").rstrip("\n")
        if not line.strip():
            continue
        if line.lstrip().startswith(("#", "//")):
            source.skip(place, "a comment")
            continue
        if place <= layout.before:
            if place < layout.before:
                source.skip(place, "it stands before the header")
            continue
        cells = _split(line, layout.separator)
        while len(cells) > len(order) and not cells[-1].strip():
            cells.pop()
        if header := _header(cells, names, layout.decimal):
            source.skip(place, "the header again")
            names += [name for name in header if name not in names]
            order = [names.index(name) for name in header]
            source.memory["layout"] = layout._replace(names=header, before=0)
        elif len(cells) != len(order):
            cut = not raw.endswith(b"\n")
            source.skip(place, "the last line is half written" if cut else _fields(len(cells), len(order)))
        elif not any(map(str.strip, cells)) or "\0" in line:
            source.skip(place, "it holds no numbers")
        else:
            row = [""] * len(names)
            for target, cell in zip(order, cells, strict=True):
                row[target] = cell
            rows.append(row)
            lines.append(place)
            if len(rows) == ROWS:
                yield rows, np.array(lines)
                rows, lines = [], []
    if rows:
        yield rows, np.array(lines)


def _header(cells: list[str], names: list[str], decimal: str) -> list[str]:
    """The names in a line that is a header in the middle of the file, else nothing."""
    if len(cells) < 2 or len(set(cells) & set(names)) * 2 < len(cells) or any(_numeric(c, decimal) for c in cells):
        return []
    return _unique(cells)


def _fields(found: int, expected: int) -> str:
    return f"it has {found} field{'s' if found != 1 else ''} instead of {expected}"
