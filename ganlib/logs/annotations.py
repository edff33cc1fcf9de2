"""Points of a training that a chart annotates: growth, learning rate changes, the best FID, restarts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from ganlib.naming import readable

RESOLUTION = "resolution"
MAX_PER_RUN = 30  # of one kind: what happens more often is no event, and its lines would hide the curves
MIN_RATE_CHANGE = 0.3  # of a learning rate, between two rows: a smooth schedule is not annotated


def resolution_increases(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows at which a run's ``resolution`` rose (progressive growing), with ``label``: "16 px"."""
    logged = frame[frame["tag"] == RESOLUTION].sort_values(["run", "step"], kind="stable")
    # A row is a mean over some steps, which lies between two resolutions where the network grew among them.
    resolution = 2 ** np.ceil(np.log2(logged["value"].clip(lower=1)))
    increased = resolution.groupby(logged["run"], observed=True).diff() > 0
    return logged[increased].assign(label=[f"{pixels:.0f} px" for pixels in resolution[increased]])


def learning_rate_changes(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows at which a learning rate jumped, with ``label``: "lr 0.001"."""
    logged = frame[frame["tag"].astype(str).str.match(r"lr(/|$)")].sort_values(["run", "tag", "step"], kind="stable")
    previous = logged.groupby(["run", "tag", "segment"], observed=True)["value"].shift()
    jumped = (logged["value"] - previous).abs() > MIN_RATE_CHANGE * np.maximum(logged["value"].abs(), previous.abs())
    rows = logged[jumped]
    return rows.assign(
        label=[f"{tag} {readable(value, 2)}" for tag, value in zip(rows["tag"], rows["value"], strict=True)]
    )


def best_fid(frame: pd.DataFrame) -> pd.DataFrame:
    """The row of each run's lowest logged FID, with ``label``: "FID 9.01"."""
    logged = frame[(frame["tag"] == "fid") & np.isfinite(frame["value"])]
    rows = logged.loc[logged.groupby("run", observed=True)["value"].idxmin()]
    return rows.assign(label=[f"FID {readable(value)}" for value in rows["value"]])


def restarts(frame: pd.DataFrame) -> pd.DataFrame:
    """The first row of each segment but the first, with ``label``: "restart"."""
    later = frame[frame["segment"] > 0].sort_values(["run", "segment", "step"], kind="stable")
    return later.drop_duplicates(["run", "segment"]).assign(label="restart")


ANNOTATIONS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "growth": resolution_increases,
    "learning rate": learning_rate_changes,
    "best FID": best_fid,
    "restarts": restarts,
}


def find_annotations(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Kind and rows of all annotations in the frame of ``read``; ``frame`` must have unique index labels.

    None of a kind that a run has more than ``MAX_PER_RUN`` times, as the jumps of a cyclic learning rate.
    """
    for kind, find_rows in ANNOTATIONS.items():
        rows = find_rows(frame)
        rows = rows[rows.groupby("run", observed=True)["step"].transform("size") <= MAX_PER_RUN]
        if len(rows):
            yield kind, rows
