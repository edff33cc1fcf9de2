"""The chart of an inversion's distances."""

from __future__ import annotations

from ganlib.figures import inversion_losses


def test_each_step_is_a_point_and_the_axis_begins_at_zero() -> None:
    figure = inversion_losses([1.5, 0.9, 0.7])
    assert list(figure.data[0].y) == [1.5, 0.9, 0.7]
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.rangemode) == ("Step", "tozero")
