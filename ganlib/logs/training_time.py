"""How long a training took until it had seen some number of images, by the rows of its ``log.csv``."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganlib.logs.axes import without_pauses

Course = tuple[NDArray[np.float64], NDArray[np.float64]]


def seconds_until(log: Path, images: Sequence[int], end: int, seconds: float) -> NDArray[np.float64]:
    """(n,) images seen -> (n,) seconds, of a training that had seen ``end`` images after so many ``seconds``.

    As the log's rows lie in time, pauses left out; without such rows in proportion to the images.
    """
    points = np.asarray(images, np.float64)
    seen, elapsed = read_course(log)
    if len(seen) > 1 and seen[-1] > seen[0] and elapsed[-1] > 0:
        first = seen[0] * elapsed[-1] / (seen[-1] - seen[0])  # before the first row, at the pace of the others
        seen, elapsed = np.array([0.0, *seen]), np.array([0.0, *(first + elapsed)])
        return seconds * np.interp(points, seen, elapsed) / float(np.interp(end, seen, elapsed) or 1.0)
    return seconds * points / max(end, 1)


def read_course(log: Path) -> Course:
    """(n,) images seen, increasing, and (n,) seconds of training since the first row; both empty where none is told."""
    try:
        stat = log.stat()
        return _read(log, stat.st_mtime_ns, stat.st_size)
    except (OSError, ValueError, csv.Error):
        return np.empty(0), np.empty(0)


@lru_cache(maxsize=256)
def _read(log: Path, modified: int, size: int) -> Course:
    with log.open(newline="", encoding="utf-8") as file:
        rows = [(row.get("images"), row.get("wall_time")) for row in csv.DictReader(file)]
    table = np.array([(float(images), float(time)) for images, time in rows if images and time]).reshape(-1, 2)
    table = table[np.isfinite(table).all(axis=1)]
    if not len(table):
        return np.empty(0), np.empty(0)
    seconds = without_pauses(table[:, 1])
    seen, last = np.unique(np.maximum.accumulate(table[:, 0])[::-1], return_index=True)
    return seen, seconds[::-1][last]
