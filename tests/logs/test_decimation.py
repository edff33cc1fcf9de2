"""Decimated curves keep their extremes, ends and gaps."""

from __future__ import annotations

import numpy as np
import pytest

from ganlib.errors import GanlibError
from ganlib.logs import decimate


@pytest.mark.parametrize("n", [5, 100, 101, 9_999, 100_000])
def test_decimation_keeps_extremes_and_ends(n: int) -> None:
    y = np.random.default_rng(n).normal(size=n)
    y[n // 3], y[n // 2] = 50, -50
    positions = decimate(y, 100)
    assert len(positions) <= 100
    assert (np.diff(positions) > 0).all()
    assert {0, n // 3, n // 2, n - 1} <= set(positions.tolist())
    y[n // 4] = np.nan  # and a gap stays one
    positions = decimate(y, 100)
    assert len(positions) <= 100
    assert {0, n // 4, n // 3, n // 2, n - 1} <= set(positions.tolist())


def test_decimation_of_odd_curves() -> None:
    assert len(decimate(np.full(1000, np.nan), 50)) <= 50
    assert len(decimate([], 50)) == 0
    with pytest.raises(GanlibError, match="at least 8"):
        decimate([1.0], 7)
