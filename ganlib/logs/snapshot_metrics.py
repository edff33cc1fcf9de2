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
    frames = [frame]
    units = frame.attrs.get("step_units", {})
    records = records[records["metric"].isin(RANKED) & records["images_seen"].notna()]
    for run, run_records in records.groupby("run"):
        logged_images = frame[(frame["run"] == run) & (frame["tag"] == "images")].sort_values("value")
        if logged_images.empty:
            continue
        for metric, metric_records in run_records.groupby("metric"):
            protocol = metric_records["protocol"].mode().iloc[0]
            points = metric_records[metric_records["protocol"] == protocol].sort_values(["images_seen", "date"])
            points = points.drop_duplicates("images_seen", keep="last")
            if len(points) < 2:
                continue
            images = points["images_seen"].to_numpy(np.float64)
            columns = {
                "run": str(run),
                "step": np.interp(images, logged_images["value"], logged_images["step"]).round(),
                "wall_time": np.interp(images, logged_images["value"], logged_images["wall_time"]),
                "tag": str(metric),
                "value": points["value"].to_numpy(),
                "original": "evaluation.json",
                "segment": logged_images["segment"].max(),
            }
            rows = pd.DataFrame(columns, columns=list(DTYPES)).astype(DTYPES)
            rows.attrs = {"step_units": {str(run): units.get(str(run), "steps")}, "skipped": [], "skipped_total": 0}
            frames.append(rows)
    return concat(frames).reset_index(drop=True) if len(frames) > 1 else frame
