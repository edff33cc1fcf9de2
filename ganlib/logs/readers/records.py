"""Dicts, one per row, nested or not -> columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.columns import Column, column_of, joined, scalars_of
from ganlib.logs.readers.source import Source


class Table:
    """Takes records as they come; a key that only some have is a column with blanks."""

    def __init__(self) -> None:
        self.rows = 0
        self._parts: dict[str, list[Column]] = {}
        self.failed: dict[int, str] = {}  # row -> what could not be used there

    def add(self, records: list[dict[str, Any]]) -> None:
        rows = np.arange(self.rows, self.rows + len(records), dtype=np.int32)
        self.rows += len(records)
        self._add(records, rows, "")

    def columns(self) -> list[Column]:
        columns = []
        for name, parts in self._parts.items():
            column = joined(name, parts)
            order = np.argsort(column.row, kind="stable")
            if column.texts is None:
                columns.append(Column(name, column.row[order], column.value[order]))
            else:
                columns.append(column._replace(row=column.row[order], texts=[column.texts[i] for i in order]))
        return columns

    def _add(self, records: list[dict[str, Any]], rows: NDArray[np.int32], head: str) -> None:
        by_keys: dict[tuple[str, ...], list[int]] = {}
        for place, record in enumerate(records):
            by_keys.setdefault(tuple(record), []).append(place)
        for keys, places in by_keys.items():
            whole = len(places) == len(records)
            chosen = records if whole else [records[place] for place in places]
            for key in keys:
                values = [record[key] for record in chosen]
                self._column(f"{head}{key}", values, rows if whole else rows[places])

    def _column(self, name: str, values: list[Any], rows: NDArray[np.int32]) -> None:
        kinds = set(map(type, values))
        if kinds <= {float, int}:
            try:
                self._parts.setdefault(name, []).append(Column(name, rows, np.array(values, np.float64)))
                return
            except OverflowError:  # an integer beyond any float
                values = [float("inf") if abs(value) > 1e308 else value for value in values]
                self._column(name, values, rows)
                return
        for kind in kinds - {type(None), list, bool}:
            places = [place for place, value in enumerate(values) if type(value) is kind]
            chosen, where = [values[place] for place in places], rows[places]
            if kind is dict:
                self._nested(name, chosen, where)
            elif kind is str:
                column, failed = column_of(name, where, chosen)
                self.failed |= {row: f"in {name}, {reason}" for row, reason in failed.items()}
                self._parts.setdefault(name, []).append(column)
            else:
                self._column(name, chosen, where)

    def _nested(self, name: str, values: list[dict[str, Any]], rows: NDArray[np.int32]) -> None:
        if all("mean" in value and "num" in value for value in values):  # of NVIDIA's training_stats
            self._column(name, [value["mean"] for value in values], rows)
        # What Weights & Biases keeps beside scalars: histograms, images, tables, and notes on itself.
        elif name != "_wandb" and not any("_type" in value for value in values):
            self._add(values, rows, f"{name}/")


def tabulated(records: list[dict[str, Any]], lines: list[int], source: Source) -> list[Scalars]:
    """The scalars of records that a reader found at these lines of a text."""
    table = Table()
    table.add(records)
    columns = table.columns()
    for row, reason in table.failed.items():
        source.skip(lines[row], reason)
    return scalars_of(columns, np.array(lines, np.int64), source)
