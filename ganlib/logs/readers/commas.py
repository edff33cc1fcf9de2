"""Commas between digits in prose: "0,893", "1,000" or "0.5,0.6". The file's own numbers say which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ganlib.logs.readers.numerals import parse_duration
from ganlib.logs.readers.shapes import Field
from ganlib.logs.readers.source import Source

AMBIGUOUS = "the commas of its numbers may set off decimals or thousands"


class CommaNumbers:
    """What a comma means in a file; a follower keeps it in the state of its source."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._state = source.state.setdefault("commas", {"dot": False, "decimal": False})
        self._before = dict(self._state)

    def add(self, lines: Sequence[Sequence[str]], fields: Sequence[Field]) -> None:
        """Take the numbers of lines of one shape as evidence."""
        self.see_dots(lines, fields)
        for scalar in fields:
            if scalar.kind == "commas" and scalar.length == 2:
                for texts in lines:
                    whole, decimals = texts[scalar.number], texts[scalar.number + 1]
                    if _is_decimal(whole, decimals) and not _is_grouped([whole, decimals]):
                        self._state["decimal"] = True

    def see_dots(self, lines: Sequence[Sequence[str]], fields: Sequence[Field]) -> None:
        if not self._state["dot"]:
            numbers = [scalar.number for scalar in fields if scalar.kind == "number"]
            self._state["dot"] = any("." in texts[number] for texts in lines for number in numbers)

    def convert(
        self, lines: Sequence[Sequence[str]], scalar: Field
    ) -> tuple[NDArray[np.float64], list[tuple[int, str]]]:
        """(lines,) values of a scalar written with commas or as a time; and which lines have none, and why."""
        values, wrong = np.full(len(lines), np.nan), []
        if scalar.kind == "commas":
            if self._source.state.get("has commas") and self._state != self._before:
                self._source.state["read again"] = True  # earlier lines were read with less evidence
            self._source.state["has commas"] = True
        for index, texts in enumerate(lines):
            parts = list(texts[scalar.number : scalar.number + scalar.length])
            try:
                values[index] = _to_seconds(parts) if scalar.kind == "time" else self._to_number(parts)
            except ValueError as error:
                wrong.append((index, f"in {scalar.name}, {error}"))
        return values, wrong

    def _to_number(self, parts: list[str]) -> float:
        if self._state["dot"]:
            if _is_grouped(parts):
                return float("".join(parts))
        elif len(parts) == 2 and _is_decimal(*parts):
            if self._state["decimal"]:
                return float(".".join(parts))
            raise ValueError(AMBIGUOUS)
        raise ValueError(f"{','.join(parts)[:40]!r} is no number")


def _is_decimal(whole: str, decimals: str) -> bool:
    return whole.lstrip("+-").isdecimal() and decimals[:1].isdecimal() and "." not in decimals


def _is_grouped(parts: list[str]) -> bool:
    """Whether the parts are groups of thousands."""
    first, last = parts[0].lstrip("+-"), parts[-1].partition(".")[0]
    groups = [*parts[1:-1], last]
    return (
        first.isdecimal() and len(first) <= 3 and first[0] != "0" and all(len(g) == 3 and g.isdecimal() for g in groups)
    )


def _to_seconds(parts: list[str]) -> float:
    if len(parts) == 4:
        return parse_duration(f"{parts[0]} days {':'.join(parts[1:])}")
    return parse_duration(":".join(parts if len(parts) == 3 else ["0", *parts]))
