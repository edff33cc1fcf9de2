"""Apache Parquet: trackio's export, Weights & Biases' history, tables of pandas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.columns import Column, columns_to_scalars, parse_column
from ganlib.logs.readers.source import Source
from ganlib.parquet_pages import MAGIC, page_sizes

MAX_CELLS = 50_000_000
MAX_BYTES = 8 * MAX_CELLS  # unpacked


def matches(data: bytes, path: Path) -> bool:
    return data.startswith(MAGIC)


def read(_: bytes, source: Source) -> list[Scalars]:
    """Columns of numbers as curves; those of text name the runs and scalars as in any table."""
    try:
        import pyarrow as arrow
        import pyarrow.parquet
    except ImportError:
        raise source.error("Parquet needs pyarrow: pip install pyarrow") from None
    try:
        with arrow.parquet.ParquetFile(source.path) as file:
            rows, width = file.metadata.num_rows, file.metadata.num_columns
            if rows * width > MAX_CELLS:
                raise source.error(f"it holds {rows:,} rows of {width:,}; at most {MAX_CELLS:,} cells are read")
            if (size := sum(page_sizes(source.path))) > MAX_BYTES:
                raise source.error(f"it unpacks to {size / 1e6:,.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB are read")
            table = file.read()
            columns = [
                column
                for name, cells in zip(table.column_names, table.columns, strict=True)
                if (column := _to_column(str(name), cells, source))
            ]
    except (arrow.ArrowException, OSError, ValueError) as error:
        raise source.error(f"it is damaged ({str(error).splitlines()[0][:100]})") from None
    return columns_to_scalars(columns, np.arange(1, table.num_rows + 1), source)


def _to_column(name: str, cells: Any, source: Source) -> Column | None:
    """A column of numbers, times or text without its empty cells; None for other types."""
    from pyarrow import compute, types

    row = np.flatnonzero(compute.is_valid(cells).to_numpy()).astype(np.int32)
    cells, kind = cells.drop_null(), cells.type
    if types.is_dictionary(kind):
        cells, kind = cells.cast(kind.value_type), kind.value_type
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_boolean(kind):
        return Column(name, row, np.asarray(cells.cast("float64").to_numpy(), np.float64))
    if types.is_timestamp(kind):
        return Column(name, row, cells.cast("timestamp[ns]").cast("int64").to_numpy() / 1e9)
    if types.is_string(kind) or types.is_large_string(kind):
        column, errors = parse_column(name, row, cells.to_pylist())
        for index, reason in errors.items():
            source.skip(index + 1, f"in column {name}, {reason}")
        return column
    source.skip(None, f"{name!r} holds {kind}, not numbers")
    return None
