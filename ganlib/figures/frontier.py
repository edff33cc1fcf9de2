"""Quality against cost: a line a run through its snapshots, and the frontier that nothing else beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from ganlib.figures.scores import LABEL_SIZE, better_of, check_comparable, highlighted, pareto
from ganlib.figures.style import DASHES, NEUTRAL, SYMBOLS, apply_style, empty_figure, run_lines

HEIGHT = 520
PLOT, NARROW_PLOT = (880, 400), (260, 400)  # pixels within the axes, about: where names have room
MARGIN = {False: 110, True: 20}  # right of the axes; by ``narrow``
CHARACTER, LINE, MARK = 7.5, 17, 7  # pixels of a letter of a name, of its height, of half a marker and its rim
ENDS = {"weights": 11, "snapshot": 7}  # pixels of markers
PLACES = {  # where a name may stand -> its middle from its point, in widths and heights of the name
    "middle right": (0.5, 0.0),
    "top center": (0.0, 0.9),
    "bottom center": (0.0, -0.9),
    "middle left": (-0.5, 0.0),
}


def score_cost(
    frame: pd.DataFrame, *, title: str, cost: str, colours: Mapping[str, str], narrow: bool = False
) -> go.Figure:
    """Scores with their intervals against what they cost, column ``cost``: a line a run through its snapshots to its
    weights, which have the larger marker. The dotted line leads along what nothing else beats in both.

    Axes are logarithmic, that of the scores where less is better. The runs that have room for it are named, the
    highlighted and those of the frontier first; ``narrow``: on a phone. GanlibError if the frame mixes metrics or
    protocols.
    """
    check_comparable(frame)
    frame = usable(frame, cost)
    if frame.empty:
        return empty_figure("No scores to show yet.")
    figure = go.Figure()
    front = frame[pareto(frame[cost].to_numpy(), frame["value"].to_numpy(), better_of(frame))]
    stairs = {"color": NEUTRAL, "dash": "dot", "width": 2, "shape": "hv"}  # the best until then
    figure.add_scatter(x=front[cost], y=front["value"], mode="lines", line=stairs, hoverinfo="skip", showlegend=False)
    logarithmic = better_of(frame) == "lower" and bool((frame["value"] > 0).all())
    lines = run_lines(sorted({*colours, *frame["run"]}), colours)
    places = _place_names(frame, cost, logarithmic, [*highlighted(colours), *front["run"]], narrow)
    for run, rows in frame.groupby("run"):
        _add_run(figure, str(run), rows, cost, lines[str(run)], places.get(str(run)), logarithmic)
    values, labels = _log_ticks(frame[cost].min(), frame[cost].max())
    figure.update_xaxes(title_text=cost, type="log", showgrid=False, tickvals=values, ticktext=labels)
    figure.update_yaxes(title_text=title)
    if logarithmic:
        values, labels = _log_ticks(frame["value"].min(), frame["value"].max())
        figure.update_yaxes(type="log", tickvals=values, ticktext=labels)
    return apply_style(figure.update_layout(height=HEIGHT, showlegend=False), right=MARGIN[narrow])


def describe_frontier(frame: pd.DataFrame, cost: str) -> str:
    """Text alternative of ``score_cost``: what nothing else beats."""
    check_comparable(frame)
    frame = usable(frame, cost)
    if frame.empty:
        return "No scores to show yet."
    front = frame[pareto(frame[cost].to_numpy(), frame["value"].to_numpy(), better_of(frame))]
    points = zip(front["run"], front["value"], front[cost], strict=True)
    entries = "; ".join(f"{run} {value:.4g} at {price:,.4g}" for run, value, price in points)
    return f"{frame['run'].nunique()} runs against {cost}. On the frontier: {entries}."


def usable(frame: pd.DataFrame, cost: str) -> pd.DataFrame:
    """The rows that have a place on logarithmic axes, the cheapest first."""
    price = frame[cost].astype("float64")
    frame = frame.assign(**{cost: price})[np.isfinite(frame["value"]) & np.isfinite(price) & (price > 0)]
    return frame.sort_values([cost, "value"], kind="stable")


def _add_run(
    figure: go.Figure,
    run: str,
    rows: pd.DataFrame,
    cost: str,
    line: Mapping[str, str],
    place: str | None,
    logarithmic: bool,
) -> None:
    value = rows["value"]
    low = np.maximum(rows["low"], value / 10) if logarithmic else rows["low"]  # a bar to zero would have no end
    ends = zip(rows["low"], rows["high"], strict=True)
    intervals = [f" ({a:.4g} to {b:.4g})" if np.isfinite([a, b]).all() else "" for a, b in ends]
    weights = rows["snapshot"].isna()
    figure.add_scatter(
        x=rows[cost],
        y=value,
        mode="lines+markers" + "+text" * bool(place),
        name=run,
        line={"color": line["color"], "dash": line["dash"], "width": 1.5},
        marker={
            "size": np.where(weights, ENDS["weights"], ENDS["snapshot"]),
            "color": line["color"],
            "symbol": SYMBOLS[DASHES.index(line["dash"])],
        },
        error_y={
            "type": "data",
            "array": (rows["high"] - value).fillna(0),
            "arrayminus": (value - low).fillna(0),
            "thickness": 1.2,
            "width": 3,
        },
        text=[""] * (len(rows) - 1) + [run if place else ""],
        textposition=place or "middle right",
        textfont={"size": LABEL_SIZE},
        cliponaxis=False,
        customdata=np.column_stack([intervals, np.where(weights, "", ", a snapshot")]),
        hovertemplate="%{fullData.name}%{customdata[1]}: %{y:.4g}%{customdata[0]} at %{x:,.4g}<extra></extra>",
    )


def _place_names(
    frame: pd.DataFrame, cost: str, logarithmic: bool, first: Sequence[str], narrow: bool
) -> dict[str, str]:
    """Run -> where its name stands beside its last point, for those that have room, ``first`` these, which may cover
    points but no names.
    """
    width, height = NARROW_PLOT if narrow else PLOT
    x = width * _scaled(np.log10(frame[cost].to_numpy()))
    y = height * _scaled(np.log10(frame["value"].to_numpy()) if logarithmic else frame["value"].to_numpy())
    marks = [(a - MARK, b - MARK, a + MARK, b + MARK) for a, b in zip(x, y, strict=True)]
    ends = {str(run): i for i, run in enumerate(frame["run"])}  # the last of each stays
    taken: list[tuple[float, float, float, float]] = []
    places: dict[str, str] = {}
    for run in dict.fromkeys([*(run for run in first if run in ends), *ends]):
        end = ends[run]
        half = CHARACTER * len(run) / 2
        obstacles = [taken + marks[:end] + marks[end + 1 :]] + [taken] * (run in first)
        for others, (place, (right, up)) in product(obstacles, PLACES.items()):
            middle = x[end] + right * (2 * half + 2 * MARK), y[end] + up * LINE
            box = (middle[0] - half, middle[1] - LINE / 2, middle[0] + half, middle[1] + LINE / 2)
            within = box[0] >= -30 and box[2] <= width + MARGIN[narrow]
            if within and not any(_overlap(box, other) for other in others):
                places[run] = place
                taken.append(box)
                break
    return places


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    """Boxes as (left, bottom, right, top)."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _scaled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Onto [0, 1]; onto the middle where all are equal."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.full(len(values), 0.5)


def _log_ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    """Round values around these, more of them where they lie close; Plotly's own would leave the power out of a 2."""
    span = high / low
    digits = (1,) if span > 1e4 else (1, 2, 5) if span > 10 else (1, 1.5, 2, 3, 4, 5, 6, 8)
    powers = range(int(np.floor(np.log10(low))), int(np.floor(np.log10(high))) + 2)
    values = [digit * 10.0 ** min(power, 307) for power in powers for digit in digits]
    units = ((1e6, "M"), (1e3, "k"), (0, ""))
    return values, [next(f"{v / (size or 1):g}{unit}" for size, unit in units if v >= size) for v in values]
