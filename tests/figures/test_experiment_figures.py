"""Measured values: a panel a measure, a point a training, a line where a number is compared with."""

from __future__ import annotations

from math import nan

import pandas as pd

from ganlib.figures import describe_values, measured_values

FRAME = pd.DataFrame(
    [
        ("FID", "base", "base-s0", 10.0, 9.0, 11.0),
        ("FID", "base", "base-s1", 12.0, 11.0, 13.0),
        ("FID", "other", "other-s0", 20.0, nan, nan),
        ("Coverage", "base", "base-s0", 0.5, nan, nan),
    ],
    columns=["measure", "variant", "run", "value", "low", "high"],
)
COLOURS = {"base": "#0073cc", "other": "#f26600"}


def test_every_training_is_a_point_and_several_have_their_mean():
    figure = measured_values(FRAME, colours=COLOURS, references={"Coverage": [0.9, 0.1]})
    base, mean, other, coverage = figure.data
    assert (list(base.x), list(base.error_x.array), list(base.error_x.arrayminus)) == ([10, 12], [1, 1], [1, 1])
    assert list(mean.x) == [11]
    assert (list(other.x), list(coverage.x)) == ([20], [0.5])
    assert [note.text for note in figure.layout.annotations] == ["FID", "Coverage"]
    assert [shape.x0 for shape in figure.layout.shapes] == [0.9, 0.1]


def test_the_text_alternative_has_every_value():
    assert describe_values(FRAME) == "FID: base 10, 12; other 20. Coverage: base 0.5."
    assert describe_values(FRAME[:0]) == "Nothing is measured yet."
    assert (
        measured_values(FRAME[:0], colours={}, references={}).layout.annotations[0].text == "Nothing is measured yet."
    )
