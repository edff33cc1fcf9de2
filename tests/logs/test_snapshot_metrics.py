"""Metrics of snapshots among the scalars of the training."""

from __future__ import annotations

import pandas as pd

from ganlib.logs import add_snapshot_metrics
from helpers.log_frames import scalar_frame


def records_of(*rows: tuple[str, str, float, int, str]) -> pd.DataFrame:
    """(run, metric, value, images seen, protocol) each."""
    frame = pd.DataFrame(rows, columns=["run", "metric", "value", "images_seen", "protocol"])
    return frame.assign(protocol_label="by " + frame["protocol"], data="digits", date=0)


def added_tags(records: pd.DataFrame) -> dict[str, list[str]]:
    """By run, which all logged images."""
    runs = sorted(records["run"].unique())
    frame = scalar_frame({run: {"images": {10: 640.0, 30: 1920.0}} for run in runs})
    result = add_snapshot_metrics(frame, records)
    added = result[result["original"] == "evaluation.json"]
    return {run: sorted(added[added["run"] == run]["tag"].unique()) for run in runs}


def test_scores_of_snapshots_lie_at_the_steps_of_their_images() -> None:
    frame = scalar_frame({"a": {"images": {10: 640.0, 30: 1920.0}}, "b": {"loss/D": {1: 1.0}}})
    rows = [("a", "fid", 9.0, 640), ("a", "fid", 5.0, 1280), ("a", "kid", 0.5, 640), ("b", "fid", 9.0, 640)]
    records = records_of(*((*row, "{}") for row in rows))
    result = add_snapshot_metrics(frame, records)
    added = result[result["original"] == "evaluation.json"]
    assert added[["run", "tag", "step", "value"]].values.tolist() == [["a", "fid", 10, 9.0], ["a", "fid", 20, 5.0]]
    assert result.dtypes.map(str).equals(frame.dtypes.map(str))
    assert add_snapshot_metrics(frame, records[:0]) is frame


def test_values_of_one_tag_share_a_protocol() -> None:
    both = [("a", "fid", 9.0, n, "small") for n in (640, 960, 1280)] + [
        ("a", "fid", 5.0, n, "large") for n in (640, 1280)
    ]
    others = [(run, "fid", 5.0, n, "large") for run in ("b", "c") for n in (640, 1280)]
    records = records_of(*both, *others)
    assert added_tags(records) == {"a": ["fid"], "b": ["fid"], "c": ["fid"]}
    frame = scalar_frame({run: {"images": {10: 640.0, 30: 1920.0}} for run in "abc"})
    result = add_snapshot_metrics(frame, records)
    assert result[(result["run"] == "a") & (result["tag"] == "fid")]["value"].tolist() == [5.0, 5.0]
    assert added_tags(records_of(*both)) == {"a": ["fid"]}  # alone it shows the longer curve


def test_a_run_without_the_common_protocol_names_its_own_in_the_tag() -> None:
    rows = [(run, "fid", 5.0, n, "large") for run in ("a", "b") for n in (640, 1280)]
    rows += [("c", "fid", 9.0, n, "small") for n in (640, 1280)]
    assert added_tags(records_of(*rows)) == {"a": ["fid"], "b": ["fid"], "c": ["fid (by small)"]}


def test_another_data_set_has_protocols_of_its_own() -> None:
    rows = [(run, metric, 5.0, n, f"{metric} 1") for run in "ab" for metric in ("fid", "isc") for n in (640, 1280)]
    rows += [("c", metric, 5.0, n, f"{metric} 2") for metric in ("fid", "isc") for n in (640, 1280)]
    records = records_of(*rows)
    records["data"] = records["data"].where(records["run"] != "c", "mnist").where(records["metric"] == "fid", "")
    assert added_tags(records) == {run: ["fid", "isc"] for run in "abc"}
