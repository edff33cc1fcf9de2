"""Metrics of snapshots as scalars of the training, to see its best step in the curves."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ganlib.logs.frame import DTYPES, concat
from ganlib.records import RANKED


def add_snapshot_metrics(frame: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    """The frame of ``read`` with the metric records of its runs as further rows, tagged by metric.

    ``records``: of ``read_evaluations``. Values of one tag compare: of each data set and metric it has the protocol in
    which most runs have a curve. A run without one there has its own, whose tag names the protocol as well. One value
    is no curve. A record's step is the one at which the run had seen as many images; runs that did not log images
    get none.
    """
    units = frame.attrs.get("step_units", {})
    logged = frame[frame["tag"] == "images"]
    of_frame = records["run"].isin(logged["run"].unique())
    records = records[of_frame & records["metric"].isin(RANKED) & records["images_seen"].notna()]
    curves: list[pd.DataFrame] = []
    for run, points in _points(records).groupby("run"):
        logged_images = logged[logged["run"] == run].sort_values("value")
        images = points["images_seen"].to_numpy(np.float64)
        columns = {
            "run": str(run),
            "step": np.interp(images, logged_images["value"], logged_images["step"]).round(),
            "wall_time": np.interp(images, logged_images["value"], logged_images["wall_time"]),
            "tag": points["tag"].to_numpy(),
            "value": points["value"].to_numpy(),
            "original": "evaluation.json",
            "segment": logged_images["segment"].max(),
        }
        curves.append(pd.DataFrame(columns, columns=list(DTYPES)))
    if not curves:
        return frame
    rows = pd.concat(curves).astype(DTYPES)
    rows.attrs = {"step_units": {run: units.get(run, "steps") for run in rows["run"].unique()}}
    rows.attrs |= {"skipped": [], "skipped_total": 0}
    return concat([frame, rows]).reset_index(drop=True)


def _points(records: pd.DataFrame) -> pd.DataFrame:
    """Those of a curve, with their ``tag``: of each run and metric one protocol, of each snapshot the latest."""
    curve = ["run", "metric", "protocol"]
    points = records.sort_values([*curve, "images_seen", "date"]).drop_duplicates([*curve, "images_seen"], keep="last")
    points = points[points.groupby(curve)["metric"].transform("size") > 1]
    # What compares with no real images names no data set: that of the run's other records.
    named = points[points["data"] != ""].drop_duplicates("run").set_index("run")["data"]
    points = points.assign(data=points["run"].map(named).fillna(""))
    group = points.groupby(["data", "metric", "protocol"], as_index=False)
    counts = group.agg(runs=("run", "nunique"), n=("run", "size"))
    counts = counts.sort_values(["runs", "n", "protocol"], ascending=[False, False, True], kind="stable")
    place = {tuple(key): rank for rank, key in enumerate(counts[["data", "metric", "protocol"]].to_numpy())}
    keys = zip(points["data"], points["metric"], points["protocol"], strict=True)
    points = points.assign(place=[place[key] for key in keys])
    points = points[points["place"] == points.groupby(["run", "metric"])["place"].transform("min")]
    usual = points["place"] == points.groupby(["data", "metric"])["place"].transform("min")
    return points.assign(tag=points["metric"].where(usual, points["metric"] + " (" + points["protocol_label"] + ")"))
