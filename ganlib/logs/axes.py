"""What a curve can run along: steps, images, epochs, time."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ganlib.errors import GanlibError
from ganlib.logs.readers.cells import EARLIEST

AXES = {
    "images": "images seen",
    "step": "steps, as logged",
    "epoch": "epochs",
    "time": "training time, minutes",
    "clock": "date and time, UTC",
}
LONGEST_GAP = 10  # median intervals; a longer one is a pause: the run was stopped and resumed


def axes(frame: pd.DataFrame) -> list[str]:
    """Those along which some run of the frame can be laid."""
    if frame.empty:
        return []
    tags, units = set(frame["tag"].unique()), frame.attrs.get("step_units", {})
    found = {units.get(run, "steps") for run in frame["run"].unique()} | tags
    latest = frame["wall_time"].max()
    possible = {
        "images": "images" in found,
        "step": True,
        "epoch": bool({"epoch", "epochs"} & found),
        "time": bool(latest == latest) or "elapsed" in tags,  # not NaN
        "clock": bool(latest > EARLIEST),
    }
    return [axis for axis in AXES if possible[axis]]


def along(frame: pd.DataFrame, axis: str) -> pd.DataFrame:
    """The frame of ``read`` with a column ``x``, its rows' places on the axis; runs that logged none are left out.

    images, epoch: the step where it counts them, else what the run logged of them, linear between. time: minutes
    without pauses, see ``elapsed``. clock: datetime64. Call it before choosing tags. GanlibError for another axis.
    """
    if axis not in AXES:
        raise GanlibError(f"There is no axis {axis!r}; there are: {', '.join(AXES)}.")
    if axis == "step":
        return frame.assign(x=frame["step"].astype(np.float64))
    if axis == "clock":
        known = frame[frame["wall_time"] > EARLIEST]
        return known.assign(x=pd.to_datetime(known["wall_time"], unit="s").dt.round("s"))
    places = elapsed(frame) / 60 if axis == "time" else _counted(frame, axis)
    return frame.assign(x=places).dropna(subset=["x"])


def elapsed(frame: pd.DataFrame) -> pd.Series[float]:
    """Seconds of training since each run's first row in the frame, as a column of the frame; NaN where unknown.

    The intervals between a run's rows add up, but one longer than ten times their median counts as the
    median: the run was stopped there and resumed, and nothing was learned meanwhile. A clock set back counts
    as no time. Where rows have no time, a logged ``elapsed`` takes its place.
    """
    seconds = np.full(len(frame), np.nan)
    for positions in frame.groupby("run", observed=True).indices.values():
        rows = frame.iloc[positions]
        step = rows["step"].to_numpy()
        order = rows["segment"].to_numpy(np.int64) * (np.ptp(step) + 1) + step - step.min()
        _, first, inverse = np.unique(order, return_index=True, return_inverse=True)
        wall = rows["wall_time"].to_numpy()[first]
        if np.isfinite(wall).all():
            seconds[positions] = _without_pauses(wall)[inverse]
    unknown = np.isnan(seconds)
    if unknown.any():
        seconds[unknown] = _counted(frame[unknown], "elapsed")
    return pd.Series(seconds, index=frame.index, name="elapsed")


def _without_pauses(wall: NDArray[np.float64]) -> NDArray[np.float64]:
    intervals = np.maximum(np.diff(wall), 0)
    if len(intervals) and (median := np.median(intervals)) > 0:
        intervals[intervals > LONGEST_GAP * median] = median
    return np.concatenate([[0.0], np.cumsum(intervals)])


def _counted(frame: pd.DataFrame, tag: str) -> NDArray[np.float64]:
    """(n,) what the run had logged under ``tag`` by each row; NaN where it never did."""
    units = frame.attrs.get("step_units", {})
    found = np.full(len(frame), np.nan)
    for positions in frame.groupby(["run", "segment"], observed=True).indices.values():
        rows = frame.iloc[positions]
        run = rows["run"].iloc[0]
        step = rows["step"].to_numpy(np.float64)
        if units.get(run) in (tag, f"{tag}s"):
            found[positions] = step
            continue
        known = rows[(rows["tag"] == tag) & np.isfinite(rows["value"])].sort_values("step")
        if len(known):
            found[positions] = _between(step, known["step"].to_numpy(np.float64), known["value"].to_numpy())
    return found


def _between(x: NDArray[np.float64], at: NDArray[np.float64], value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear between the known places, in proportion beyond them."""
    inside = np.interp(x, at, value)
    if at[0] > 0:
        inside = np.where(x < at[0], value[0] * x / at[0], inside)
    return np.where(x > at[-1], value[-1] * x / at[-1], inside) if at[-1] > 0 else inside
