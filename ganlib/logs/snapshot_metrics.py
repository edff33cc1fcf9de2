"""Metrics of snapshots as scalars of the training, to see its best step in the curves."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ganlib.logs.frame import DTYPES, concat
from ganlib.records import RANKED


def add_snapshot_metrics(frame: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    """The frame of ``read`` with the metric records of its runs as further rows, tagged by metric.

    Of each run and metric only the protocol with most records is used, and only where it has two or more: one value
    is no curve. A record's step is the one at which the run had seen as many images; runs that did not log images
    get none.
    """
    units = frame.attrs.get("step_units", {})
    of_frame = records["run"].isin(frame["run"].unique())
    records = records[of_frame & records["metric"].isin(RANKED) & records["images_seen"].notna()]
    curves: list[pd.DataFrame] = []
    for run, run_records in records.groupby("run"):
        logged_images = frame[(frame["run"] == run) & (frame["tag"] == "images")].sort_values("value")
        if logged_images.empty:
            continue
        points = _points(run_records)
        images = points["images_seen"].to_numpy(np.float64)
        columns = {
            "run": str(run),
            "step": np.interp(images, logged_images["value"], logged_images["step"]).round(),
            "wall_time": np.interp(images, logged_images["value"], logged_images["wall_time"]),
            "tag": points["metric"].to_numpy(),
            "value": points["value"].to_numpy(),
            "original": "evaluation.json",
            "segment": logged_images["segment"].max(),
        }
        curves.append(pd.DataFrame(columns, columns=list(DTYPES)))
    if not sum(map(len, curves)):
        return frame
    rows = pd.concat(curves).astype(DTYPES)
    rows.attrs = {"step_units": {run: units.get(run, "steps") for run in rows["run"].unique()}}
    rows.attrs |= {"skipped": [], "skipped_total": 0}
    return concat([frame, rows]).reset_index(drop=True)


def _points(records: pd.DataFrame) -> pd.DataFrame:
    """Of one run's records those that make a curve: of each metric the commonest protocol, each snapshot once."""
    counts = records.groupby("metric")["protocol"].value_counts().reset_index()
    usual = counts.sort_values(["count", "protocol"], ascending=[False, True], kind="stable").drop_duplicates("metric")
    points = records.merge(usual[["metric", "protocol"]], on=["metric", "protocol"])
    points = points.sort_values(["metric", "images_seen", "date"]).drop_duplicates(
        ["metric", "images_seen"], keep="last"
    )
    return points[points.groupby("metric")["metric"].transform("size") > 1]
