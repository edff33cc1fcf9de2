"""Quality against cost: lines through snapshots, intervals, the frontier, names that do not lie upon each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ganlib.figures import PALETTE, describe_frontier, score_cost
from ganlib.figures.frontier import ANCHORS, CHARACTER, LINE, NARROW_PLOT, PLOT, place_names, usable
from ganlib.figures.style import NEUTRAL

COLOURS = {"edm": PALETTE[0], "gan": PALETTE[1]}


def point(run: str, minutes: float, value: float, snapshot: int | None = None, **changes: Any) -> dict[str, Any]:
    row = {"run": run, "minutes": minutes, "value": value, "low": value - 1, "high": value + 2, "snapshot": snapshot}
    return row | {"metric": "fid", "protocol": "{}", "protocol_label": "embedded", "weights_hash": "a"} | changes


def table(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(rows).astype({"snapshot": "Int64"})


POINTS = table(
    point("edm", 60, 3.0),
    point("edm", 5, 30.0, 10_000),
    point("edm", 20, 9.0, 40_000),
    point("gan", 60, 4.0),
    point("gan", 5, 8.0, 30_000),
    point("gan", 20, 9.5, 120_000),
)


def draw(frame: pd.DataFrame, **changes: Any) -> Any:
    return score_cost(frame, title="FID", cost="minutes", colours=COLOURS, **changes)


def test_a_run_is_a_line_through_its_snapshots_to_its_weights() -> None:
    front, edm, gan = draw(POINTS).data
    assert list(zip(front.x, front.y, strict=True)) == [(5, 8.0), (60, 3.0)]
    assert (list(edm.x), list(edm.y)) == ([5, 20, 60], [30.0, 9.0, 3.0])
    assert list(edm.marker.size) == [7, 7, 11]
    assert (edm.line.color, gan.line.color) == (COLOURS["edm"], COLOURS["gan"])
    assert sorted((a.text, a.font.color) for a in draw(POINTS).layout.annotations) == [
        ("edm", COLOURS["edm"]),
        ("gan", COLOURS["gan"]),
    ]
    assert edm.customdata[:, 0].tolist() == [" (29 to 32)", " (8 to 11)", " (2 to 5)"]
    assert edm.customdata[:, 1].tolist() == [", a snapshot", ", a snapshot", ""]
    assert describe_frontier(POINTS, "minutes") == ("2 runs against minutes. On the frontier: gan 8 at 5; edm 3 at 60.")


def test_intervals_are_drawn_and_do_not_reach_zero_on_a_logarithmic_axis() -> None:
    figure = draw(table(point("edm", 1, 0.5), point("gan", 9, 20.0, low=np.nan, high=np.nan)))
    _, edm, gan = figure.data
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"
    assert list(edm.error_y.array) == [2]
    assert list(edm.error_y.arrayminus) == pytest.approx([0.45])  # to a tenth of the value, not to -0.5
    assert (list(gan.error_y.array), list(gan.error_y.arrayminus)) == ([0], [0])
    assert gan.customdata[0, 0] == ""


def test_scores_of_which_more_is_better_have_a_linear_axis() -> None:
    agreement = POINTS.assign(metric="class_agreement", value=POINTS["value"] / 40)
    figure = draw(agreement)
    assert figure.layout.yaxis.type is None
    assert list(figure.data[0].y) == [30 / 40]  # at the least cost already


def test_what_has_no_place_on_the_axes_is_left_out() -> None:
    frame = pd.concat([POINTS, table(point("edm", 0, 1.0, 0), point("gan", np.nan, 1.0), point("gan", 3, np.inf))])
    assert [len(trace.x) for trace in draw(frame).data] == [2, 3, 3]
    assert describe_frontier(frame[:0], "minutes") == "No scores to show yet."


def test_a_highlighted_run_is_named_first() -> None:
    crowd = [point(f"run-{i:02}", 60 + i / 100, 3.0 + i / 100) for i in range(40)]
    colours = {row["run"]: NEUTRAL for row in crowd} | {"run-25": PALETTE[3]}
    figure = score_cost(table(*crowd), title="FID", cost="minutes", colours=colours)
    named = [annotation.text for annotation in figure.layout.annotations]
    assert {"run-00", "run-25"} <= set(named)


@pytest.mark.parametrize("narrow", [False, True])
def test_names_do_not_lie_upon_each_other(narrow: bool) -> None:
    rng = np.random.default_rng(0)
    rows = [point(f"cifar10-run-{i}", *10 ** rng.uniform(0, 1.5, 2)) for i in range(30)]
    frame = usable(table(*rows), "minutes")
    places = place_names(frame, "minutes", True, [], narrow)
    size = NARROW_PLOT if narrow else PLOT
    x, y = (np.log10(frame[key].to_numpy()) for key in ("minutes", "value"))
    pixels = [extent * (v - v.min()) / np.ptp(v) for extent, v in zip(size, (x, y), strict=True)]
    boxes = []
    for run, a, b in zip(frame["run"], *pixels, strict=True):
        if run in places:
            right, up, anchor = places[run]
            width = CHARACTER * len(run)
            boxes.append((a + right - ANCHORS[anchor] * width, b + up, width))
    assert 3 <= len(boxes) < 30
    for i, (left, middle, width) in enumerate(boxes):
        for a, b, other in boxes[:i]:
            assert left + width <= a + 1e-6 or a + other <= left + 1e-6 or abs(middle - b) >= LINE - 1e-6


def test_lines_do_not_run_through_names_where_there_is_other_room() -> None:
    rising = table(point("edm", 1, 1.0, 5), point("edm", 10, 10.0), point("gan", 1, 1.0, 5), point("gan", 5.0, 5.2))
    places = place_names(usable(rising, "minutes"), "minutes", True, [])
    assert places["edm"][:2] == (9, 0)
    assert places["gan"][:2] != (9, 0)  # where the line of the other goes on


def test_room_is_left_for_what_runs_will_be_called() -> None:
    crowd = usable(table(point("a", 1, 1.0), point("b", 3, 1.0), point("c", 10, 1.0)), "minutes")
    assert place_names(crowd, "minutes", True, [])["a"] == (9, 0, "left")
    long = place_names(crowd, "minutes", True, [], labels={"a": "a" * 80})
    assert long["a"] != (9, 0, "left")
