"""Figures of known answers."""

from __future__ import annotations

import pandas as pd

from ganlib.figures.calibration import calibration_figure, courtroom_figure, describe_calibration, disturbance_figure

CALIBRATION = pd.DataFrame(
    [("t-test", 0.0, 0.04), ("energy", 0.0, 0.12), ("t-test", 0.5, 0.9), ("energy", 0.5, 1.0)],
    columns=["test", "shift", "rejected"],
).assign(repeats=200, low=0.02, high=0.08)
COURTROOM = pd.DataFrame(
    [
        ("none", 0.0, "", "FID", 1.0, False),
        ("blur", 1.0, "pixels", "FID", 2.0, False),
        ("blur", 2.0, "pixels", "FID", 9.0, True),
        ("blur", 1.0, "pixels", "copies", 0.0, False),
        ("blur", 2.0, "pixels", "copies", 0.0, False),
    ],
    columns=["fault", "strength", "unit", "instrument", "value", "noticed"],
)


def test_levels_stand_beside_their_band_and_power_beside_them():
    figure = calibration_figure(CALIBRATION)
    assert list(figure.data[0].x) == [0.04, 0.12]
    assert (figure.layout.shapes[0].x0, figure.layout.shapes[0].x1) == (0.02, 0.08)
    assert {trace.name: list(trace.y) for trace in figure.data[1:]} == {"t-test": [0.04, 0.9], "energy": [0.12, 1.0]}
    assert describe_calibration(CALIBRATION) == (
        "Rejected of 200 equal pairs: t-test 4.0%, energy 12.0%; above the band: energy."
    )


def test_the_courtroom_shows_from_which_strength_on():
    figure = courtroom_figure(COURTROOM)
    assert [list(row) for row in figure.data[0].z] == [[0, 0], [0, 1]]
    assert list(figure.data[0].y) == ["copies", "FID"]


def test_disturbances_begin_at_what_faultless_images_have():
    (line,) = disturbance_figure(COURTROOM).data
    assert list(zip(line.x, line.y, strict=True)) == [(0, 1.0), (0.5, 2.0), (1.0, 9.0)]
    assert "not measured" in disturbance_figure(COURTROOM, "KID").layout.annotations[0].text


def test_empty_frames_say_so():
    assert "Nothing was measured" in calibration_figure(CALIBRATION.iloc[:0]).layout.annotations[0].text
    assert "No fault" in courtroom_figure(COURTROOM.iloc[:1]).layout.annotations[0].text
