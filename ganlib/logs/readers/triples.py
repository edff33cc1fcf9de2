"""Files of one scalar: its rows as a table of their own."""

from __future__ import annotations

import numpy as np

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.columns import Column, scalars_of
from ganlib.logs.readers.source import Source


def scalars_of_rows(rows: list[tuple[int, float, float, float]], tag: str, source: Source) -> list[Scalars]:
    """``rows`` of line, step, wall time and value; NaN where step or time is unknown."""
    table = np.array(rows, np.float64).reshape(-1, 4)
    place = np.arange(len(table), dtype=np.int32)
    columns = []
    for name, values in zip(("step", "wall_time", tag), table.T[1:], strict=True):
        kept = ~np.isnan(values) if name != tag else np.ones(len(values), bool)
        columns.append(Column(name, place[kept], values[kept]))
    return scalars_of(columns, table[:, 0].astype(np.int64), source)
