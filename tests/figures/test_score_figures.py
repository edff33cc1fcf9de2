"""Charts of scores: bars, costs, courses, classes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ganlib.errors import GanlibError
from ganlib.figures import (
    class_heatmap,
    describe_scores,
    pareto,
    score_bars,
    score_cost,
    score_history,
    score_pairs,
)
from ganlib.figures.scores import MAX_ENDS
from helpers.figure_frames import COLOURS, luminance, scores


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


def test_scores_in_words() -> None:
    expected = "fid (embedded). Lowest of 2: one 10; highest: two 20.5."
    assert describe_scores(scores(two=20.5, one=10)) == expected
    assert describe_scores(scores(one=10, bad=np.nan)) == "fid (embedded): one 10."
    assert describe_scores(scores()) == "No scores to show yet."
