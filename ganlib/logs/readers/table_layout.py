"""The layout of a table from its first lines: separator, decimal mark, names."""

from __future__ import annotations

import csv
import re
from collections import Counter
from functools import lru_cache
from typing import NamedTuple

from ganlib.logs.readers.numerals import parse_number
from ganlib.logs.tags import STEP_NAMES, WALL_TIME_NAMES, axis_name

SEPARATORS = ("\t", ";", "|", ",", " ")
SAMPLE_LINES = 60  # that decide about the layout
MIN_NUMERIC_FRACTION = 0.9  # of the cells of a table without a header, or separated by blanks; else it is prose
_DOT = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?\.\d+(?:[eE][-+]?\d+)?")
_COMMA = re.compile(r"[-+]?(?:\d{1,3}(?:\.\d{3})+|\d*),\d+(?:[eE][-+]?\d+)?%?")
_CLOCK = re.compile(r"\s*\d{1,3}(?::[0-5]\d){1,2}(?:\.\d+)?\s*")  # of a column of times, of which a cell is no number
_RULE = re.compile(r"(?=.*[-=]{2})[\s|+:=-]+")  # between rows: "|---|---|", "+====+====+"
_BOX = {code: "-+"[code > 0x250B] for code in range(0x2500, 0x2580)} | dict.fromkeys([0x2502, 0x2503, 0x2551], "|")
_BOX |= dict.fromkeys([0x2504, 0x2505, 0x2508, 0x2509, 0x254C, 0x254D, 0x2550], "-")
_DAYS = re.compile(r"(\d+ days?), *(\d+:\d\d:\d\d)")  # Python's str(timedelta), which contains a comma


class Layout(NamedTuple):
    separator: str
    decimal: str
    names: list[str]
    header_lines: int  # before the first row: comments and the header


def plain_rules(text: str) -> str:
    """A table drawn with lines ("│ 1 │ 0.5 │") as one drawn with ASCII."""
    return text.translate(_BOX) if any(line in text for line in "│┃║") else text


def is_rule(line: str) -> bool:
    """Whether a line only parts two rows of a table."""
    return _RULE.fullmatch(line) is not None


@lru_cache(maxsize=4)  # when the format is found, and again when the file is read
def detect_layout(head: str) -> Layout | None:
    """The layout of a table from its first lines; None if they are no table."""
    lines = head.split("\n")
    if len(head) >= 2**16 - 8:
        lines.pop()  # cut by the sample's end
    all_lines = [(index, line) for index, line in enumerate(lines) if line.strip() and not is_rule(line)]
    all_lines = all_lines[: SAMPLE_LINES * 2]
    rows = [(index, line) for index, line in all_lines if not line.lstrip().startswith(("#", "//"))][:SAMPLE_LINES]
    best: tuple[float, Layout] | None = None
    for separator in SEPARATORS:
        split = [(index, split_cells(line, separator)) for index, line in rows]
        width = Counter(len(cells) for _, cells in split).most_common(1)[0][0] if split else 0
        if width < 2:
            continue
        regular = [(index, cells) for index, cells in split if len(cells) == width]
        for decimal in _decimal_marks(regular):
            if guess := _guess_layout(regular, all_lines, separator, decimal):
                fraction, layout = guess
                score = fraction * len(regular) / len(split)
                if best is None or score > best[0] + 1e-9:
                    best = score, layout
    if best and best[0] >= 0.25:
        return best[1]
    return _single_column_layout(rows)


def _decimal_marks(rows: list[tuple[int, list[str]]]) -> tuple[str, ...]:
    """The marks that the file's numbers may have, the likelier first: a comma, where there is one and no dot."""
    cells = [cell.strip() for _, row in rows for cell in row if "," in cell or "." in cell]
    if not any(_COMMA.fullmatch(cell) for cell in cells):
        return (".",)
    return (".", ",") if any(_DOT.fullmatch(cell) for cell in cells) else (",", ".")


def _guess_layout(
    regular: list[tuple[int, list[str]]], lines: list[tuple[int, str]], separator: str, decimal: str
) -> tuple[float, Layout] | None:
    numeric = [
        [is_number(cell, decimal) or _CLOCK.fullmatch(cell) is not None for cell in cells] for _, cells in regular
    ]
    first_line, first = regular[0]
    if any(numeric[0]):  # no header, unless a comment just above is one
        above = [line for index, line in lines if index < first_line and line.lstrip().startswith("#")]
        names = split_cells(above[-1].lstrip("# "), separator) if above else []
        if len(names) != len(first):
            names = [f"column {index}" for index in range(1, len(first) + 1)]
        body, header_lines = numeric, first_line
    else:
        names, body, header_lines = first, numeric[1:], first_line + 1
        if not body:  # a header alone: a run that just began, if it names an axis
            normalized = {axis_name(name) for name in names}
            has_axis = normalized & {*STEP_NAMES, *WALL_TIME_NAMES, "epoch"}
            return (1.0, Layout(separator, ".", deduplicate(names), header_lines)) if has_axis else None
    is_numeric = [cell for row in body for cell in row]
    fraction = sum(is_numeric) / len(is_numeric)
    if fraction < MIN_NUMERIC_FRACTION and (separator == " " or first_line == header_lines):
        return None
    return (fraction, Layout(separator, decimal, deduplicate(names), header_lines)) if fraction else None


def _single_column_layout(rows: list[tuple[int, str]]) -> Layout | None:
    """A table of one column: a name, and nothing but numbers below."""
    if len(rows) < 2 or is_number(rows[0][1], ".") or not all(is_number(line, ".") for _, line in rows[1:]):
        return None
    return Layout(",", ".", [rows[0][1].strip().strip("\"'")], rows[0][0] + 1)


def is_number(cell: str, decimal: str) -> bool:
    try:
        return parse_number(cell, decimal) is not None
    except ValueError:
        return False


def split_cells(line: str, separator: str) -> list[str]:
    if separator == " ":
        return line.split()
    if "day" in line:
        line = _DAYS.sub(r"\1 \2", line)
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True))
    except (csv.Error, StopIteration):
        return []


def deduplicate(names: list[str]) -> list[str]:
    counts: Counter[str] = Counter()
    result = []
    for name in names:
        name = name.strip() or "unnamed"
        result.append(f"{name}.{counts[name]}" if counts[name] else name)
        counts[name] += 1
    return result
