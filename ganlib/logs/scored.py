"""Scores of snapshots as scalars of the training: where its best moment was."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ganlib.logs.frame import DTYPES, concat
from ganlib.logs.metrics import METRICS


def with_scores(frame: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    """The frame of ``read`` and, for its runs, those of ``read_evaluations`` as rows, tagged by metric.

    Of each run and metric the protocol with most records counts, where it has two or more: one score is no curve.
    Their steps are those at which the run had seen as many images; a run that logged no images gets none.
    """
    added = [frame]
    units = frame.attrs.get("step_units", {})
    records = records[records["metric"].isin(METRICS) & records["images_seen"].notna()]
    for run, scores in records.groupby("run"):
        own = frame[(frame["run"] == run) & (frame["tag"] == "images")].sort_values("value")
        if own.empty:
            continue
        for metric, of_metric in scores.groupby("metric"):
            protocol = of_metric["protocol"].mode().iloc[0]
            points = of_metric[of_metric["protocol"] == protocol].sort_values(["images_seen", "date"])
            points = points.drop_duplicates("images_seen", keep="last")
            if len(points) < 2:
                continue
            images = points["images_seen"].to_numpy(np.float64)
            columns = {
                "run": str(run),
                "step": np.interp(images, own["value"], own["step"]).round(),
                "wall_time": np.interp(images, own["value"], own["wall_time"]),
                "tag": str(metric),
                "value": points["value"].to_numpy(),
                "original": "evaluation.json",
                "segment": own["segment"].max(),
            }
            rows = pd.DataFrame(columns, columns=list(DTYPES)).astype(DTYPES)
            rows.attrs = {"step_units": {str(run): units.get(str(run), "steps")}, "skipped": [], "skipped_total": 0}
            added.append(rows)
    return concat(added).reset_index(drop=True) if len(added) > 1 else frame
