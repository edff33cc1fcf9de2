"""Measured values of an experiment: a panel a measure, a row a variant, a point a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ganlib.figures.style import NEUTRAL, apply_style, empty_figure

COLUMNS = 2
ROW, PANEL = 44, 110  # pixels of a variant, and of what stands around a panel


def measured_values(
    frame: pd.DataFrame, *, colours: Mapping[str, str], references: Mapping[str, Sequence[float]]
) -> go.Figure:
    """``frame``: measure, variant, run, value, low, high (NaN where there is no interval), in the order of the page.

    ``colours``: variant -> "#rrggbb". ``references``: measure -> the fixed numbers that it is compared with.
    """
    if frame.empty:
        return empty_figure("Nothing is measured yet.")
    measures = list(dict.fromkeys(frame["measure"]))
    columns = min(COLUMNS, len(measures))
    rows = -(-len(measures) // columns)
    tallest = max(frame[frame["measure"] == measure]["variant"].nunique() for measure in measures)
    height = rows * (PANEL + ROW * tallest)
    figure = make_subplots(
        rows, columns, subplot_titles=measures, vertical_spacing=min(80 / height, 0.3), horizontal_spacing=0.18
    )
    for number, measure in enumerate(measures):
        place = {"row": number // columns + 1, "col": number % columns + 1}
        panel = frame[frame["measure"] == measure]
        for variant, points in panel.groupby("variant", sort=False):
            for trace in _traces(str(variant), points, colours[str(variant)]):
                figure.add_trace(trace, **place)
        for reference in references.get(measure, ()):
            figure.add_vline(reference, line={"color": NEUTRAL, "dash": "dot"}, **place)
        figure.update_yaxes(type="category", autorange="reversed", showgrid=False, automargin=True, **place)
    figure.update_xaxes(nticks=6)
    return apply_style(figure.update_layout(height=height, showlegend=False, hovermode="closest"))


def _traces(variant: str, points: pd.DataFrame, colour: str) -> list[go.Scatter]:
    """Each training with its own interval, and the mean of several as a bar across."""
    intervals = {
        "type": "data",
        "symmetric": False,
        "array": points["high"] - points["value"],
        "arrayminus": points["value"] - points["low"],
        "thickness": 1.5,
    }
    trainings = go.Scatter(
        x=points["value"],
        y=points["variant"],
        error_x=intervals,
        mode="markers",
        name=variant,
        customdata=points["run"],
        marker={"color": colour, "size": 11, "opacity": 0.85},
        hovertemplate="%{customdata}: %{x:.4g}<extra></extra>",
    )
    if len(points) < 2:
        return [trainings]
    mean = go.Scatter(
        x=[points["value"].mean()],
        y=[variant],
        mode="markers",
        name=f"mean of {variant}",
        marker={"symbol": "line-ns", "size": 26, "line": {"color": colour, "width": 3}},
        hovertemplate="mean %{x:.4g}<extra></extra>",
    )
    return [trainings, mean]


def describe_values(frame: pd.DataFrame) -> str:
    """The text alternative: every value, measure by measure."""
    if frame.empty:
        return "Nothing is measured yet."
    parts = []
    for measure, panel in frame.groupby("measure", sort=False):
        values = panel.groupby("variant", sort=False)["value"].agg(lambda column: ", ".join(f"{v:.4g}" for v in column))
        parts.append(f"{measure}: " + "; ".join(f"{variant} {text}" for variant, text in values.items()))
    return ". ".join(parts) + "."
