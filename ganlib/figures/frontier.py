"""Quality against cost: a line a run through its snapshots, and the frontier that nothing else beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise, product
from types import MappingProxyType

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from ganlib.figures.scores import LABEL_SIZE, better_of, check_comparable, highlighted, pareto
from ganlib.figures.style import DASHES, NEUTRAL, SYMBOLS, apply_style, empty_figure, run_lines

HEIGHT = 520
PLOT, NARROW_PLOT = (460, 330), (230, 330)  # pixels from the least to the largest value, on pages 1280 and 400 wide
MARGIN = {False: 130, True: 20}  # right of the axes; by ``narrow``
CHARACTER, LINE, MARK = 7.0, 16, 7  # pixels of a letter of a name, of its height, of half a marker and its rim
PIECE = 6  # pixels of a line between two looks at it
ENDS = {"weights": 11, "snapshot": 7}  # pixels of markers
PLACES = (  # of a name: pixels to the right of its point and above it, and what of the name is there
    *((9, up, "left") for up in (0, 9, -9)),
    *((0, 15, "center"), (0, -15, "center"), (-9, 0, "right")),
    *((9, up, "left") for up in (18, -18, 27, -27)),  # where many end at once
)
ANCHORS = {"left": 0.0, "center": 0.5, "right": 1.0}  # how much of a name lies left of its place
NO_LABELS: Mapping[str, str] = MappingProxyType({})
Box = tuple[float, float, float, float]  # left, bottom, right, top


def score_cost(
    frame: pd.DataFrame,
    *,
    title: str,
    cost: str,
    colours: Mapping[str, str],
    narrow: bool = False,
    labels: Mapping[str, str] = NO_LABELS,
) -> go.Figure:
    """Scores with their intervals against what they cost, column ``cost``: a line a run through its snapshots to its
    weights, which have the larger marker. The dotted line leads along what nothing else beats in both.

    Axes are logarithmic, that of the scores where less is better. The runs that have room for it are named, the
    highlighted and those of the frontier first; ``narrow``: on a phone; ``labels``: what they will be called, for which
    room is left. GanlibError if the frame mixes metrics or protocols.
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
    for run, rows in frame.groupby("run"):
        _add_run(figure, str(run), rows, cost, lines[str(run)], logarithmic)
    ends = frame.drop_duplicates("run", keep="last").set_index("run")
    for run, (right, up, anchor) in place_names(
        frame, cost, logarithmic, [*highlighted(colours), *front["run"]], narrow, labels
    ).items():
        x, y = np.log10(ends[cost][run]), ends["value"][run]
        figure.add_annotation(
            x=x, y=np.log10(y) if logarithmic else y, xshift=right, yshift=up, xanchor=anchor, yanchor="middle",
            text=run, showarrow=False, font={"size": LABEL_SIZE, "color": lines[run]["color"]},
        )  # fmt: skip
    values, texts = _log_ticks(frame[cost].min(), frame[cost].max())
    figure.update_xaxes(title_text=cost, type="log", showgrid=False, tickvals=values, ticktext=texts)
    figure.update_yaxes(title_text=title)
    if logarithmic:
        values, texts = _log_ticks(frame["value"].min(), frame["value"].max())
        figure.update_yaxes(type="log", tickvals=values, ticktext=texts)
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
        mode="lines+markers",
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
        cliponaxis=False,
        customdata=np.column_stack([intervals, np.where(weights, "", ", a snapshot")]),
        hovertemplate="%{fullData.name}%{customdata[1]}: %{y:.4g}%{customdata[0]} at %{x:,.4g}<extra></extra>",
    )


def place_names(
    frame: pd.DataFrame,
    cost: str,
    logarithmic: bool,
    first: Sequence[str],
    narrow: bool = False,
    labels: Mapping[str, str] = NO_LABELS,
) -> dict[str, tuple[int, int, str]]:
    """Run -> where of ``PLACES`` its name stands beside its last point, for those that have room, ``first`` these,
    which may cover points and lines but no names. ``frame``: of ``usable``; ``labels``: run -> name, if not its own.
    """
    width, height = NARROW_PLOT if narrow else PLOT
    x = width * _scaled(np.log10(frame[cost].to_numpy()))
    y = height * _scaled(np.log10(frame["value"].to_numpy()) if logarithmic else frame["value"].to_numpy())
    drawn = [box for rows in frame.groupby("run").indices.values() for box in _boxes(x[rows], y[rows])]
    ends = {str(run): i for i, run in enumerate(frame["run"])}  # the last of each stays
    taken: list[Box] = []
    places: dict[str, tuple[int, int, str]] = {}
    for run in dict.fromkeys([*(run for run in first if run in ends), *ends]):
        end, size = ends[run], CHARACTER * len(labels.get(run, run))
        for others, place in product([taken + drawn, *[taken] * (run in first)], PLACES):
            left = x[end] + place[0] - ANCHORS[place[2]] * size
            box = (left, y[end] + place[1] - LINE / 2, left + size, y[end] + place[1] + LINE / 2)
            if left >= -30 and box[2] <= width + MARGIN[narrow] and not any(_overlap(box, other) for other in others):
                places[run] = place
                taken.append(box)
                break
    return places


def _boxes(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[Box]:
    """What a run's markers cover, and the lines between them in pieces."""
    boxes = [(a - MARK, b - MARK, a + MARK, b + MARK) for a, b in zip(x, y, strict=True)]
    for i, j in pairwise(range(len(x))):
        shares = np.linspace(0, 1, 2 + int(np.hypot(x[j] - x[i], y[j] - y[i]) / PIECE))[1:-1]
        boxes += [
            (a, b, a, b) for a, b in zip(x[i] + shares * (x[j] - x[i]), y[i] + shares * (y[j] - y[i]), strict=True)
        ]
    return boxes


def _overlap(a: Box, b: Box) -> bool:
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
