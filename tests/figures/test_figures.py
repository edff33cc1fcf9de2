"""Figures: what is drawn, in which order and colour, and the words that say the same."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ganlib.errors import GanlibError
from ganlib.figures import (
    MAX_POINTS,
    PALETTE,
    Span,
    class_heatmap,
    curves,
    describe_curves,
    describe_scores,
    pareto,
    score_bars,
    score_cost,
    score_history,
    score_pairs,
)
from ganlib.figures.curves import LINE_END, curves_height
from ganlib.figures.scores import MAX_ENDS
from ganlib.figures.style import NEUTRAL, colour_of, shortened

COLOURS = {"one": PALETTE[2], "two": PALETTE[2], "three": PALETTE[0]}


def frame(runs: list[str], tags: list[str], n: int = 30) -> pd.DataFrame:
    rows = [
        (run, step, step * 64.0, tag, 1.0 + place + step / n, 0)
        for place, (run, tag) in enumerate(itertools.product(runs, tags))
        for step in range(n)
    ]
    table = pd.DataFrame(rows, columns=["run", "step", "x", "tag", "value", "segment"])
    return table.astype({"run": "category", "tag": "category"})


def scores(**values: float) -> pd.DataFrame:
    table = pd.DataFrame({"run": list(values), "value": list(values.values())})
    table = table.assign(low=table["value"] - 1, high=table["value"] + 2, images_seen=64_000)
    table = table.assign(metric="fid", protocol="{}", protocol_label="embedded", weights_hash="abc")
    return table.assign(snapshot=pd.array([None] * len(table), dtype="Int64"))


def luminance(colour: str) -> float:
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return float(np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


def test_colours_are_fixed_and_readable() -> None:
    assert PALETTE[0] == "#0073cc"
    assert len(set(PALETTE)) == 12
    assert colour_of("one", COLOURS) == COLOURS["one"]
    assert colour_of("a run of another tool", {}) == colour_of("a run of another tool", COLOURS)
    assert colour_of("stylegan9", {}) == "#ff4d99"  # from its letters alone
    for colour in PALETTE:
        for background in ("#ffffff", "#0e1117"):
            dark, light = sorted((luminance(colour), luminance(background)))
            assert (light + 0.05) / (dark + 0.05) >= 3


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


def test_bars_are_sorted_with_intervals_and_numbers() -> None:
    table = scores(three=30, one=10, two=20.25)
    table.loc[1, ["low", "high"]] = np.nan
    figure = score_bars(table, title="FID on embedded features, lower is better", colours=COLOURS)
    bars, intervals, numbers = figure.data
    assert list(bars.x) == [10, 20.25, 30]
    assert list(bars.y) == ["one", "two", "three"]
    assert figure.layout.yaxis.autorange == "reversed"  # the lowest on top
    for shown in (bars, intervals):  # the rim and the line
        np.testing.assert_array_equal(shown.error_x.array, [np.nan, 2, 2])
        np.testing.assert_array_equal(shown.error_x.arrayminus, [np.nan, 1, 1])
    assert list(intervals.x) == list(bars.x)
    assert bars.marker.color[2] == COLOURS["three"]
    assert [text.strip() for text in numbers.text] == ["10.0", "20.2", "30.0"]
    assert figure.layout.xaxis.title.text.startswith("FID on embedded")
    assert bars.customdata[1].tolist() == ["64,000", " (19.25 to 22.25)"]


def test_records_of_one_run_have_labels_of_their_own() -> None:
    table = pd.concat([scores(one=10), scores(one=20), scores(one=30)], ignore_index=True)
    table["snapshot"] = pd.array([None, 1000, None], dtype="Int64")
    table["weights_hash"] = ["abc", "abc", "def"]
    bars = score_bars(table, title="FID", colours=COLOURS).data[0]
    assert list(bars.y) == ["one #abc", "one at 1,000 images", "one #def"]


@pytest.mark.parametrize("column", ["metric", "protocol"])
def test_mixed_scores_are_refused(column: str) -> None:
    table = scores(one=1, two=2)
    table[column] = ["a", "b"]
    with pytest.raises(GanlibError, match=column):
        score_bars(table, title="FID", colours=COLOURS)
    with pytest.raises(GanlibError, match=column):
        describe_scores(table)


def drawings() -> list[Any]:
    return [
        curves(frame(["one"], ["a"]), x="images seen", colours=COLOURS),
        curves(frame([], []), x="images seen", colours={}),
        score_bars(scores(one=1), title="FID", colours=COLOURS),
        score_bars(scores(), title="FID", colours={}),
    ]


def test_real_images_nobody_trained_on_are_a_line() -> None:
    figure = score_bars(scores(one=10), title="FID", colours=COLOURS, floor=(0.5, 359))
    assert (figure.layout.shapes[0].x0, figure.layout.shapes[0].x1) == (0.5, 0.5)
    assert figure.layout.annotations[0].text == "359 test images 0.5"
    assert not score_bars(scores(one=10), title="FID", colours=COLOURS).layout.shapes


@pytest.mark.parametrize(("metric", "first"), [("fid", "one"), ("precision", "two"), ("coverage", "two")])
def test_the_best_is_on_top_whichever_way_the_metric_goes(metric: str, first: str) -> None:
    table = scores(two=0.5, one=0.1).assign(metric=metric)
    assert score_bars(table, title="x", colours=COLOURS).data[0].y[0] == first
    assert describe_scores(table).split(": ")[1].startswith(first)


def test_the_front_is_of_the_runs_that_none_beats_in_both() -> None:
    cost, value = np.array([1.0, 2, 3, 4, 1]), np.array([9.0, 5, 6, 4, 9.5])
    assert pareto(cost, value, "lower").tolist() == [True, True, False, True, False]
    assert pareto(cost, value, "higher").tolist() == [False, False, False, False, True]
    assert pareto(np.array([1.0, 1.0]), np.array([2.0, 2.0]), "lower").all()  # equals do not beat each other


def test_scores_on_two_kinds_of_features() -> None:
    pairs = pd.DataFrame({"run": ["one", "two"], "own": [1.0, 2.0], "other": [300.0, 200.0]})
    figure = score_pairs(pairs, titles=("here", "there"), colours=COLOURS)
    assert {p.name: (p.x[0], p.y[0]) for p in figure.data} == {"one": (1, 300), "two": (2, 200)}
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("here", "there")


def test_scores_against_their_cost() -> None:
    table = scores(one=10, two=8, three=9).assign(minutes=[1.0, 2.0, 3.0])
    front, *points = score_cost(table, title="FID", cost="minutes", colours=COLOURS).data
    assert list(front.x) == [1, 2]
    assert list(front.y) == [10, 8]
    assert front.line.shape == "hv"
    assert {p.name: (p.x[0], p.y[0]) for p in points} == {"one": (1, 10), "two": (2, 8), "three": (3, 9)}
    markers = {p.name: (p.marker.color, p.marker.symbol) for p in points}
    assert markers["three"] == (COLOURS["three"], "circle")
    assert markers["one"] != markers["two"]  # of one architecture
    alone = score_cost(table[:1], title="FID", cost="minutes", colours=COLOURS).data[1]
    assert (alone.marker.color, alone.marker.symbol) == markers["one"]  # whichever others a figure has
    ticks = score_cost(table, title="FID", cost="minutes", colours=COLOURS).layout.xaxis
    assert list(ticks.ticktext) == [
        "1",
        "1.5",
        "2",
        "3",
        "4",
        "5",
        "6",
        "8",
        "10",
        "15",
        "20",
        "30",
        "40",
        "50",
        "60",
        "80",
    ]
    wide = score_cost(table.assign(minutes=[0.5, 2e3, 3e6]), title="FID", cost="minutes", colours=COLOURS).layout.xaxis
    assert list(wide.ticktext) == ["0.1", "1", "10", "100", "1k", "10k", "100k", "1M", "10M"]
    free = scores(one=10).assign(minutes=[0.0])
    assert not score_cost(free, title="FID", cost="minutes", colours=COLOURS).data  # no place on a logarithmic axis


def test_scores_over_training_end_in_the_runs_weights() -> None:
    table = pd.concat([scores(one=10), scores(one=20), scores(one=15)], ignore_index=True)
    table = table.assign(images_seen=[300, 100, 200], snapshot=pd.array([None, 100, 200], dtype="Int64"))
    (line,) = score_history(table, title="FID", colours=COLOURS).data
    assert list(line.x) == [100, 200, 300]
    assert list(line.y) == [20, 15, 10]
    assert list(line.marker.size) == [6, 6, 11]
    assert line.line.color == COLOURS["one"]


def test_the_course_of_many_runs_is_a_panel_each_on_those_of_all() -> None:
    names = [f"run{i:02}" for i in range(MAX_ENDS + 1)]
    courses = [scores(**dict.fromkeys(names, 9.0)), scores(**{name: float(i) + 1 for i, name in enumerate(names)})]
    table = pd.concat([rows.assign(images_seen=seen) for seen, rows in enumerate(courses)], ignore_index=True)
    figure = score_history(table, title="FID on such features", colours=COLOURS)
    assert [a.text for a in figure.layout.annotations] == names  # the best at the end first
    own = [trace for trace in figure.data if trace.name]
    assert [trace.name for trace in own] == names
    assert [list(trace.y) for trace in own[:2]] == [[9, 1], [9, 2]]
    faint = [trace for trace in figure.data if not trace.name]
    assert all(np.isfinite(np.asarray(trace.y, float)).sum() == 2 * len(names) for trace in faint)
    assert not figure.layout.showlegend


def test_classes_are_columns_and_the_best_run_lies_on_top() -> None:
    table = pd.concat([scores(one=v, two=v + 1).assign(class_name=name) for v, name in [(3.0, "cat"), (9.0, "dog")]])
    (heat,) = class_heatmap(table, title="FID").data
    assert list(heat.x) == ["cat", "dog"]
    assert list(heat.y) == ["two", "one"]  # from the bottom
    assert np.array(heat.z).tolist() == [[4, 10], [3, 9]]
    assert not class_heatmap(table[:0], title="FID").data
    with pytest.raises(GanlibError, match="Several scores of one run and class"):
        class_heatmap(pd.concat([table, scores(one=5.0).assign(class_name="cat")]), title="FID")


def test_text_in_cells_of_classes_is_readable() -> None:
    table = scores(one=1.0).assign(class_name="cat")
    (heat,) = class_heatmap(table, title="FID").data
    ink = luminance(heat.textfont.color)
    for _, colour in heat.colorscale:
        assert (luminance(colour) + 0.05) / (ink + 0.05) >= 7  # of WCAG's AAA


@pytest.mark.parametrize("draw", [score_history, score_cost])
def test_other_charts_refuse_mixed_scores_too(draw: Any) -> None:
    mixed = pd.concat([scores(one=1), scores(two=2).assign(protocol="other")], ignore_index=True).assign(minutes=1.0)
    more = {"cost": "minutes"} if draw is score_cost else {}
    with pytest.raises(GanlibError, match="several protocols"):
        draw(mixed, title="x", colours=COLOURS, **more)


def test_the_theme_decides_on_text_and_ground() -> None:
    for figure in drawings():
        layout = figure.layout.to_plotly_json()
        assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
        layout.pop("template")
        coloured = [a for a in layout.get("annotations", ()) if a.get("font", {}).get("color")]
        layout["annotations"] = [a for a in layout.get("annotations", ()) if a not in coloured]
        assert all(a["font"]["color"] in PALETTE for a in coloured)  # names of lines have their colours
        assert layout.pop("modebar")["color"] == NEUTRAL  # a theme knows no colour for it
        text = json.dumps(layout, default=str)
        assert '"color"' not in text
        assert '"font"' not in text or '"family"' not in text


def test_curves_in_words() -> None:
    table = frame(["one", "three"], ["a"])
    assert describe_curves(table) == (
        "2 runs, up to step 29. Mean over each run's last tenth: a from 1.93 (one) to 2.93 (three)."
    )
    table.loc[3, "value"] = np.nan
    assert describe_curves(table).endswith("1 value is not finite.")
    assert "and 2 more scalars" in describe_curves(frame(["one"], list("abcde")))
    assert describe_curves(table.iloc[:0]) == "No scalars to show yet."


def test_scores_in_words() -> None:
    expected = "fid (embedded). Lowest of 2: one 10; highest: two 20.5."
    assert describe_scores(scores(two=20.5, one=10)) == expected
    assert describe_scores(scores(one=10, bad=np.nan)) == "fid (embedded): one 10."
    assert describe_scores(scores()) == "No scores to show yet."


def test_long_names_are_shortened_in_the_middle() -> None:
    assert shortened("cifar10-projected_gan") == "cifar10-projected_gan"
    assert shortened("cifar10-projected_gan-large") == "cifar10-projected…an-large"
