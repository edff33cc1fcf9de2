"""Dicts, one per row, nested or not -> columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.columns import (
    MAX_NAMES,
    Column,
    columns_to_scalars,
    concat_columns,
    numbers_or_texts,
    parse_column,
)
from ganlib.logs.readers.source import Source

MAX_LIST = 16  # numbers in a list that are scalars of their own


class RecordTable:
    """Columns from records that are added one block after the other; keys of nested records are joined by "/"."""

    def __init__(self) -> None:
        self.rows = 0
        self.left_out = 0  # keys after the first ``MAX_NAMES``
        self._parts: dict[str, list[Column]] = {}
        self.errors: dict[int, str] = {}  # by row

    def add(self, records: list[dict[str, Any]]) -> None:
        rows = np.arange(self.rows, self.rows + len(records), dtype=np.int32)
        self.rows += len(records)
        self._add_records(records, rows, "")

    def columns(self) -> list[Column]:
        columns = []
        for name, parts in self._parts.items():
            parts, errors = numbers_or_texts(name, parts)
            self.errors |= {row: f"in {name}, {reason}" for row, reason in errors.items()}
            column = concat_columns(name, parts)
            order = np.argsort(column.row, kind="stable")
            if column.texts is None:
                columns.append(Column(name, column.row[order], column.value[order]))
            else:
                columns.append(column._replace(row=column.row[order], texts=[column.texts[i] for i in order]))
        return columns

    def _add_records(self, records: list[dict[str, Any]], rows: NDArray[np.int32], prefix: str) -> None:
        by_keys: dict[tuple[str, ...], list[int]] = {}
        for index, record in enumerate(records):
            by_keys.setdefault(tuple(record), []).append(index)
        for keys, indices in by_keys.items():
            every = len(indices) == len(records)
            alike = records if every else [records[index] for index in indices]
            for key in keys:
                if f"{prefix}{key}" not in self._parts and len(self._parts) >= MAX_NAMES:
                    self.left_out += 1
                    continue
                self._add_values(f"{prefix}{key}", [record[key] for record in alike], rows if every else rows[indices])

    def _add_values(self, name: str, values: list[Any], rows: NDArray[np.int32]) -> None:
        types = set(map(type, values))
        if types <= {float, int}:
            try:
                self._parts.setdefault(name, []).append(Column(name, rows, np.array(values, np.float64)))
                return
            except OverflowError:  # an integer beyond any float
                values = [float("inf") if abs(value) > 1e308 else value for value in values]
                self._add_values(name, values, rows)
                return
        if list in types:
            self._add_lists(name, values, rows)
        for kind in types - {type(None), list, bool}:
            indices = [index for index, value in enumerate(values) if type(value) is kind]
            typed, typed_rows = [values[index] for index in indices], rows[indices]
            if kind is dict:
                self._add_nested(name, typed, typed_rows)
            elif kind is str:
                column, errors = parse_column(name, typed_rows, typed)
                self.errors |= {row: f"in {name}, {reason}" for row, reason in errors.items()}
                self._parts.setdefault(name, []).append(column)
            else:
                self._add_values(name, typed, typed_rows)

    def _add_lists(self, name: str, values: list[Any], rows: NDArray[np.int32]) -> None:
        """ "D_A": [0.1, 0.2] as a scalar for each place in the list; a longer list is told of."""
        if name.endswith(("/bins", "/values", "/packedBins/values")):  # of Weights & Biases' histograms
            return
        places: dict[int, list[tuple[int, Any]]] = {}
        for row, value in zip(rows.tolist(), values, strict=True):
            if type(value) is not list:
                continue
            if len(value) > MAX_LIST:
                self.errors[row] = f"{name} is a list of {len(value):,}"
                continue
            for place, item in enumerate(value):
                if type(item) in (int, float):
                    places.setdefault(place, []).append((row, item))
        for place, items in places.items():
            self._add_values(
                f"{name}/{place}", [item for _, item in items], np.array([row for row, _ in items], np.int32)
            )

    def _add_nested(self, name: str, values: list[dict[str, Any]], rows: NDArray[np.int32]) -> None:
        if all("mean" in value and "num" in value for value in values):  # of NVIDIA's training_stats
            self._add_values(name, [value["mean"] for value in values], rows)
        # Weights & Biases logs histograms, images, tables and its own state beside scalars.
        elif name != "_wandb" and not any("_type" in value for value in values):
            self._add_records(values, rows, f"{name}/")


def records_to_scalars(records: list[dict[str, Any]], lines: list[int], source: Source) -> list[Scalars]:
    """The scalars of records that stand at these lines of the file."""
    table = RecordTable()
    table.add(records)
    return table_to_scalars(table, lines, source)


def table_to_scalars(table: RecordTable, lines: list[int], source: Source, run: str = "") -> list[Scalars]:
    """The scalars of a table whose rows stand at these lines of the file; unusable values are skipped."""
    columns = table.columns()
    if table.left_out:
        source.skip(None, f"{table.left_out:,} more keys than the first {MAX_NAMES:,}")
    for row, reason in table.errors.items():
        source.skip(lines[row], reason)
    return columns_to_scalars(columns, np.array(lines, np.int64), source, run)
