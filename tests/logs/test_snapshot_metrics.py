"""Metrics of snapshots among the scalars of the training."""

from __future__ import annotations

import pandas as pd

from ganlib.logs import add_snapshot_metrics
from helpers.log_frames import scalar_frame


def test_scores_of_snapshots_lie_at_the_steps_of_their_images() -> None:
    frame = scalar_frame({"a": {"images": {10: 640.0, 30: 1920.0}}, "b": {"loss/D": {1: 1.0}}})
    rows = [("a", "fid", 9.0, 640), ("a", "fid", 5.0, 1280), ("a", "kid", 0.5, 640), ("b", "fid", 9.0, 640)]
    records = pd.DataFrame(rows, columns=["run", "metric", "value", "images_seen"]).assign(protocol="{}", date=0)
    result = add_snapshot_metrics(frame, records)
    added = result[result["original"] == "evaluation.json"]
    assert added[["run", "tag", "step", "value"]].values.tolist() == [["a", "fid", 10, 9.0], ["a", "fid", 20, 5.0]]
    assert result.dtypes.map(str).equals(frame.dtypes.map(str))
    assert add_snapshot_metrics(frame, records[:0]) is frame
