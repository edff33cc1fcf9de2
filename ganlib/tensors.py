"""Files of tensors, read without unpickling objects: the only caller of ``torch.load``, and the reader of safetensors.

The library's own maps files into memory: one that is overwritten in place meanwhile, as ``cp`` does, ends the process.
"""

from __future__ import annotations

import io
import math
import os
import re
import struct
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, BinaryIO, NamedTuple

import torch
from safetensors import SafetensorError
from torch import Tensor

from ganlib.errors import GanlibError, shortened
from ganlib.files import DAMAGED_ARCHIVE, open_zip, parse_json, require_file

SAFE = (2, 6)  # before it a file could make torch run code in spite of weights_only (CVE-2025-32434)
LARGEST_HEADER = 100_000_000  # bytes, as safetensors has it
LARGEST_LATENTS = 64_000_000  # bytes of a file of latents or directions

DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
}


class _Place(NamedTuple):
    """Of a tensor in its file."""

    first: int
    last: int
    dtype: torch.dtype
    shape: tuple[int, ...]


class TensorHeader(NamedTuple):
    """Of a safetensors file: its texts, and the shape of each tensor."""

    metadata: dict[str, str]
    places: dict[str, _Place]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: place.shape for name, place in self.places.items()}


def read_header(path: Path) -> TensorHeader:
    """Without the tensors. SafetensorError for a file that is damaged or cut off, OSError for one that is none."""
    require_file(path)
    with path.open("rb") as file:
        return _parse_header(file, os.fstat(file.fileno()).st_size)


def read_safetensors(path: Path, largest: int | None = None) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors on the CPU, in memory that they share, and the file's texts; errors as of ``read_header``.

    ``largest``: bytes beyond which a file is refused, where nothing else says how large one may be.
    """
    require_file(path)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if largest is not None and size > largest:
            raise SafetensorError(f"it is larger than {largest // 1_000_000} MB")
        content = bytearray(size)
        if file.readinto(content) < len(content):
            raise SafetensorError("it was cut off while it was read")
    header = _parse_header(io.BytesIO(content), len(content))
    return {name: _view(content, place) for name, place in header.places.items()}, header.metadata


def _view(content: bytearray, place: _Place) -> Tensor:
    if place.first == place.last:
        return torch.empty(place.shape, dtype=place.dtype)
    if place.first % place.dtype.itemsize:
        content, place = content[place.first : place.last], place._replace(first=0)
    count = math.prod(place.shape)
    return torch.frombuffer(content, dtype=place.dtype, count=count, offset=place.first).reshape(place.shape)


def _parse_header(file: BinaryIO, size: int) -> TensorHeader:
    length = int.from_bytes(file.read(8), "little")
    if not 0 < length <= min(size - 8, LARGEST_HEADER):
        raise SafetensorError("its header is cut off")
    try:
        entries = parse_json(file.read(length))
        metadata = dict(entries.pop("__metadata__", None) or {})
        places = {name: _place(entry, 8 + length) for name, entry in entries.items()}
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise SafetensorError(f"its header is damaged: {error}") from None
    if not all(isinstance(text, str) for text in metadata.values()):
        raise SafetensorError("its metadata are no texts")
    end = 8 + length
    for place in sorted(places.values(), key=lambda place: (place.first, place.last)):
        if place.first != end:
            raise SafetensorError("its tensors overlap or leave gaps")
        end = place.last
    if size != end:
        raise SafetensorError(f"it has {size} bytes instead of {end}")
    return TensorHeader(metadata, places)


def _place(entry: dict[str, Any], start: int) -> _Place:
    """ValueError and others where it is none."""
    first, last = map(int, entry["data_offsets"])
    dtype, shape = DTYPES[entry["dtype"]], tuple(map(int, entry["shape"]))
    if min(shape, default=0) < 0 or last - first != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{last - first} bytes for the shape {shortened(shape)}")
    return _Place(start + first, start + last, dtype, shape)


def load_tensors(path: Path | str, device: torch.device | str = "cpu") -> Any:
    """Tensors, numbers, texts and containers of them; of anything else torch raises one of several errors.

    GanlibError where torch is too old to be trusted with foreign files.
    """
    version = tuple(map(int, re.findall(r"\d+", torch.__version__)[:2]))
    if version < SAFE:
        raise GanlibError(
            f"{path} is not read: torch {torch.__version__} could be made to run code by it; install torch "
            f"{'.'.join(map(str, SAFE))} or newer."
        )
    _check_records(Path(path))
    try:
        return torch.load(path, map_location=device, weights_only=True)
    except (struct.error, ArithmeticError, AssertionError) as error:  # a number cut off; sizes beyond any
        raise UnpicklingError(str(error)) from error


def _check_records(path: Path) -> None:
    """UnpicklingError where records claim more than the file has: torch writes them unpacked and reserves any size."""
    with path.open("rb") as file:
        if file.read(4) != b"PK\3\4":  # as torch wrote before 1.6
            return
        try:
            with open_zip(path) as archive:
                claimed = sum(record.file_size for record in archive.infolist())
        except DAMAGED_ARCHIVE as error:
            raise UnpicklingError(str(error)) from error
        if claimed > file.seek(0, os.SEEK_END):
            raise UnpicklingError(f"its records claim {claimed:,} bytes, more than the file has")
