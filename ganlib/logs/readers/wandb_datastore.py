"""Weights & Biases' ``run-<id>.wandb``: protobuf records in the log format of LevelDB.

The file has a header of 7 bytes and blocks of 32 KiB. A record is one chunk of type FULL, or FIRST, any number of
MIDDLE and LAST; a chunk has a CRC-32, two bytes of length and the type before its content. Of the records only the
history and the run's name are decoded. Field numbers: wandb/proto/wandb_internal.proto.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.protobuf import BYTES, FIXED64, VARINT, Field, iter_fields, read_varint
from ganlib.logs.readers.records import RecordTable, table_to_scalars
from ganlib.logs.readers.source import Source

IDENT, MAGIC, VERSION = b":W&B", 0xBEE1, 0
HEADER, CHUNK_HEADER, BLOCK = 7, 7, 32 * 1024
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
RECORDS_AT_ONCE = 4_000
MAX_KEYS = 16  # of a nested item
MAX_VALUE_BYTES = 2**16  # a longer value is a table or a histogram
# Numbers of fields: of Record, HistoryRecord, HistoryItem and RunRecord.
HISTORY, RUN = 2, 17
ITEM, STEP = 1, 2
KEY, NESTED_KEY, INTEGER, NUMBER, VALUE_JSON = 1, 2, 5, 6, 16
DISPLAY_NAME = 8


class Record(NamedTuple):
    """One whole record: its content, and where it ends in the file."""

    content: bytes
    end: int


def matches(data: bytes, path: Path) -> bool:
    return data.startswith(IDENT + struct.pack("<H", MAGIC))


def find_last_record(data: bytes, source: Source) -> tuple[int, int]:
    """The end of the last complete record of what is appended, and the number of records up to there."""
    start = source.state.get("offset", 0)
    end, count = start, 0
    for record in iter_records(data, start):
        end, count = record.end, count + 1
    return end - start, count


def read(data: bytes, source: Source) -> list[Scalars]:
    """The history of the run. Damaged records are skipped."""
    start: int = source.state.get("offset", 0)
    if not start and len(data) >= HEADER and data[HEADER - 1] != VERSION:
        raise source.error(f"its version {data[HEADER - 1]} of the format is unknown")
    table, records, lines, number = RecordTable(), [], [], 0
    for number, record in enumerate(iter_records(data, start, source), 1):
        source.state["offset"] = record.end
        try:
            row = _decode(record.content, source)
        except ValueError as error:
            source.skip(number, f"the record is none of Weights & Biases ({error})")
            continue
        if row:
            records.append(row)
            lines.append(number)
        if len(records) == RECORDS_AT_ONCE:
            table.add(records)
            records = []
    table.add(records)
    if source.state.get("offset", 0) - start < len(data) and number == 0 and not start:
        source.skip(None, "the file ends within its first record")
    return table_to_scalars(table, lines, source, source.state.get("name", "")) if table.rows else []


def iter_records(data: bytes, start: int = 0, source: Source | None = None) -> Iterator[Record]:
    """The complete records of ``data``, which begins at the byte ``start`` of the file, between two records."""
    position, parts, number = max(HEADER - start, 0), list[bytes](), 1
    while True:
        rest = BLOCK - (start + position) % BLOCK
        if rest < CHUNK_HEADER:  # a block's end is padded
            position += rest
        if position + CHUNK_HEADER > len(data):
            return
        checksum, length, kind = struct.unpack_from("<IHB", data, position)
        end = position + CHUNK_HEADER + length
        rest = BLOCK - (start + position) % BLOCK
        if length > rest - CHUNK_HEADER or kind not in (FULL, FIRST, MIDDLE, LAST):
            # The lengths cannot be trusted any more; the next block begins with a chunk.
            _skip(source, number, "it is damaged")
            position, parts = position + rest, []
            continue
        if end > len(data):
            return
        content = data[position + CHUNK_HEADER : end]
        position = end
        if zlib.crc32(content, zlib.crc32(bytes([kind]))) != checksum:
            _skip(source, number, "its checksum is wrong")
            parts = []
            continue
        if kind in (FULL, FIRST):
            parts = []
        elif not parts:  # the first chunk of this record was damaged
            continue
        parts.append(content)
        if kind in (FULL, LAST):
            yield Record(b"".join(parts), start + end)
            parts, number = [], number + 1


def _skip(source: Source | None, number: int, reason: str) -> None:
    if source:
        source.skip(number, reason)


def _decode(record: bytes, source: Source) -> dict[str, Any]:
    """The row of a history record, empty for any other record; ValueError for what is no record."""
    row: dict[str, Any] = {}
    for field in iter_fields(record, 0, len(record)):
        if field.wire_type != BYTES:
            continue
        if field.number == HISTORY:
            for item in iter_fields(record, field.start, field.end):
                if item.number == ITEM and item.wire_type == BYTES:
                    _add_item(row, record, item)
                elif item.number == STEP and item.wire_type == BYTES:
                    row.setdefault("_step", _step(record, item))
        elif field.number == RUN:
            names = (f for f in iter_fields(record, field.start, field.end) if f.number == DISPLAY_NAME)
            if name := next(names, None):
                source.state.setdefault("name", _text(record, name))
    return row


def _step(record: bytes, message: Field) -> int:
    for field in iter_fields(record, message.start, message.end):
        if field.number == 1 and field.wire_type == VARINT:
            return read_varint(record, field.start, field.end)[0]
    return 0  # which protobuf leaves out


def _add_item(row: dict[str, Any], record: bytes, item: Field) -> None:
    """A key and a number into the row. Older clients write values as JSON, newer ones may write them as they are."""
    keys: list[str] = []
    value: Any = None
    for field in iter_fields(record, item.start, item.end):
        kind = field.number, field.wire_type
        if kind in ((KEY, BYTES), (NESTED_KEY, BYTES)):
            keys.append(_text(record, field))
        elif kind == (INTEGER, VARINT):
            zigzag = read_varint(record, field.start, field.end)[0]
            value = (zigzag >> 1) ^ -(zigzag & 1)
        elif kind == (NUMBER, FIXED64):
            value = struct.unpack_from("<d", record, field.start)[0]
        elif kind == (VALUE_JSON, BYTES) and field.end - field.start <= MAX_VALUE_BYTES:
            try:
                value = json.loads(_text(record, field))
            except RecursionError:
                raise ValueError("a value is nested too deeply") from None
    if keys and value is not None:
        row["/".join(keys[:MAX_KEYS])] = value


def _text(record: bytes, field: Field) -> str:
    return record[field.start : field.end].decode("utf-8", errors="replace")
