"""Fewer points for the same picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ganlib.errors import GanlibError


def decimate(values: ArrayLike, limit: int) -> NDArray[np.int64]:
    """(n,) -> the ascending positions of at most ``limit`` values that draw the same curve (min-max decimation).

    The lowest and the highest value of each bucket are used, so that no spike is lost; also the first value that is
    not finite, so that a gap stays a gap; and the curve's first and last value. GanlibError for a limit below 8.
    """
    if limit < 8:
        raise GanlibError(f"A curve needs at least 8 points, not {limit}.")
    y = np.asarray(values, dtype=np.float64)
    if len(y) <= limit:
        return np.arange(len(y))
    finite = np.isfinite(y)
    points_per_bucket = 2 if finite.all() else 3
    bucket_size = -(-len(y) // ((limit - 2) // points_per_bucket))  # ceil: never more than limit points
    starts = np.arange(0, len(y), bucket_size)
    padding = len(starts) * bucket_size - len(y)

    def buckets(row: NDArray[np.float64], fill: float) -> NDArray[np.float64]:
        return np.pad(row, (0, padding), constant_values=fill).reshape(len(starts), bucket_size)

    lowest = starts + buckets(np.where(finite, y, np.inf), np.inf).argmin(axis=1)
    highest = starts + buckets(np.where(finite, y, -np.inf), -np.inf).argmax(axis=1)
    positions = [lowest, highest, [0, len(y) - 1]]
    if points_per_bucket == 3:
        positions.append(starts + buckets(finite.astype(np.float64), 1.0).argmin(axis=1))
    return np.unique(np.concatenate(positions)).astype(np.int64)
