"""Moments of a training that a curve should show."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

RESOLUTION = "resolution"
SMALLEST_CHANGE = 0.3  # of a learning rate, between two rows: a smooth schedule is no mark


def growths(frame: pd.DataFrame) -> pd.DataFrame:
    """Where the networks of a run grew: the rows at which its ``resolution`` rose, with ``label``: "16 px"."""
    logged = frame[frame["tag"] == RESOLUTION].sort_values(["run", "step"], kind="stable")
    # A row is a mean over some steps: between two resolutions where the growth lies among them.
    size = 2 ** np.ceil(np.log2(logged["value"].clip(lower=1)))
    rose = size.groupby(logged["run"], observed=True).diff() > 0
    return logged[rose].assign(label=[f"{pixels:.0f} px" for pixels in size[rose]])


def rate_changes(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows at which a learning rate jumped, with ``label``: "lr 0.001"."""
    logged = frame[frame["tag"].astype(str).str.match(r"lr(/|$)")].sort_values(["run", "tag", "step"], kind="stable")
    before = logged.groupby(["run", "tag", "segment"], observed=True)["value"].shift()
    jumped = (logged["value"] - before).abs() > SMALLEST_CHANGE * np.maximum(logged["value"].abs(), before.abs())
    found = logged[jumped]
    return found.assign(label=[f"{tag} {value:.2g}" for tag, value in zip(found["tag"], found["value"], strict=True)])


def best_fids(frame: pd.DataFrame) -> pd.DataFrame:
    """The row of each run's lowest logged FID, with ``label``: "FID 9.01"."""
    logged = frame[(frame["tag"] == "fid") & np.isfinite(frame["value"])]
    found = logged.loc[logged.groupby("run", observed=True)["value"].idxmin()]
    return found.assign(label=[f"FID {value:.3g}" for value in found["value"]])


def restarts(frame: pd.DataFrame) -> pd.DataFrame:
    """The first row of each segment but the first, with ``label``: "restart"."""
    later = frame[frame["segment"] > 0].sort_values(["run", "segment", "step"], kind="stable")
    return later.drop_duplicates(["run", "segment"]).assign(label="restart")


MARKS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "growth": growths,
    "learning rate": rate_changes,
    "best FID": best_fids,
    "restarts": restarts,
}


def marks(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Kind and rows of all marks that the frame of ``read`` holds; ``frame`` must have unique index labels."""
    for kind, find in MARKS.items():
        if len(found := find(frame)):
            yield kind, found
