"""The debiased moving average against its closed form."""

from __future__ import annotations

import numpy as np
import pytest

from ganlib.errors import GanlibError
from ganlib.logs import smooth


def test_smoothing_is_the_closed_form() -> None:
    x, w = np.random.default_rng(0).normal(size=50), 0.8
    weights = [w ** np.arange(n, -1, -1) for n in range(50)]
    expected = [(weights[n] @ x[: n + 1]) * (1 - w) / (1 - w ** (n + 1)) for n in range(50)]
    np.testing.assert_allclose(smooth(x, w), expected, rtol=1e-12)
    np.testing.assert_array_equal(smooth(x, 0), x)
    np.testing.assert_allclose(smooth(np.full(9, 3.0), 0.99), 3.0)  # the debiasing: no start at zero
    assert len(smooth([], 0.5)) == 0


def test_smoothing_is_not_poisoned() -> None:
    dirty = smooth([1, np.nan, 2, np.inf, 3, -np.inf], 0.6)
    np.testing.assert_allclose(dirty[[0, 2, 4]], smooth([1, 2, 3], 0.6))
    np.testing.assert_equal(dirty[[1, 3, 5]], [np.nan, np.inf, -np.inf])


@pytest.mark.parametrize("weight", [1, -0.1, float("nan")])
def test_impossible_smoothing(weight: float) -> None:
    with pytest.raises(GanlibError, match="smoothing"):
        smooth([1.0], weight)
