"""Parquet files as the Hugging Face hub has them: a column of pictures, ``{bytes, path}`` or bytes, and one of labels.

By pyarrow, which streamlit installs as well; ``datasets`` itself reads them through it, and resumes a shuffled stream
only about where it was.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganlib.data.shards.labels import UNLABELLED, Label, number_of
from ganlib.data.shards.shard import Shard
from ganlib.errors import GanlibError
from ganlib.files import parse_json
from ganlib.parquet_pages import page_sizes

MEMORY = 2**29  # bytes of row groups that a process keeps
LARGEST_PAGE = MEMORY // 4  # pyarrow writes 1 MB, or a picture where that is more
LABELS = ("label", "labels", "fine_label", "class", "cls", "target")
FOOTER_END = 8  # bytes: the footer's length, and "PAR1"


def pyarrow_parquet() -> Any:
    """Imported only where such files are read: training needs it for nothing else."""
    try:
        import pyarrow.parquet
    except ImportError:
        raise GanlibError("Parquet files are read by pyarrow; install it: pip install 'ganlib[parquet]'.") from None
    return pyarrow.parquet


def scan_parquet(path: Path) -> Shard:
    """Footer and labels; pictures stay unread. Raises what pyarrow does where it is damaged."""
    with pyarrow_parquet().ParquetFile(path) as file:
        column = image_column(file.schema_arrow)
        if column is None:
            raise GanlibError(
                f"{path.name} has no column of pictures (its columns: {', '.join(file.schema_arrow.names[:10])}); one "
                "holds the files' bytes, as datasets writes images."
            )
        groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
        # Of all columns: to look at those of one, damaged statistics of it end the process (pyarrow 26).
        largest = max((group.total_byte_size for group in groups), default=0)
        if largest > MEMORY:
            raise GanlibError(
                f"A row group of {path.name} holds {largest / 1e6:,.0f} MB, and {MEMORY / 1e6:,.0f} MB are "
                "kept in memory; write it with a smaller row_group_size."
            )
        if (page := max(page_sizes(path), default=0)) > LARGEST_PAGE:
            raise GanlibError(
                f"A page of {path.name} unpacks to {page / 1e6:,.0f} MB, and at most {LARGEST_PAGE / 1e6:,.0f} MB are "
                "reserved for one; write it with a smaller data_page_size."
            )
        sizes = [group.num_rows for group in groups]
        return Shard(_labels(file), sizes, largest_part=largest, digest=_footer_digest(path))


def image_column(schema: Any) -> str | None:
    """The first column of ``{bytes, …}``, else the first of bytes."""
    from pyarrow import types

    def holds_bytes(kind: Any) -> bool:
        return types.is_binary(kind) or types.is_large_binary(kind)

    structs = [f.name for f in schema if types.is_struct(f.type) and f.type.get_field_index("bytes") >= 0]
    return next(iter([*structs, *(f.name for f in schema if holds_bytes(f.type))]), None)


def _labels(file: Any) -> list[Label]:
    from pyarrow import types

    schema = file.schema_arrow
    usable = [f.name for f in schema if types.is_integer(f.type) or types.is_string(f.type)]
    column = next((name for name in LABELS if name in usable), None)
    if column is None:
        return [UNLABELLED] * file.metadata.num_rows
    values = file.read(columns=[column]).column(0).to_pylist()
    names = _class_names(schema.metadata, column)
    return [_label(value, names) for value in values]


def _label(value: Any, names: Sequence[str]) -> Label:
    if isinstance(value, str):
        return Label(None, value or None)
    number = number_of(value)
    return Label(number, names[number] if number is not None and number < len(names) else None)


def _class_names(metadata: Any, column: str) -> list[str]:
    """Those that ``datasets`` stores in the schema; [] where there are none."""
    try:
        names = parse_json((metadata or {})[b"huggingface"])["info"]["features"][column]["names"]
        return [str(name) for name in names]
    except (KeyError, ValueError, TypeError):
        return []


def _footer_digest(path: Path) -> bytes:
    """The footer has rows, places, sizes and statistics of every column."""
    with path.open("rb") as file:
        end = file.seek(0, 2)
        file.seek(end - FOOTER_END)
        length = int.from_bytes(file.read(4), "little")
        file.seek(end - FOOTER_END - length)
        return hashlib.sha256(file.read(length)).digest()


class ParquetReader:
    """Keeps the row groups that were read last, up to ``MEMORY``."""

    def __init__(self, paths: Sequence[Path], file_of: NDArray[np.int64], starts: NDArray[np.int64]) -> None:
        """``file_of`` (K,) row group -> number of its path; ``starts`` (K + 1,) first picture of each."""
        self._paths, self._file_of, self._starts = paths, file_of, starts
        self._groups: OrderedDict[int, Any] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, number: int) -> bytes:
        group = self._group_of(number)
        with self._lock:
            pictures = self._load(group)
        if isinstance(pictures, Exception):
            raise pictures
        value = pictures[number - int(self._starts[group])].as_py()
        if not value:
            raise ValueError("the row has no bytes")
        return value

    def name(self, number: int) -> str:
        group = self._group_of(number)
        first = np.flatnonzero(self._file_of == self._file_of[group])[0]
        return f"{self._paths[self._file_of[group]].name}, row {number - int(self._starts[first])}"

    def _group_of(self, number: int) -> int:
        return int(np.searchsorted(self._starts, number, "right")) - 1

    def _load(self, group: int) -> Any:
        """Its pictures, or what went wrong with all of them."""
        if group in self._groups:
            self._groups.move_to_end(group)
            return self._groups[group]
        self._groups[group] = pictures = self._read(group)
        while len(self._groups) > 1 and sum(getattr(g, "nbytes", 0) for g in self._groups.values()) > MEMORY:
            self._groups.popitem(last=False)
        return pictures

    def _read(self, group: int) -> Any:
        number = self._file_of[group]
        first = int(np.flatnonzero(self._file_of == number)[0])
        try:
            with pyarrow_parquet().ParquetFile(self._paths[number]) as file:
                column = image_column(file.schema_arrow)
                table = file.read_row_group(group - first, columns=[column], use_threads=False)
            pictures = table.column(0).combine_chunks()
            pictures = pictures.field("bytes") if hasattr(pictures, "field") else pictures
        except (OSError, ValueError, LookupError, NotImplementedError) as error:
            return error
        return pictures
