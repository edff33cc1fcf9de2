"""Files that hold one scalar."""

from __future__ import annotations

import numpy as np

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.columns import Column, columns_to_scalars
from ganlib.logs.readers.source import Source


def rows_to_scalars(rows: list[tuple[int, float, float, float]], tag: str, source: Source) -> list[Scalars]:
    """``rows`` of line number, step, wall time and value; NaN where step or time is unknown."""
    table = np.array(rows, np.float64).reshape(-1, 4)
    row = np.arange(len(table), dtype=np.int32)
    columns = []
    for name, values in zip(("step", "wall_time", tag), table.T[1:], strict=True):
        known = ~np.isnan(values) if name != tag else np.ones(len(values), bool)
        columns.append(Column(name, row[known], values[known]))
    return columns_to_scalars(columns, table[:, 0].astype(np.int64), source)
