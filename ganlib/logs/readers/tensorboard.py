"""TensorBoard event files: TFRecords of protobuf events. Checksums are not verified.

Events of one layout (same length, same bytes except time, step, tag and value) are decoded together with numpy;
only the first of each layout is parsed.
"""

from __future__ import annotations

import struct
from array import array
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ganlib.logs.frame import Scalars, Unit
from ganlib.logs.readers import protobuf
from ganlib.logs.readers.cells import MIN_UNIX_TIME
from ganlib.logs.readers.source import Source
from ganlib.logs.tags import canonical_tags

HEADER, FOOTER = 12, 4  # bytes around a record: length and its checksum; the record's checksum
EVENTS_AT_ONCE = 2**16  # events that are decoded at one time
MAX_SCALAR_BYTES = 1024  # a longer event holds a picture or a histogram and is parsed alone
KIMG_TAG = b"Progress/kimg"  # NVIDIA's: the step counts thousands of images


class Points(NamedTuple):
    record: NDArray[np.int64]
    code: NDArray[np.int32]
    wall: NDArray[np.float64]
    step: NDArray[np.int64]
    value: NDArray[np.float64]


def matches(data: bytes, path: Path) -> bool:
    """Whether the first record is an event: a plausible length, then the field of the wall time."""
    if len(data) < HEADER + 9 or data[HEADER] != 0x09:
        return False
    return 9 <= struct.unpack_from("<Q", data)[0] < 2**24


def read(data: bytes, source: Source) -> list[Scalars]:
    starts, end = find_records(data)
    if end < len(data):
        source.skip(len(starts) + 1, "the file ends within a record")
    if not len(starts):
        return []
    lengths = np.diff(starts, append=end + HEADER) - HEADER - FOOTER
    tags: dict[bytes, int] = {}
    points = [_empty_points()]
    buffer = np.frombuffer(data, np.uint8)
    order = np.argsort(lengths, kind="stable")
    bounds = np.flatnonzero(np.diff(lengths[order], prepend=-1, append=-1))
    for first, last in pairwise(bounds.tolist()):
        length = int(lengths[order[first]])
        for batch_start in range(first, last, EVENTS_AT_ONCE):
            batch = order[batch_start : min(batch_start + EVENTS_AT_ONCE, last)]
            if 0 < length <= MAX_SCALAR_BYTES:
                rows = np.lib.stride_tricks.sliding_window_view(buffer, length)[starts[batch]]
                points += _decode_same_length(rows, batch, tags, source)
            else:
                for number in batch.tolist():
                    start = int(starts[number])
                    if single := _decode_single(data[start : start + length], number, tags, source):
                        points.append(single)
    start_time = source.state.setdefault("base", _start_time(data, starts, lengths))
    return [_to_scalars(_concat_points(points), tags, start_time, source)]


def find_records(data: bytes, start: int = 0) -> tuple[NDArray[np.int64], int]:
    """(records,) offsets of the contents of the complete records, and the end of the last one with its footer."""
    starts, offset, last = array("q"), start, len(data) - HEADER - FOOTER
    unpack = struct.Struct("<Q").unpack_from
    append = starts.append
    while offset <= last:
        length = unpack(data, offset)[0]
        if offset + length > last:
            break
        append(offset + HEADER)
        offset += length + HEADER + FOOTER
    return np.array(starts, np.int64), offset


def find_last_record(data: bytes, source: Source) -> tuple[int, int]:
    """The end of the last complete record, and the number of records up to there."""
    starts, end = find_records(data)
    return end, len(starts)


def _decode_same_length(
    rows: NDArray[np.uint8], numbers: NDArray[np.int64], tags: dict[bytes, int], source: Source
) -> list[Points]:
    """(n, length) bytes of n events -> their points; events of one layout are decoded together."""
    points = []
    while len(rows):
        first = rows[0].tobytes()
        try:
            event = protobuf.parse_event(first)
        except ValueError as error:
            source.skip(int(numbers[0]) + 1, f"the record is no event ({error})")
            event = None
        same = np.zeros(len(rows), bool)
        same[0] = True
        if event and event.scalars and all(scalar.offset >= 0 for scalar in event.scalars):
            same = _has_same_layout(rows, event)
            points += _decode_rows(rows[same], numbers[same], event, tags)
        elif event and event.scalars and (single := _decode_single(first, int(numbers[0]), tags, source)):
            points.append(single)
        rows, numbers = rows[~same], numbers[~same]
    return points


def _has_same_layout(rows: NDArray[np.uint8], event: protobuf.Event) -> NDArray[np.bool_]:
    fixed = np.ones(rows.shape[1], bool)
    if event.wall >= 0:
        fixed[event.wall : event.wall + 8] = False
    fixed[event.step] = False
    for scalar in event.scalars:
        fixed[scalar.tag] = False
        fixed[scalar.offset : scalar.offset + int(scalar.dtype[-1])] = False
    same = np.ones(len(rows), bool)
    for offset in np.flatnonzero(fixed):
        same &= rows[:, offset] == rows[0, offset]
    step = rows[:, event.step] >= 128  # the bytes of a varint but the last say that it goes on
    return same & (step == step[0]).all(axis=1)


def _decode_rows(
    rows: NDArray[np.uint8], numbers: NDArray[np.int64], event: protobuf.Event, tags: dict[bytes, int]
) -> list[Points]:
    count = len(rows)
    wall = _view_as(rows, event.wall, "<f8") if event.wall >= 0 else np.full(count, np.nan)
    step = np.zeros(count, np.uint64)
    for shift, offset in enumerate(range(event.step.start, event.step.stop)):
        step |= (rows[:, offset] & np.uint8(127)).astype(np.uint64) << np.uint64(7 * shift)
    points = []
    for scalar in event.scalars:
        value = _view_as(rows, scalar.offset, scalar.dtype).astype(np.float64)
        points.append(Points(numbers, _encode_tags(rows[:, scalar.tag], tags), wall, step.view(np.int64), value))
    return points


def _view_as(rows: NDArray[np.uint8], offset: int, dtype: str) -> NDArray[np.float64]:
    return np.ascontiguousarray(rows[:, offset : offset + int(dtype[-1])]).view(dtype)[:, 0]


def _encode_tags(names: NDArray[np.uint8], tags: dict[bytes, int]) -> NDArray[np.int32]:
    """(n, bytes) -> (n,) codes of the tags; new ones are added."""
    # Eight bytes of the names at a time: hashing strings is several times slower.
    width = names.shape[1]
    if not width:
        return np.full(len(names), tags.setdefault(b"", len(tags)), np.int32)
    padded = np.zeros((len(names), -(-width // 8) * 8), np.uint8)
    padded[:, :width] = names
    chunks = padded.view(np.uint64)
    codes, count = np.zeros(len(names), np.int64), 1
    for column in chunks.T:
        chunk_codes, chunk_values = pd.factorize(column)
        codes, distinct = pd.factorize(codes * len(chunk_values) + chunk_codes)
        count = len(distinct)
    firsts = np.full(count, len(names))
    np.minimum.at(firsts, codes, np.arange(len(names)))
    new_codes = [tags.setdefault(names[index].tobytes(), len(tags)) for index in firsts]
    return np.array(new_codes, np.int32)[codes]


def _decode_single(data: bytes, number: int, tags: dict[bytes, int], source: Source) -> Points | None:
    try:
        event = protobuf.parse_event(data)
    except ValueError as error:
        source.skip(number + 1, f"the record is no event ({error})")
        return None
    if not event.scalars:
        return None
    count = len(event.scalars)
    wall = struct.unpack_from("<d", data, event.wall)[0] if event.wall >= 0 else float("nan")
    step = protobuf.to_signed(protobuf.read_varint(data, event.step.start, len(data))[0]) if event.step.stop else 0
    values = [float(np.frombuffer(data, s.dtype, 1, s.offset)[0]) if s.offset >= 0 else s.value for s in event.scalars]
    codes = [tags.setdefault(data[scalar.tag], len(tags)) for scalar in event.scalars]
    return Points(
        np.full(count, number), np.array(codes, np.int32), np.full(count, wall), np.full(count, step), np.array(values)
    )


def _concat_points(points: list[Points]) -> Points:
    return Points(
        np.concatenate([part.record for part in points]),
        np.concatenate([part.code for part in points]),
        np.concatenate([part.wall for part in points]),
        np.concatenate([part.step for part in points]),
        np.concatenate([part.value for part in points]),
    )


def _empty_points() -> Points:
    return Points(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0), np.empty(0, np.int64), np.empty(0))


def _start_time(data: bytes, starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> float:
    """When the file was begun: its first event names the version of the format."""
    if lengths[0] < 9 or data[starts[0]] != 0x09:
        return float("nan")
    wall = struct.unpack_from("<d", data, int(starts[0]) + 1)[0]
    return wall if wall > MIN_UNIX_TIME else float("nan")


def _to_scalars(points: Points, tags: dict[bytes, int], base: float, source: Source) -> Scalars:
    originals = [tag.decode("utf-8", errors="replace") for tag in tags]
    order = np.argsort(points.code.astype(np.int64) * (int(points.record.max(initial=0)) + 1) + points.record)
    row, code = points.record[order].astype(np.int32), points.code[order]
    wall, step, value = points.wall[order], points.step[order], points.value[order]
    # StyleGAN2-ADA writes the seconds since its start.
    wall = np.where(wall < MIN_UNIX_TIME, wall + base, wall)
    unit: Unit = "steps"
    keep = np.ones(len(value), bool)
    if source.state.setdefault("ticks", KIMG_TAG in tags):
        unit, step = "images", step * 1000
        keep = code != tags.get(KIMG_TAG, -1)
        for tag, code_ in tags.items():
            if tag.startswith(b"Metrics/"):  # repeats the last value at each tick
                indices = np.flatnonzero(code == code_)
                last = source.state.get(f"last of {tag!r}", np.nan)
                keep[indices] = value[indices] != np.concatenate([[last], value[indices[:-1]]])
                source.state[f"last of {tag!r}"] = value[indices[-1]]
    canonical = canonical_tags(originals, {})
    scale = np.array([tag.scale for tag in canonical])[code] if canonical else 1.0
    names = [tag.name for tag in canonical]
    return Scalars(originals, names, code, row, step, wall, value * scale, unit=unit).select(keep)
