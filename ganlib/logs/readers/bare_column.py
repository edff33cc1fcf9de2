"""A file of numbers alone, one a line, as ``numpy.savetxt`` writes an array: one curve along the lines."""

from __future__ import annotations

import re
from pathlib import Path

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.numerals import parse_number
from ganlib.logs.readers.single_scalar import rows_to_scalars
from ganlib.logs.readers.source import Source, iter_lines
from ganlib.logs.tags import canonical_tag

MIN_LINES = 3
_NUMBER = re.compile(r"\s*[-+]?(?:\d+(?:[.,]\d*)?(?:e[-+]?\d+)?|[.,]\d+|nan|inf)\s*", re.IGNORECASE)


def matches(head: str, path: Path) -> bool:
    """Whether every line is a number; whole numbers, such as labels or seeds, only under the name of a scalar."""
    lines = [line for line in head.split("\n") if line.strip() and not line.startswith("#")]
    if len(head) >= 2**16 - 8:
        lines.pop()  # cut by the sample's end
    if len(lines) < MIN_LINES or not all(map(_NUMBER.fullmatch, lines)):
        return False
    return (
        not all(line.strip().lstrip("-+").isdecimal() for line in lines) or canonical_tag(path.stem).name != path.stem
    )


def read(text: bytes, source: Source) -> list[Scalars]:
    decimal = "," if b"," in text and b"." not in text else "."
    rows: list[tuple[int, float, float, float]] = []
    row = int(source.state.get("rows", 0))
    for number, line, _ in iter_lines(text):
        if line.startswith("#"):
            source.skip(number, "a comment")
            continue
        try:
            value = parse_number(line, decimal)
        except ValueError as error:
            source.skip(number, str(error))
            continue
        if value is not None:
            rows.append((number, float(row), float("nan"), value))
            row += 1
    source.state["rows"] = row
    return rows_to_scalars(rows, source.path.stem, source)
