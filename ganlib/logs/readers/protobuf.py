"""Offsets of the scalars in a serialized TensorBoard event. Field numbers: tensorflow's event.proto, summary.proto."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

SCALARS = b"scalars"  # TensorBoard's plugin
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
# dtype -> (field of TensorProto that holds the values, their numpy type)
TENSOR_FIELDS = {1: (5, "<f4"), 2: (6, "<f8"), 3: (7, "<i4"), 9: (10, "<i8"), 19: (13, "<f2")}


class Scalar(NamedTuple):
    tag: slice
    dtype: str = "<f4"
    offset: int = -1  # of its bytes; -1 where they are not as wide as the type
    value: float = 0.0  # then


class Event(NamedTuple):
    wall: int  # offset of eight bytes; -1 for none
    step: slice  # of a varint; empty for step 0
    scalars: list[Scalar]


class Field(NamedTuple):
    number: int
    wire_type: int
    start: int
    end: int


def parse_event(data: bytes) -> Event:
    """ValueError for bytes that are no event."""
    wall, step, scalars = -1, slice(0, 0), []
    for field in iter_fields(data, 0, len(data)):
        if field.number == 1 and field.wire_type == FIXED64:
            wall = field.start
        elif field.number == 2 and field.wire_type == VARINT:
            step = slice(field.start, field.end)
        elif field.number == 5 and field.wire_type == BYTES:
            values = [_parse_value(data, value.start, value.end) for value in _iter_typed(data, field, 1, BYTES)]
            scalars += [value for value in values if value is not None]
    return Event(wall, step, scalars)


def iter_fields(data: bytes, offset: int, end: int) -> Iterator[Field]:
    while offset < end:
        key, offset = read_varint(data, offset, end)
        number, wire_type = key >> 3, key & 7
        start = offset
        if wire_type == VARINT:
            _, offset = read_varint(data, offset, end)
        elif wire_type == FIXED64:
            offset += 8
        elif wire_type == FIXED32:
            offset += 4
        elif wire_type == BYTES:
            length, start = read_varint(data, offset, end)
            offset = start + length
        else:
            raise ValueError(f"wire type {wire_type}")
        if offset > end or number == 0:
            raise ValueError("a field ends outside its message")
        yield Field(number, wire_type, start, offset)


def _iter_typed(data: bytes, message: Field, number: int, wire_type: int) -> Iterator[Field]:
    """The fields of a nested message with this number and type."""
    for field in iter_fields(data, message.start, message.end):
        if field.number == number and field.wire_type == wire_type:
            yield field


def read_varint(data: bytes, offset: int, end: int) -> tuple[int, int]:
    """The number, and the offset after it."""
    value = 0
    for shift in range(0, 70, 7):
        if offset >= end:
            break
        byte = data[offset]
        offset += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, offset
    raise ValueError("a number without an end")


def to_signed(value: int) -> int:
    """Two's complement in 64 bits."""
    value &= 2**64 - 1
    return value - 2**64 if value >= 2**63 else value


def _parse_value(data: bytes, start: int, end: int) -> Scalar | None:
    """Summary.Value: a tag with a simple value or a tensor of one number; None for pictures, histograms, text."""
    tag, simple, tensor, plugin = None, -1, None, SCALARS
    for field in iter_fields(data, start, end):
        if field.number == 1 and field.wire_type == BYTES:
            tag = slice(field.start, field.end)
        elif field.number == 2 and field.wire_type == FIXED32:
            simple = field.start
        elif field.number == 8 and field.wire_type == BYTES:
            tensor = field
        elif field.number == 9 and field.wire_type == BYTES:
            plugin = _plugin_name(data, field) or plugin
    if tag is None:
        return None
    if simple >= 0:
        return Scalar(tag, "<f4", simple)
    # That of hyperparameters writes a zero beside what it has to say.
    return _parse_tensor(data, tag, tensor.start, tensor.end) if tensor and plugin == SCALARS else None


def _plugin_name(data: bytes, metadata: Field) -> bytes:
    """SummaryMetadata: the plugin of TensorBoard that shows the value."""
    for plugin_data in _iter_typed(data, metadata, 1, BYTES):
        for name in _iter_typed(data, plugin_data, 1, BYTES):
            return data[name.start : name.end]
    return b""


def _parse_tensor(data: bytes, tag: slice, start: int, end: int) -> Scalar | None:
    by_number = {field.number: field for field in iter_fields(data, start, end)}
    type_number = read_varint(data, by_number[1].start, end)[0] if 1 in by_number else 0
    if type_number not in TENSOR_FIELDS or (2 in by_number and not _is_single_element(data, by_number[2])):
        return None
    number, dtype_name = TENSOR_FIELDS[type_number]
    width = int(dtype_name[-1])
    content = by_number.get(4)
    if content and content.end - content.start == width:
        return Scalar(tag, dtype_name, content.start)
    values = by_number.get(number)
    if values is None:
        return Scalar(tag)  # zero may be left out
    if dtype_name in ("<f4", "<f8"):
        return Scalar(tag, dtype_name, values.start) if values.end - values.start == width else None
    value = read_varint(data, values.start, values.end)[0]
    return Scalar(
        tag, value=struct.unpack("<e", struct.pack("<H", value & 0xFFFF))[0] if type_number == 19 else to_signed(value)
    )


def _is_single_element(data: bytes, shape: Field) -> bool:
    """Whether every dimension of a TensorShapeProto is one."""
    for dimension in _iter_typed(data, shape, 2, BYTES):
        sizes = list(_iter_typed(data, dimension, 1, VARINT))
        if not sizes or read_varint(data, sizes[0].start, sizes[0].end)[0] != 1:
            return False
    return True
