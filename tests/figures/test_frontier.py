"""Quality against cost: lines through snapshots, intervals, the frontier, names that do not lie upon each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ganlib.figures import PALETTE, describe_frontier, score_cost
from ganlib.figures.frontier import CHARACTER, LINE, PLACES, PLOT
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
    assert [text for text in edm.text if text] == ["edm"]
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
    named = [trace.name for trace in figure.data if trace.mode.endswith("text")]
    assert {"run-00", "run-25"} <= set(named)


@pytest.mark.parametrize("narrow", [False, True])
def test_names_do_not_lie_upon_each_other(narrow: bool) -> None:
    rng = np.random.default_rng(0)
    rows = [point(f"cifar10-run-{i}", *10 ** rng.uniform(0, 1.5, 2)) for i in range(30)]
    figure = draw(table(*rows), narrow=narrow)
    boxes = []
    x, y = (np.log10([row[key] for row in rows]) for key in ("minutes", "value"))
    for trace in figure.data[1:]:
        if not trace.mode.endswith("text"):
            continue
        right, up = PLACES[trace.textposition]
        width = CHARACTER * len(trace.name)
        size = (260, 400) if narrow else PLOT
        a, b = (
            s * (np.log10(v) - w.min()) / np.ptp(w)
            for s, v, w in zip(size, (trace.x[0], trace.y[0]), (x, y), strict=True)
        )
        boxes.append((a + right * (width + 14) - width / 2, b + up * LINE - LINE / 2, width, LINE))
    assert 3 <= len(boxes) < 30
    for i, (left, bottom, width, height) in enumerate(boxes):
        for other in boxes[:i]:
            apart = abs(left + width / 2 - other[0] - other[2] / 2) >= (width + other[2]) / 2 - 1e-6
            assert apart or abs(bottom - other[1]) >= height - 1e-6
