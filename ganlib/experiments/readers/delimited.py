"""CSV and its relatives: a column per scalar, or a row per scalar with its tag beside it."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ganlib.experiments.frame import Scalars
from ganlib.experiments.readers.cells import Cells, scalars
from ganlib.experiments.readers.source import MISSING, Source, date, number
from ganlib.experiments.tags import RUNS, SPLITS, STEPS, TAGS, VALUES, WALLS, plain

SEPARATORS = ("\t", ";", "|", ",", " ")
SAMPLE = 60  # lines that decide about the layout
ROWS = 20_000  # of a dirty file that are text at one time
_DAYS = re.compile(r"(\d+ days?), *(\d+:\d\d:\d\d)")  # Python's own way to print a long time
_NAN = re.compile(rb"nan", re.IGNORECASE)


class Layout(NamedTuple):
    separator: str
    decimal: str
    names: list[str]
    before: int  # lines up to the first row, with the header


class Column(NamedTuple):
    name: str
    value: NDArray[np.float64]
    logged: NDArray[np.bool_]
    texts: list[str] | None = None  # of a column that holds no numbers


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
    table = _clean(text[start:], source, layout) or _dirty(text, source, layout)
    return [scalars(cells, source) for cells in _tables(*table, source) if len(cells.lines)]


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


def _clean(body: bytes, source: Source, layout: Layout) -> tuple[list[Column], NDArray[np.int64]] | None:
    """The columns by pandas' parser; None if a line needs a closer look."""
    separator, width = layout.separator.encode(), len(layout.names)
    if layout.separator == " " or b'"' in body or b"#" in body or b"\n\n" in body or b"\0" in body:
        return None
    count = body.count(b"\n")
    end = body.rfind(b"\n") + 1
    if end < len(body):
        if body.count(separator, end) == width - 1:
            count, end = count + 1, len(body)
        else:
            source.skip(layout.before + count + 1, "the last line is half written")
            body = body[:end]
    if not count or {line.count(separator) for line in io.BytesIO(body)} != {width - 1}:
        return None
    options: dict[str, Any] = {
        "sep": layout.separator,
        "decimal": layout.decimal,
        "header": None,
        "skip_blank_lines": False,
        "skipinitialspace": True,
        "quoting": csv.QUOTE_NONE,
    }
    try:
        wide = pd.read_csv(io.BytesIO(body), na_values=sorted(MISSING), low_memory=False, **options)
        gaps = [place for place in wide.columns if wide[place].dtype.kind == "f" and wide[place].isna().any()]
        said = {}
        if gaps and _NAN.search(body):  # a NaN that was logged, and not a blank
            texts = pd.read_csv(io.BytesIO(body), usecols=gaps, dtype="str", keep_default_na=False, **options)
            said = {place: texts[place].str.strip().str.lower().isin(["nan", "-nan", "+nan"]) for place in gaps}
    except (ValueError, OverflowError):  # pandas' parser errors are ValueErrors too
        return None
    if len(wide) != count:
        return None
    lines = np.arange(layout.before + 1, layout.before + 1 + count)
    columns = []
    for place, name in enumerate(layout.names):
        cells = wide.pop(place)
        if cells.dtype.kind in "fiub":
            value = cells.to_numpy(np.float64)
            logged = ~np.isnan(value)
            columns.append(Column(name, value, logged | said[place].to_numpy() if place in said else logged))
        else:
            columns.append(_column(name, cells.fillna("").astype(str).tolist(), lines, source, layout.decimal))
    return columns, lines


def _dirty(text: bytes, source: Source, layout: Layout) -> tuple[list[Column], NDArray[np.int64]]:
    """The columns line by line; what cannot be used is skipped."""
    names = list(layout.names)
    parts: list[tuple[list[Column], NDArray[np.int64]]] = []
    worded: set[str] = set()
    for block, lines in _blocks(text, source, layout, names):
        # zip stops at the shorter one: rows before a header that brought new columns lack these.
        width = max(map(len, block))
        columns = [[row[place] if place < len(row) else "" for row in block] for place in range(width)]
        made = [
            _column(name, cells, lines, source, layout.decimal, name in worded)
            for name, cells in zip(names, columns, strict=False)
        ]
        worded |= {column.name for column in made if column.texts is not None}
        parts.append((made, lines))
    if not parts:
        return [], np.empty(0, np.int64)
    result = []
    for name in names:
        pieces = []
        for made, lines in parts:
            blank = Column(name, np.full(len(lines), np.nan), np.zeros(len(lines), bool))
            pieces.append(next((column for column in made if column.name == name), blank))
        texts = (
            [text for piece in pieces for text in piece.texts or [""] * len(piece.value)] if name in worded else None
        )
        value = np.concatenate([piece.value for piece in pieces])
        result.append(Column(name, value, np.concatenate([piece.logged for piece in pieces]), texts))
    return result, np.concatenate([lines for _, lines in parts])


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


def _column(
    name: str, texts: list[str], lines: NDArray[np.int64], source: Source, decimal: str, worded: bool = False
) -> Column:
    value, logged = np.full(len(texts), np.nan), np.zeros(len(texts), bool)
    dated = plain(name) in WALLS
    failed = []
    for place, text in enumerate(texts):
        try:
            cell = number(text, decimal)
        except ValueError as error:
            try:
                cell = date(text) if dated else None
            except ValueError:
                cell = None
            if cell is None:
                failed.append((place, str(error)))
        if cell is not None:
            value[place], logged[place] = cell, True
    role = plain(name) in {*TAGS, *RUNS, *SPLITS}
    if worded or len(failed) > logged.sum() or (role and failed):
        return Column(name, value, np.zeros(len(texts), bool), texts)
    for place, reason in failed:
        source.skip(int(lines[place]), f"in column {name}, {reason}")
    return Column(name, value, logged)


def _tables(columns: list[Column], lines: NDArray[np.int64], source: Source) -> Iterator[Cells]:
    worded = {plain(column.name): column for column in columns if column.texts is not None}
    numbers = [column for column in columns if column.texts is None]
    tag = next((worded.pop(name) for name in TAGS if name in worded), None)
    value = next((column for name in VALUES for column in numbers if plain(column.name) == name), None)
    run = next((worded.pop(name) for name in RUNS if name in worded), None)
    split = next((worded.pop(name) for name in SPLITS if name in worded), None)
    for column in worded.values():
        source.skip(None, f"column {column.name} holds words, not numbers")
    prefixes = [_prefix(text) for text in split.texts or []] if split else [""] * len(lines)
    if tag and value:
        axes = [column for column in numbers if column is not value]
        keys = [prefix + text.strip() for prefix, text in zip(prefixes, tag.texts or [], strict=True)]
        numbers = [*axes, *_spread(value, keys)]
    else:
        if value and sum(column.logged.any() for column in numbers if not _axis(column.name)) == 1:
            numbers = [column._replace(name=_stem(source.path)) if column is value else column for column in numbers]
        if split:
            axes = [column for column in numbers if _axis(column.name)]
            rest = [column for column in numbers if not _axis(column.name)]
            numbers = [
                *axes,
                *(part for column in rest for part in _spread(column, [p + column.name for p in prefixes])),
            ]
    if run:
        runs = np.array([text.strip() for text in run.texts or []], dtype=object)
        for name in dict.fromkeys(runs):
            rows = runs == name
            chosen = [Column(column.name, column.value[rows], column.logged[rows]) for column in numbers]
            yield _cells(chosen, lines[rows], str(name))
    elif exported := [column for column in numbers if " - " in column.name]:  # by Weights & Biases: "run - tag"
        axes = [column for column in numbers if " - " not in column.name]
        for name in dict.fromkeys(column.name.rpartition(" - ")[0] for column in exported):
            own = [c._replace(name=c.name.rpartition(" - ")[2]) for c in exported if c.name.startswith(f"{name} - ")]
            yield _cells([*axes, *(c for c in own if not c.name.endswith(("__MIN", "__MAX")))], lines, name)
    else:
        yield _cells(numbers, lines)


def _spread(column: Column, keys: list[str]) -> Iterator[Column]:
    codes, names = pd.factorize(np.array(keys, dtype=object))
    for code, name in enumerate(names):
        yield Column(str(name), column.value, column.logged & (codes == code))


def _cells(columns: list[Column], lines: NDArray[np.int64], run: str = "") -> Cells:
    counts = [int(column.logged.sum()) for column in columns]
    code = np.repeat(np.arange(len(columns), dtype=np.int32), counts)
    row, value, end = np.empty(sum(counts), np.int32), np.empty(sum(counts)), 0
    for column, count in zip(columns, counts, strict=True):
        if count == len(lines):
            row[end : end + count], value[end : end + count] = np.arange(count), column.value
        else:
            row[end : end + count] = np.flatnonzero(column.logged)
            value[end : end + count] = column.value[column.logged]
        end += count
    return Cells([column.name for column in columns], code, row, value, lines, run)


def _prefix(split: str) -> str:
    return "" if split.strip().lower() in ("", "train", "training") else f"{split.strip()}/"


def _axis(name: str) -> bool:
    return plain(name) in {*STEPS, *WALLS, "epoch", "epochs", "batch", "images"}


def _stem(path: Path) -> str:
    """TensorBoard calls the CSV of one scalar "run-<run>-tag-<tag>.csv"."""
    return re.sub(r"^.*tag-", "", path.stem)
