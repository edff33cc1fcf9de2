"""The horizontal axes of a curve: steps, images, epochs, time."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ganlib.errors import GanlibError
from ganlib.logs.readers.cells import MIN_UNIX_TIME

AXES = {
    "images": "images seen",
    "step": "steps, as logged",
    "epoch": "epochs",
    "time": "training time, minutes",
    "clock": "date and time, UTC",
}
MAX_GAP = 10  # median intervals; a longer one is a pause: the run was stopped and resumed


def available_axes(frame: pd.DataFrame) -> list[str]:
    """The keys of ``AXES`` for which some run of the frame has values."""
    if frame.empty:
        return []
    tags, units = set(frame["tag"].unique()), frame.attrs.get("step_units", {})
    counted = {units.get(run, "steps") for run in frame["run"].unique()} | tags
    latest = frame["wall_time"].max()
    available = {
        "images": "images" in counted,
        "step": True,
        "epoch": bool({"epoch", "epochs"} & counted),
        "time": bool(latest == latest) or "elapsed" in tags,  # not NaN
        "clock": bool(latest > MIN_UNIX_TIME),
    }
    return [axis for axis in AXES if available[axis]]


def assign_x(frame: pd.DataFrame, axis: str) -> pd.DataFrame:
    """The frame of ``read`` with a column ``x``: each row's position on the axis. Runs without that axis are dropped.

    images, epoch: the step where it counts them, else interpolated from what the run logged. time: minutes without
    pauses, see ``elapsed_seconds``. clock: datetime64. Call it before selecting tags. GanlibError for an unknown axis.
    """
    if axis not in AXES:
        raise GanlibError(f"There is no axis {axis!r}; there are: {', '.join(AXES)}.")
    if axis == "step":
        return frame.assign(x=frame["step"].astype(np.float64))
    if axis == "clock":
        dated = frame[frame["wall_time"] > MIN_UNIX_TIME]
        return dated.assign(x=pd.to_datetime(dated["wall_time"], unit="s").dt.round("s"))
    x = elapsed_seconds(frame) / 60 if axis == "time" else _interpolate_tag(frame, axis)
    return frame.assign(x=x).dropna(subset=["x"])


def elapsed_seconds(frame: pd.DataFrame) -> pd.Series[float]:
    """(n,) seconds of training since each run's first row in the frame; NaN where unknown.

    The sum of the intervals between a run's rows. An interval longer than ten times their median is a pause (the
    run was stopped and resumed) and counts as the median; a clock set back counts as zero. Rows without a wall time
    use a logged ``elapsed`` instead.
    """
    seconds = np.full(len(frame), np.nan)
    for positions in frame.groupby("run", observed=True).indices.values():
        rows = frame.iloc[positions]
        step = rows["step"].to_numpy()
        order = rows["segment"].to_numpy(np.int64) * (np.ptp(step) + 1) + step - step.min()
        _, first, inverse = np.unique(order, return_index=True, return_inverse=True)
        wall = rows["wall_time"].to_numpy()[first]
        if np.isfinite(wall).all():
            seconds[positions] = without_pauses(wall)[inverse]
    unknown = np.isnan(seconds)
    if unknown.any():
        seconds[unknown] = _interpolate_tag(frame[unknown], "elapsed")
    return pd.Series(seconds, index=frame.index, name="elapsed")


def without_pauses(wall: ArrayLike) -> NDArray[np.float64]:
    """(n,) seconds since the first of n >= 1 times, as ``elapsed_seconds`` counts them."""
    intervals = np.maximum(np.diff(wall), 0)
    if len(intervals) and (median := np.median(intervals)) > 0:
        intervals[intervals > MAX_GAP * median] = median
    return np.concatenate([[0.0], np.cumsum(intervals)])


def _interpolate_tag(frame: pd.DataFrame, tag: str) -> NDArray[np.float64]:
    """(n,) the run's value of ``tag`` at the step of each row; NaN where it never logged one."""
    units = frame.attrs.get("step_units", {})
    result = np.full(len(frame), np.nan)
    for positions in frame.groupby(["run", "segment"], observed=True).indices.values():
        rows = frame.iloc[positions]
        run = rows["run"].iloc[0]
        step = rows["step"].to_numpy(np.float64)
        if units.get(run) in (tag, f"{tag}s"):
            result[positions] = step
            continue
        logged = rows[(rows["tag"] == tag) & np.isfinite(rows["value"])].sort_values("step")
        if len(logged):
            result[positions] = _interpolate(step, logged["step"].to_numpy(np.float64), logged["value"].to_numpy())
    return result


def _interpolate(
    x: NDArray[np.float64], known_x: NDArray[np.float64], known_values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Linear between the known points, proportional to x outside."""
    inside = np.interp(x, known_x, known_values)
    if known_x[0] > 0:
        inside = np.where(x < known_x[0], known_values[0] * x / known_x[0], inside)
    return np.where(x > known_x[-1], known_values[-1] * x / known_x[-1], inside) if known_x[-1] > 0 else inside
