"""Scalars over training, drawn and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ganlib.errors import GanlibError
from ganlib.experiments import decimate, elapsed, smooth
from ganlib.figures.style import BETWEEN, nothing, plain, run_lines

AXES = {"images": "images seen", "step": "training steps", "time": "training time, minutes"}
POINTS, PANEL_HEIGHT, COLUMNS, DESCRIBED = 4000, 260, 2, 3


def curves(
    frame: pd.DataFrame,
    *,
    x: Literal["images", "step", "time"] = "images",
    smoothing: float = 0.0,
    log_y: bool = False,
    marks: pd.DataFrame | None = None,
    models: Mapping[str, str],
) -> go.Figure:
    """Scalars as ``ganlib.experiments.read_log`` gives them: a panel per tag, runs overlaid.

    A run has its architecture's colour (``models``: run -> architecture), and a dash of its own among runs of
    that colour. With ``smoothing`` (0 <= weight < 1) the raw line lies faint behind. A curve has at most
    ``POINTS`` points, raw and smoothed together, without losing a spike. Time is the frame's column
    ``elapsed`` (seconds) where it has one, else counted from the rows given. A panel with values that are not
    positive stays linear under ``log_y`` and says so. ``marks`` are rows of such a frame with a ``label`` each, drawn
    as vertical lines. GanlibError for another ``x`` or weight.
    """
    if x not in AXES:
        raise GanlibError(f"There is no axis {x!r}; there are: {', '.join(AXES)}.")
    if frame.empty:
        return nothing("No scalars to show yet.")
    frame = frame.assign(x=_along(frame, x))
    frame["tag"] = frame["tag"].astype(str)  # of the copy that assign made
    tags = sorted(frame["tag"].unique())
    columns = min(COLUMNS, len(tags))
    rows = -(-len(tags) // columns)
    space = 70 / (rows * PANEL_HEIGHT)  # 70 pixels for a title and the numbers of an axis
    figure = make_subplots(rows, columns, subplot_titles=tags, vertical_spacing=space, horizontal_spacing=0.07)
    lines = run_lines(sorted(frame["run"].astype(str).unique()), models)
    known: set[str] = set()
    for number, tag in enumerate(tags):
        row, column = number // columns + 1, number % columns + 1
        panel = frame[frame["tag"] == tag].sort_values("step", kind="stable")
        for run, curve in panel.groupby(panel["run"].astype(str)):
            name = str(run)
            for trace in _traces(curve, name, lines[name], smoothing, legend=name not in known):
                figure.add_trace(trace, row, column)
            known.add(name)
        values = panel["value"][np.isfinite(panel["value"])]
        if log_y and (values > 0).all():
            figure.update_yaxes(type="log", row=row, col=column)
        elif log_y:
            figure.layout.annotations[number].text = f"{tag} (linear: not all values are positive)"
        if number + columns >= len(tags):  # the lowest panel of its column
            figure.update_xaxes(title_text=AXES[x], row=row, col=column)
    for mark in [] if marks is None else marks.assign(x=_along(marks, x)).itertuples():
        colour = lines[str(mark.run)]["color"] if str(mark.run) in lines else BETWEEN
        figure.add_vline(
            x=mark.x,
            line={"color": colour, "dash": "dot", "width": 1},
            annotation={"text": mark.label, "font_size": 10, "textangle": -90, "yanchor": "top", "xanchor": "right"},
        )
    # Unified hover per panel; zooming one panel zooms all; uirevision keeps the zoom while a log grows.
    figure.update_yaxes(nticks=6)
    figure.update_xaxes(matches="x", rangemode="tozero", showgrid=False)
    figure.update_layout(hovermode="x unified", uirevision=f"curves {x}", height=rows * PANEL_HEIGHT + 110)
    return plain(figure)


def describe_curves(frame: pd.DataFrame) -> str:
    """What the curves show in words: the runs, how far they got, and each scalar's level at the end."""
    if frame.empty:
        return "No scalars to show yet."
    runs, tags = frame["run"].nunique(), sorted(frame["tag"].astype(str).unique())
    text = [f"{runs} {'run' if runs == 1 else 'runs'}, up to {frame['images'].max():,} images."]
    finite = frame[np.isfinite(frame["value"])]
    ends = finite["images"] >= 0.9 * finite.groupby("run", observed=True)["images"].transform("max")
    means = finite[ends].groupby(["tag", "run"], observed=True)["value"].mean()
    levels = []
    for tag in tags[:DESCRIBED]:
        level = means[means.index.get_level_values("tag") == tag].droplevel("tag").sort_values()
        if len(level) == 1:
            levels.append(f"{tag} {level.iloc[0]:.3g}")
        elif len(level):
            lowest, highest = level.index[0], level.index[-1]
            levels.append(f"{tag} from {level.iloc[0]:.3g} ({lowest}) to {level.iloc[-1]:.3g} ({highest})")
    if levels:
        more = f", and {len(tags) - DESCRIBED} more scalars" if len(tags) > DESCRIBED else ""
        text.append(f"Mean over each run's last tenth: {'; '.join(levels)}{more}.")
    if bad := len(frame) - len(finite):
        text.append(f"{bad:,} {'value is' if bad == 1 else 'values are'} not finite.")
    return " ".join(text)


def _along(frame: pd.DataFrame, x: str) -> pd.Series[float]:
    """Where the rows lie on axis ``x``."""
    if x != "time":
        return frame[x]
    return (frame["elapsed"] if "elapsed" in frame else elapsed(frame)) / 60


def _traces(curve: pd.DataFrame, run: str, line: dict[str, str], smoothing: float, *, legend: bool) -> list[go.Scatter]:
    raw = curve["value"].to_numpy(dtype=np.float64)
    drawn = [(raw, 1.0, 2.0)] if smoothing == 0 else [(raw, 0.35, 1.0), (smooth(raw, smoothing), 1.0, 2.0)]
    traces = []
    for values, opacity, width in drawn:
        keep = decimate(values, POINTS // len(drawn))
        front = opacity == 1
        traces.append(
            go.Scatter(
                x=curve["x"].to_numpy()[keep],
                y=np.where(np.isfinite(values[keep]), values[keep], np.nan),  # a gap: JSON knows no infinity
                mode="lines" if len(keep) > 1 else "markers",
                name=run,
                legendgroup=run,
                showlegend=legend and front,
                line={"color": line["color"], "dash": line["dash"] if front else "solid", "width": width},
                opacity=opacity,
                hoverinfo=None if front else "skip",
                hovertemplate=f"%{{y:.4g}}<extra>{run}</extra>" if front else None,
            )
        )
    return traces
