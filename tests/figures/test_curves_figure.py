"""Curves: what is drawn, in which order and colour, and the words that say the same."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ganlib.figures import (
    MAX_POINTS,
    Span,
    curves,
    describe_curves,
)
from ganlib.figures.curves import LINE_END, curves_height
from helpers.figure_frames import COLOURS, frame


def titles(figure: Any) -> list[str]:
    """All annotations but the names at the ends of lines."""
    return [a.text for a in figure.layout.annotations if a.name != LINE_END]


def test_a_mark_stands_at_its_place_on_a_logarithmic_axis_too() -> None:
    table = frame(["one"], ["a"])
    table = table.assign(x=table.x + 100 - table.x.iloc[-1])
    marks = table[-1:].assign(label="growth")
    figure = curves(table, x="steps", log_x=True, colours=COLOURS, marks=marks)
    (line,) = figure.layout.shapes
    (text,) = (a for a in figure.layout.annotations if a.text == "growth")
    assert (line.x0, line.x1) == (100, 100)
    assert text.x == 2  # Plotly takes the logarithm for texts, the value for lines


def test_few_lines_have_their_names_at_their_ends_and_many_a_legend_beside() -> None:
    figure = curves(frame(["one", "two"], ["a", "b"]), x="steps", colours=COLOURS)
    labels = [a for a in figure.layout.annotations if a.name == LINE_END]
    assert [a.text for a in labels] == ["one", "two"]
    assert [a.yref for a in labels] == ["y2", "y2"]  # in the last panel of the row
    assert labels[1].y - labels[0].y > 0.05
    assert figure.layout.showlegend is False
    many = curves(frame(list("abcdef"), ["a"]), x="steps", colours={})
    assert not [a for a in many.layout.annotations if a.name == LINE_END]
    assert (many.layout.legend.orientation, many.layout.showlegend) == ("v", None)


def test_a_panel_per_tag_and_each_run_once_in_the_legend() -> None:
    figure = curves(frame(["one", "two", "three"], ["a", "b", "c"]), x="images seen", colours=COLOURS)
    assert titles(figure) == ["a", "b", "c"]
    assert len(figure.data) == 9
    assert sorted(t.name for t in figure.data if t.showlegend) == ["one", "three", "two"]
    styles = {t.name: (t.line.color, t.line.dash) for t in figure.data}
    assert styles["one"][0] == COLOURS["one"] != styles["two"][0]
    assert styles["one"][1] != styles["two"][1]
    assert styles["three"] == (COLOURS["three"], "solid")
    assert figure.layout.hovermode == "x unified"
    axes = [axis.title.text for axis in figure.select_xaxes()]
    assert axes.count("images seen") == 2  # the lowest panel of each column


def test_a_run_without_the_first_tag_is_in_the_legend() -> None:
    both = pd.concat([frame(["one"], ["a", "b"]), frame(["three"], ["b"])])
    figure = curves(both, x="images seen", colours=COLOURS)
    assert sorted(t.name for t in figure.data if t.showlegend) == ["one", "three"]


def test_dates_are_an_axis_too() -> None:
    table = frame(["one"], ["a"])
    dated = table.assign(x=pd.to_datetime(1e9 + 60 * table["step"], unit="s"))
    mark = dated[dated["step"] == 10].assign(label="restart")
    figure = curves(dated, x="date", marks=mark, colours=COLOURS)
    assert str(figure.data[0].x[1]).startswith("2001-09-09T01:47:40")
    assert figure.layout.shapes[0].x0 == "2001-09-09T01:56:40"
    json.loads(figure.to_json())


def test_a_restart_is_a_gap_and_no_zigzag() -> None:
    table = frame(["one"], ["a"])
    again = pd.concat([table, table.assign(segment=1, value=9.0)], ignore_index=True)
    (line,) = curves(again, x="steps", colours=COLOURS).data
    (gap,) = np.flatnonzero(np.isnan(line.y))
    assert gap == 30
    assert (np.diff(line.x[:30]) > 0).all()
    assert (line.y[31:] == 9).all()


def test_runs_one_by_one_are_a_panel_each() -> None:
    figure = curves(frame(["one", "three"], ["a", "b"]), x="steps", layout="multiples", colours=COLOURS)
    assert [a.text for a in figure.layout.annotations] == ["one", "three"] * 2
    assert [axis.title.text for axis in figure.select_yaxes()][:4] == ["a", "a", "b", "b"]
    assert [trace.name for trace in figure.data] == ["one", "three"] * 2
    assert [trace.showlegend for trace in figure.data] == [True, True, False, False]


def test_on_a_phone_panels_stand_below_each_other_and_names_above() -> None:
    table = frame(["one", "three"], ["a", "b"])
    figure = curves(table, x="steps", narrow=True, colours=COLOURS)
    assert len({axis.domain for axis in figure.select_xaxes()}) == 1
    assert figure.layout.legend.orientation == "h"
    assert [a.text for a in figure.layout.annotations] == ["a", "b"]  # no names at the lines' ends
    assert figure.layout.height == curves_height(table, "overlay", narrow=True) > curves_height(table, "overlay")
    names = ["flowers5-pggan", "flowers5-stylegan2", "flowers5-stylegan2_ada"]
    longer = curves(frame(names, ["a", "b"]), x="steps", narrow=True, colours=COLOURS)
    assert longer.layout.margin.t - figure.layout.margin.t == 40  # three rows of names, not one
    assert longer.layout.height - figure.layout.height == 40


def test_runs_of_one_group_are_a_mean_in_a_band() -> None:
    table = frame(["one", "two", "three"], ["a"])
    figure = curves(table, x="steps", groups={"one": "one", "two": "one"}, colours=COLOURS)
    low, high, mean, other = figure.data
    assert [t.name for t in figure.data if t.showlegend] == ["one (2 seeds)", "three"]
    np.testing.assert_allclose(mean.y, (np.asarray(low.y) + np.asarray(high.y)) / 2)
    np.testing.assert_allclose(np.asarray(high.y) - np.asarray(low.y), 1)  # they lie 1 apart everywhere
    assert high.fill == "tonexty"
    assert other.name == "three"


def test_a_clipped_axis_leaves_outliers_outside() -> None:
    table = frame(["one"], ["a"], n=1000)
    table.loc[500, "value"] = 1e9
    (low, high) = curves(table, x="steps", clip=True, colours=COLOURS).layout.yaxis.range
    assert low < 1.1
    assert 1.9 < high < 2.2


def test_an_interval_is_shaded_in_every_panel() -> None:
    figure = curves(frame(["one"], ["a", "b"]), x="steps", span=Span(64.0, 128.0, "Divergence"), colours=COLOURS)
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(64, 128)] * 2


def test_a_logarithmic_axis_runs_along_the_steps_too() -> None:
    assert curves(frame(["one"], ["a"]), x="steps", log_x=True, colours=COLOURS).layout.xaxis.type == "log"


def test_smoothing_keeps_the_raw_line_faint_behind() -> None:
    raw, front = curves(frame(["one"], ["a"]), x="images seen", smoothing=0.9, colours=COLOURS).data
    assert raw.opacity < front.opacity
    assert (raw.hoverinfo, raw.showlegend, front.showlegend) == ("skip", False, True)
    assert raw.y[-1] > front.y[-1]  # the curve rises and its mean lags


@pytest.mark.parametrize("smoothing", [0.0, 0.9])
def test_few_points_are_sent_and_the_spike_is_among_them(smoothing: float) -> None:
    table = frame(["one"], ["a"], n=20_000)
    table.loc[7_777, "value"] = 1e6
    table.loc[8_888, "value"] = np.inf
    figure = curves(table, x="images seen", smoothing=smoothing, colours=COLOURS)
    assert sum(len(t.y) for t in figure.data) <= MAX_POINTS
    assert np.nanmax(figure.data[0].y) == 1e6
    assert np.isnan(figure.data[0].y).sum() == 1  # infinity is drawn as a gap
    json.loads(figure.to_json())


def test_log_axis_where_it_can_be() -> None:
    table = frame(["one"], ["a", "b"])
    table.loc[table["tag"] == "b", "value"] -= 100
    figure = curves(table, x="images seen", log_y=True, colours=COLOURS)
    assert (figure.layout.yaxis.type, figure.layout.yaxis2.type) == ("log", None)
    assert "linear" in figure.layout.annotations[1].text


def test_marks_are_lines_across_every_panel() -> None:
    table = frame(["one", "three"], ["a", "b"])
    mark = table[(table["run"] == "three") & (table["tag"] == "a") & (table["step"] == 10)].assign(label="8 px")
    figure = curves(table, x="images seen", marks=mark, colours=COLOURS)
    assert [(line.x0, line.x1) for line in figure.layout.shapes] == [(640, 640)] * 2
    assert {line.line.color for line in figure.layout.shapes} == {COLOURS["three"]}
    assert titles(figure) == ["a", "b", "8 px", "8 px"]
    assert not curves(table, x="images seen", marks=mark[:0], colours=COLOURS).layout.shapes


def test_curves_in_words() -> None:
    table = frame(["one", "three"], ["a"])
    assert describe_curves(table) == (
        "2 runs, up to step 29. Mean over each run's last tenth: a from 1.93 (one) to 2.93 (three)."
    )
    table.loc[3, "value"] = np.nan
    assert describe_curves(table).endswith("1 value is not finite.")
    assert "and 2 more scalars" in describe_curves(frame(["one"], list("abcde")))
    assert describe_curves(table.iloc[:0]) == "No scalars to show yet."
