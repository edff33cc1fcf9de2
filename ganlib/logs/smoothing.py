"""TensorBoard's debiased exponential moving average."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ganlib.errors import GanlibError


def smooth(values: ArrayLike, weight: float) -> NDArray[np.float64]:
    """(n,) -> (n,): the mean of the values up to each one, where the one k steps earlier weighs weight^k.

    That is s_n / (1 - weight^n) with s_n = weight s_(n-1) + (1 - weight) x_n and s_0 = 0: without the
    division the curve would start at zero. A value that is not finite stays as it is and is in no mean.
    GanlibError unless 0 <= weight < 1.
    """
    if not 0 <= weight < 1:
        raise GanlibError(f"A smoothing of {weight} is not possible; choose one from 0 up to, but below, 1.")
    result = np.array(values, dtype=np.float64)
    finite = np.isfinite(result)
    # pandas' "adjusted" moving average divides by the sum of the weights, which is the same as the debiasing.
    result[finite] = pd.Series(result[finite]).ewm(alpha=1 - weight, adjust=True).mean()
    return result
