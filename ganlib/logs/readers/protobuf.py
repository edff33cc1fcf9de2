"""Where the scalars lie in one serialized TensorBoard event. Field numbers: tensorflow's event.proto, summary.proto."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
# dtype -> (field of TensorProto that holds the values, their numpy type)
TENSORS = {1: (5, "<f4"), 2: (6, "<f8"), 3: (7, "<i4"), 9: (10, "<i8"), 19: (13, "<f2")}


class Scalar(NamedTuple):
    tag: slice
    dtype: str = "<f4"
    place: int = -1  # of its bytes; -1 where they are not as wide as the type
    value: float = 0.0  # then


class Event(NamedTuple):
    wall: int  # place of eight bytes; -1 for none
    step: slice  # of a varint; empty for step 0
    scalars: list[Scalar]


class Field(NamedTuple):
    number: int
    kind: int
    start: int
    end: int


def event(data: bytes) -> Event:
    """ValueError for bytes that are no event."""
    wall, step, scalars = -1, slice(0, 0), []
    for field in fields(data, 0, len(data)):
        if field.number == 1 and field.kind == FIXED64:
            wall = field.start
        elif field.number == 2 and field.kind == VARINT:
            step = slice(field.start, field.end)
        elif field.number == 5 and field.kind == BYTES:
            for value in fields(data, field.start, field.end):
                if value.number == 1 and value.kind == BYTES and (scalar := _value(data, value.start, value.end)):
                    scalars.append(scalar)
    return Event(wall, step, scalars)


def fields(data: bytes, place: int, end: int) -> Iterator[Field]:
    while place < end:
        key, place = varint(data, place, end)
        number, kind = key >> 3, key & 7
        start = place
        if kind == VARINT:
            _, place = varint(data, place, end)
        elif kind == FIXED64:
            place += 8
        elif kind == FIXED32:
            place += 4
        elif kind == BYTES:
            length, start = varint(data, place, end)
            place = start + length
        else:
            raise ValueError(f"wire type {kind}")
        if place > end or number == 0:
            raise ValueError("a field ends outside its message")
        yield Field(number, kind, start, place)


def varint(data: bytes, place: int, end: int) -> tuple[int, int]:
    """The number, and the place after it."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= end:
            break
        byte = data[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise ValueError("a number without an end")


def signed(value: int) -> int:
    """Two's complement in 64 bits."""
    value &= 2**64 - 1
    return value - 2**64 if value >= 2**63 else value


def _value(data: bytes, start: int, end: int) -> Scalar | None:
    """Summary.Value: a tag with a simple value or a tensor of one number; None for pictures, histograms, text."""
    tag, simple, tensor = None, -1, None
    for field in fields(data, start, end):
        if field.number == 1 and field.kind == BYTES:
            tag = slice(field.start, field.end)
        elif field.number == 2 and field.kind == FIXED32:
            simple = field.start
        elif field.number == 8 and field.kind == BYTES:
            tensor = field
    if tag is None:
        return None
    if simple >= 0:
        return Scalar(tag, "<f4", simple)
    return _tensor(data, tag, tensor.start, tensor.end) if tensor else None


def _tensor(data: bytes, tag: slice, start: int, end: int) -> Scalar | None:
    parts = {field.number: field for field in fields(data, start, end)}
    dtype = varint(data, parts[1].start, end)[0] if 1 in parts else 0
    if dtype not in TENSORS or (2 in parts and not _single(data, parts[2])):
        return None
    number, kind = TENSORS[dtype]
    width = int(kind[-1])
    raw = parts.get(4)
    if raw and raw.end - raw.start == width:
        return Scalar(tag, kind, raw.start)
    listed = parts.get(number)
    if listed is None:
        return Scalar(tag)  # zero may be left out
    if kind in ("<f4", "<f8"):
        return Scalar(tag, kind, listed.start) if listed.end - listed.start == width else None
    value = varint(data, listed.start, listed.end)[0]
    return Scalar(
        tag, value=struct.unpack("<e", struct.pack("<H", value & 0xFFFF))[0] if dtype == 19 else signed(value)
    )


def _single(data: bytes, shape: Field) -> bool:
    """Whether every dimension of a TensorShapeProto is one."""
    for dimension in fields(data, shape.start, shape.end):
        if dimension.number == 2 and dimension.kind == BYTES:
            sizes = [f for f in fields(data, dimension.start, dimension.end) if f.number == 1 and f.kind == VARINT]
            if not sizes or varint(data, sizes[0].start, sizes[0].end)[0] != 1:
                return False
    return True
