"""Fewer points for the same picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ganlib.errors import GanlibError


def decimate(values: ArrayLike, limit: int) -> NDArray[np.int64]:
    """(n,) -> the ascending positions of at most ``limit`` values that draw the same curve.

    Of every stretch of equal length the lowest and the highest value stay, so no spike is lost, and of a
    stretch with values that are not finite also the first such, so a gap stays a gap. The curve's first and
    last value stay. GanlibError for a limit under 8, with which no curve can be drawn.
    """
    if limit < 8:
        raise GanlibError(f"A curve needs at least 8 points, not {limit}.")
    y = np.asarray(values, dtype=np.float64)
    if len(y) <= limit:
        return np.arange(len(y))
    finite = np.isfinite(y)
    kept_each = 2 if finite.all() else 3
    length = -(-len(y) // ((limit - 2) // kept_each))  # ceil: the number of stretches never exceeds its share
    starts = np.arange(0, len(y), length)
    padding = len(starts) * length - len(y)

    def stretches(row: NDArray[np.float64], fill: float) -> NDArray[np.float64]:
        return np.pad(row, (0, padding), constant_values=fill).reshape(len(starts), length)

    lowest = starts + stretches(np.where(finite, y, np.inf), np.inf).argmin(axis=1)
    highest = starts + stretches(np.where(finite, y, -np.inf), -np.inf).argmax(axis=1)
    kept = [lowest, highest, [0, len(y) - 1]]
    if kept_each == 3:
        kept.append(starts + stretches(finite.astype(np.float64), 1.0).argmin(axis=1))
    return np.unique(np.concatenate(kept)).astype(np.int64)
