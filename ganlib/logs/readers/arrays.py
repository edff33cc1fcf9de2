"""NumPy's ``.npy`` and ``.npz`` with curves: arrays of one dimension, or a column a curve. Nothing is unpickled."""

from __future__ import annotations

import io
import math
import re
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from ganlib.files import open_zip
from ganlib.logs.frame import Scalars
from ganlib.logs.readers.columns import AXIS_COLUMNS, Column, columns_to_scalars
from ganlib.logs.readers.source import Source
from ganlib.logs.tags import axis_name, canonical_tag

MAGIC = b"\x93NUMPY"
MAX_BYTES = 400_000_000  # of one array
MAX_COLUMNS = 64  # of an array of two dimensions; a wider one holds features or pictures
UNREADABLE = (  # what NumPy and zipfile raise of damaged files
    ValueError, TypeError, SyntaxError, tokenize.TokenError, zipfile.BadZipFile, zlib.error, NotImplementedError,
    RuntimeError, OSError, EOFError,
)  # fmt: skip
# What else people keep in such arrays: statistics for the FID, features, labels, latents, pictures, indices.
_OTHER = re.compile(
    r"(?:mu|sigma|mean|std|cov|feat\w*|act\w*|labels?|targets?|classes|class_\w+|z|w|y|x|latents?|noise|images?|imgs?|"
    r"data|weights?|embed\w*|samples?|attributes?|perm\w*|ind(?:ex|ices)|idx|[xy]_(?:train|test|val)|arr_0)",
    re.IGNORECASE,
)


def matches(data: bytes, path: Path) -> bool:
    """An array, or a ZIP whose first member is one."""
    return data.startswith(MAGIC) or (data.startswith(b"PK\3\4") and _first_member(data).endswith(".npy"))


def read(data: bytes, source: Source) -> list[Scalars]:
    """Every array as a curve along its index, or along the array that is called as a step is."""
    columns: list[Column] = []
    try:
        for name, file, size in _iter_arrays(data, source.path):
            columns += _to_columns(name, file, size, source)
    except UNREADABLE as error:
        raise source.error(f"its arrays cannot be read ({error})") from None
    if not columns:
        raise source.not_a_log("it holds no array of one number a step")
    rows = max(len(column.row) for column in columns)
    return columns_to_scalars(columns, np.arange(1, rows + 1), source)


def _first_member(data: bytes) -> str:
    length = int.from_bytes(data[26:28], "little")
    return data[30 : 30 + length].decode("utf-8", errors="replace")


def _iter_arrays(data: bytes, path: Path) -> Iterator[tuple[str, BinaryIO, int]]:
    """Name, content and its size in bytes of each array."""
    if data.startswith(MAGIC):
        yield path.stem, io.BytesIO(data), len(data)
        return
    with open_zip(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            if member.filename.endswith(".npy"):
                with archive.open(member) as file:
                    yield member.filename.removesuffix(".npy"), cast(BinaryIO, file), member.file_size


def _to_columns(name: str, file: BinaryIO, size: int, source: Source) -> list[Column]:
    major, _ = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    shape, is_fortran, dtype = read_header(file)
    if dtype.hasobject:
        source.skip(None, f"{name} holds Python objects, which are not unpickled; save the numbers with numpy.savez")
        return []
    if dtype.kind not in "fiub" or not is_curve(name, shape, dtype):
        source.skip(None, f"{name} of shape {shape} and type {dtype} is no curve")
        return []
    count = math.prod(shape) * dtype.itemsize
    if not 0 < count <= min(size, MAX_BYTES):
        raise ValueError(f"{name} of shape {shape} is longer than the file or {MAX_BYTES:,} bytes")
    values = np.frombuffer(file.read(count), dtype)
    values = values.reshape(shape, order="F" if is_fortran else "C").astype(np.float64)
    values = values[:, None] if values.ndim == 1 else values.reshape(len(values), -1)
    row = np.arange(len(values), dtype=np.int32)
    names = [name] if values.shape[1] == 1 else [f"{name}.{index}" for index in range(values.shape[1])]
    return [Column(name, row, column) for name, column in zip(names, values.T, strict=True)]


def is_curve(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    """Whether an array can be scalars over training, by its shape, its type and its name."""
    if len(shape) not in (1, 2) or shape[0] < 2 or (len(shape) == 2 and shape[1] > MAX_COLUMNS):
        return False
    base = name.rpartition("/")[2]
    if canonical_tag(base).name != base or axis_name(base) in AXIS_COLUMNS:
        return True
    return dtype.kind == "f" and not _OTHER.fullmatch(base)
