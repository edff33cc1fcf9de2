"""Small frames as ``ganlib.logs.read`` gives them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ganlib.logs.frame import DTYPES


def scalar_frame(runs: dict[str, dict[str, dict[int, float]]], **columns: Any) -> pd.DataFrame:
    """The frame of ``read`` from run -> tag -> step -> value; further columns are given whole."""
    rows = [
        (run, step, float(step), tag, value, tag, 0)
        for run, tags in runs.items()
        for tag, points in tags.items()
        for step, value in points.items()
    ]
    frame = pd.DataFrame(rows, columns=list(DTYPES)).assign(**columns)
    return frame.astype(DTYPES)
