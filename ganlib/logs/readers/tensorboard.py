"""TensorBoard event files: TFRecords of protobuf events. Checksums are not looked at.

Events of one shape (same length, same bytes but for time, step, tag and value) are decoded together with numpy;
only the first of each shape is parsed.
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
from ganlib.logs.tags import canonical_all

HEADER, FOOTER = 12, 4  # bytes around a record: length and its checksum; the record's checksum
BATCH = 2**16  # events that are decoded at one time
LONGEST = 1024  # bytes; a longer event holds a picture or a histogram and is parsed alone
TICK = b"Progress/kimg"  # NVIDIA's: the step counts thousands of images


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
    starts, end = records(data)
    if end < len(data):
        source.skip(len(starts) + 1, "the file ends within a record")
    if not len(starts):
        return []
    lengths = np.diff(starts, append=end + HEADER) - HEADER - FOOTER
    tags: dict[bytes, int] = {}
    points = [_none()]
    buffer = np.frombuffer(data, np.uint8)
    order = np.argsort(lengths, kind="stable")
    bounds = np.flatnonzero(np.diff(lengths[order], prepend=-1, append=-1))
    for first, last in pairwise(bounds.tolist()):
        length = int(lengths[order[first]])
        for at in range(first, last, BATCH):
            chosen = order[at : min(at + BATCH, last)]
            if 0 < length <= LONGEST:
                rows = np.lib.stride_tricks.sliding_window_view(buffer, length)[starts[chosen]]
                points += _alike(rows, chosen, tags, source)
            else:
                for number in chosen.tolist():
                    start = int(starts[number])
                    if found := _alone(data[start : start + length], number, tags, source):
                        points.append(found)
    base = source.memory.setdefault("base", _base(data, starts, lengths))
    return [_scalars(_together(points), tags, base, source)]


def records(data: bytes, start: int = 0) -> tuple[NDArray[np.int64], int]:
    """Where the whole records' contents begin, and where the last of them ends with its footer."""
    starts, place, last = array("q"), start, len(data) - HEADER - FOOTER
    unpack = struct.Struct("<Q").unpack_from
    append = starts.append
    while place <= last:
        length = unpack(data, place)[0]
        if place + length > last:
            break
        append(place + HEADER)
        place += length + HEADER + FOOTER
    return np.array(starts, np.int64), place


def _alike(rows: NDArray[np.uint8], numbers: NDArray[np.int64], tags: dict[bytes, int], source: Source) -> list[Points]:
    """Events of one length: (n, length) bytes, shape after shape."""
    points = []
    while len(rows):
        first = rows[0].tobytes()
        try:
            event = protobuf.event(first)
        except ValueError as error:
            source.skip(int(numbers[0]) + 1, f"the record is no event ({error})")
            event = None
        same = np.zeros(len(rows), bool)
        same[0] = True
        if event and event.scalars and all(scalar.place >= 0 for scalar in event.scalars):
            same = _same_shape(rows, event)
            points += _decoded(rows[same], numbers[same], event, tags)
        elif event and event.scalars and (found := _alone(first, int(numbers[0]), tags, source)):
            points.append(found)
        rows, numbers = rows[~same], numbers[~same]
    return points


def _same_shape(rows: NDArray[np.uint8], event: protobuf.Event) -> NDArray[np.bool_]:
    fixed = np.ones(rows.shape[1], bool)
    if event.wall >= 0:
        fixed[event.wall : event.wall + 8] = False
    fixed[event.step] = False
    for scalar in event.scalars:
        fixed[scalar.tag] = False
        fixed[scalar.place : scalar.place + int(scalar.dtype[-1])] = False
    same = np.ones(len(rows), bool)
    for place in np.flatnonzero(fixed):
        same &= rows[:, place] == rows[0, place]
    step = rows[:, event.step] >= 128  # the bytes of a varint but the last say that it goes on
    return same & (step == step[0]).all(axis=1)


def _decoded(
    rows: NDArray[np.uint8], numbers: NDArray[np.int64], event: protobuf.Event, tags: dict[bytes, int]
) -> list[Points]:
    count = len(rows)
    wall = _numbers(rows, event.wall, "<f8") if event.wall >= 0 else np.full(count, np.nan)
    step = np.zeros(count, np.uint64)
    for shift, place in enumerate(range(event.step.start, event.step.stop)):
        step |= (rows[:, place] & np.uint8(127)).astype(np.uint64) << np.uint64(7 * shift)
    points = []
    for scalar in event.scalars:
        value = _numbers(rows, scalar.place, scalar.dtype).astype(np.float64)
        points.append(Points(numbers, _codes(rows[:, scalar.tag], tags), wall, step.view(np.int64), value))
    return points


def _numbers(rows: NDArray[np.uint8], place: int, dtype: str) -> NDArray[np.float64]:
    return np.ascontiguousarray(rows[:, place : place + int(dtype[-1])]).view(dtype)[:, 0]


def _codes(names: NDArray[np.uint8], tags: dict[bytes, int]) -> NDArray[np.int32]:
    """(n, bytes) -> (n,) codes of the tags; new ones are added."""
    # Eight bytes of the names at a time: hashing whole names is several times slower.
    width = names.shape[1]
    if not width:
        return np.full(len(names), tags.setdefault(b"", len(tags)), np.int32)
    padded = np.zeros((len(names), -(-width // 8) * 8), np.uint8)
    padded[:, :width] = names
    words = padded.view(np.uint64)
    codes, count = np.zeros(len(names), np.int64), 1
    for column in words.T:
        inner, found = pd.factorize(column)
        codes, distinct = pd.factorize(codes * len(found) + inner)
        count = len(distinct)
    firsts = np.full(count, len(names))
    np.minimum.at(firsts, codes, np.arange(len(names)))
    known = [tags.setdefault(names[place].tobytes(), len(tags)) for place in firsts]
    return np.array(known, np.int32)[codes]


def _alone(data: bytes, number: int, tags: dict[bytes, int], source: Source) -> Points | None:
    try:
        event = protobuf.event(data)
    except ValueError as error:
        source.skip(number + 1, f"the record is no event ({error})")
        return None
    if not event.scalars:
        return None
    count = len(event.scalars)
    wall = struct.unpack_from("<d", data, event.wall)[0] if event.wall >= 0 else float("nan")
    step = protobuf.signed(protobuf.varint(data, event.step.start, len(data))[0]) if event.step.stop else 0
    values = [float(np.frombuffer(data, s.dtype, 1, s.place)[0]) if s.place >= 0 else s.value for s in event.scalars]
    codes = [tags.setdefault(data[scalar.tag], len(tags)) for scalar in event.scalars]
    return Points(
        np.full(count, number), np.array(codes, np.int32), np.full(count, wall), np.full(count, step), np.array(values)
    )


def _together(points: list[Points]) -> Points:
    return Points(
        np.concatenate([part.record for part in points]),
        np.concatenate([part.code for part in points]),
        np.concatenate([part.wall for part in points]),
        np.concatenate([part.step for part in points]),
        np.concatenate([part.value for part in points]),
    )


def _none() -> Points:
    return Points(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0), np.empty(0, np.int64), np.empty(0))


def _base(data: bytes, starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> float:
    """When the file was begun: its first event names the version of the format."""
    if lengths[0] < 9 or data[starts[0]] != 0x09:
        return float("nan")
    wall = struct.unpack_from("<d", data, int(starts[0]) + 1)[0]
    return wall if wall > MIN_UNIX_TIME else float("nan")


def _scalars(points: Points, tags: dict[bytes, int], base: float, source: Source) -> Scalars:
    originals = [tag.decode("utf-8", errors="replace") for tag in tags]
    order = np.argsort(points.code.astype(np.int64) * (int(points.record.max(initial=0)) + 1) + points.record)
    row, code = points.record[order].astype(np.int32), points.code[order]
    wall, step, value = points.wall[order], points.step[order], points.value[order]
    # StyleGAN2-ADA writes the seconds since its start.
    wall = np.where(wall < MIN_UNIX_TIME, wall + base, wall)
    unit: Unit = "steps"
    keep = np.ones(len(value), bool)
    if source.memory.setdefault("ticks", TICK in tags):
        unit, step = "images", step * 1000
        keep = code != tags.get(TICK, -1)
        for tag, place in tags.items():
            if tag.startswith(b"Metrics/"):  # repeats the last value at each tick
                here = np.flatnonzero(code == place)
                last = source.memory.get(f"last of {tag!r}", np.nan)
                keep[here] = value[here] != np.concatenate([[last], value[here[:-1]]])
                source.memory[f"last of {tag!r}"] = value[here[-1]]
    found = canonical_all(originals, {})
    scale = np.array([tag.scale for tag in found])[code] if found else 1.0
    names = [tag.name for tag in found]
    return Scalars(originals, names, code, row, step, wall, value * scale, unit=unit).where(keep)
