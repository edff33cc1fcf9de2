"""Horizontal axes of curves: what a run logged, interpolated, and time without pauses."""

from __future__ import annotations

import pytest

from ganlib.errors import GanlibError
from ganlib.logs import assign_x, available_axes
from ganlib.logs.axes import elapsed_seconds
from helpers.log_frames import scalar_frame


def test_time_of_a_resumed_run_has_no_hole() -> None:
    wall_times = [100, 102, 104, 5000, 5002, 5001, 5003]  # a pause of 4,896 s, and a clock set back
    resumed = {"loss/G": dict.fromkeys(range(7), 1.0), "loss/D": dict.fromkeys(range(0, 7, 2), 2.0)}
    frame = scalar_frame({"a": resumed, "b": {"x": {1: 1}}}, wall_time=[*wall_times, *wall_times[::2], 900000])
    seconds = elapsed_seconds(frame)
    assert seconds[frame["tag"] == "loss/G"].tolist() == [0, 2, 4, 6, 8, 8, 10]
    assert seconds[frame["tag"] == "loss/D"].tolist() == [0, 4, 8, 10]
    assert seconds[frame["run"] == "b"].tolist() == [0]  # another run has its own beginning


def test_where_rows_have_no_time_the_logged_one_counts() -> None:
    frame = scalar_frame({"a": {"elapsed": {0: 0.0, 100: 50.0}, "loss/D": {20: 1.0, 120: 1.0}}}, wall_time=float("nan"))
    assert elapsed_seconds(frame)[frame["tag"] == "loss/D"].tolist() == [10.0, 60.0]


def test_an_axis_is_what_the_run_logged_of_it() -> None:
    frame = scalar_frame(
        {
            "ours": {"images": {10: 640.0, 30: 1920.0}, "loss/D": {10: 1.0, 20: 2.0, 40: 3.0}},
            "theirs": {"loss/D": {100: 5.0}},
            "neither": {"loss/D": {1: 5.0}},
        }
    )
    frame.attrs["step_units"] = {"ours": "steps", "theirs": "images", "neither": "steps"}
    with_x = assign_x(frame, "images")
    losses = with_x[with_x["tag"] == "loss/D"]
    assert losses["x"].tolist() == [640, 1280, 2560, 100]  # between, beyond, as it is
    assert set(with_x["run"]) == {"ours", "theirs"}
    assert assign_x(frame, "step")["x"].tolist() == frame["step"].tolist()
    assert assign_x(frame, "epoch").empty
    assert available_axes(frame) == ["images", "step", "time"]
    assert available_axes(frame[:0]) == []
    with pytest.raises(GanlibError, match="no axis 'epochs'"):
        assign_x(frame, "epochs")


def test_dates_are_dates_and_relative_times_are_none() -> None:
    frame = scalar_frame({"a": {"x": {1: 1.0}}, "b": {"x": {1: 1.0}}}, wall_time=[1.7e9, 12.5])
    with_x = assign_x(frame, "clock")
    assert with_x["run"].tolist() == ["a"]
    assert str(with_x["x"].iloc[0]) == "2023-11-14 22:13:20"
    assert available_axes(frame) == ["step", "time", "clock"]
