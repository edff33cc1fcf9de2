"""Scalars over training: the figure and its text alternative."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from ganlib.figures.style import NEUTRAL, apply_style, empty_figure, run_lines, shortened
from ganlib.logs import decimate, smooth
from ganlib.naming import readable

MAX_POINTS, PANEL_HEIGHT, MAX_DESCRIBED_TAGS = 4000, 300, 3
MAX_LABELS = 5  # lines that are labelled at their ends; more of them have a legend beside
LABEL_GAP = 0.075  # between two labels, of the panel's height
CHARACTER = 7.5  # pixels, of a label
LEGEND_ROW, LEGEND_LINE, LEGEND_WIDTH = 20, 50, 290  # pixels on a phone: a row, an entry without its name, the whole
LINE_END = "line end"  # name of the annotations that are such labels
COLUMNS = {"overlay": 2, "multiples": 3}
BAND_POINTS = 500  # at which runs that differ only in seed are averaged
CLIP_QUANTILES = (0.01, 0.99)


class Span(NamedTuple):
    """An interval of the axis to point at."""

    start: float
    end: float
    label: str


class Panel(NamedTuple):
    title: str
    rows: pd.DataFrame
    run: str = ""  # where it shows one alone
    unit: str = ""  # title of the vertical axis


def curves(
    frame: pd.DataFrame,
    *,
    x: str,
    colours: Mapping[str, str],
    smoothing: float = 0.0,
    layout: Literal["overlay", "multiples"] = "overlay",
    log_x: bool = False,
    log_y: bool = False,
    clip: bool = False,
    narrow: bool = False,
    marks: pd.DataFrame | None = None,
    span: Span | None = None,
    groups: Mapping[str, str] | None = None,
) -> go.Figure:
    """Scalars as ``ganlib.logs.assign_x`` gives them: a panel per tag, runs overlaid, or one per tag and run.

    ``x`` is the axis's title. A run has its colour (``colours``: run -> "#rrggbb"), and a dash of its own among
    runs of that colour. With ``smoothing`` (0 <= weight < 1) the raw line lies faint behind. A curve has at
    most ``MAX_POINTS`` points, raw and smoothed together, without losing a spike. A panel with values that are not
    positive stays linear under ``log_y`` and says so; ``clip`` leaves the hundredth at each end of the values outside.
    ``narrow``, for a phone: one panel below the other, the names above them.
    ``marks`` are rows of such a frame with a ``label`` each, drawn as vertical lines. Runs of one group (run -> name)
    are drawn as their mean and the band between the lowest and the highest. GanlibError for another weight.
    """
    if frame.empty:
        return empty_figure("No scalars to show yet.")
    panels = list(_panels(frame, layout))
    columns = 1 if narrow else min(COLUMNS[layout], len(panels))
    rows = -(-len(panels) // columns)
    space = 70 / (rows * PANEL_HEIGHT)  # 70 pixels for a title and the numbers of an axis
    titles = [panel.title for panel in panels]
    figure = make_subplots(rows, columns, subplot_titles=titles, vertical_spacing=space, horizontal_spacing=0.07)
    lines = run_lines(sorted(frame["run"].astype(str).unique()), colours)
    legend: set[str] = set()
    for number, panel in enumerate(panels):
        place = {"row": number // columns + 1, "col": number % columns + 1}
        for trace in _panel_traces(panel.rows, lines, smoothing, groups or {}):
            trace.showlegend = bool(trace.showlegend) and trace.name not in legend
            if trace.showlegend:
                legend.add(trace.name)
            figure.add_trace(trace, **place)
        if not _scale_values(figure, panel, place, log_y, clip):
            figure.layout.annotations[number].text = f"{panel.title} (linear: not all values are positive)"
        if number + columns >= len(panels):  # the lowest panel of its column
            figure.update_xaxes(title_text=x, **place)
    if marks is not None and len(marks):
        _add_marks(figure, marks, lines, [panel.run for panel in panels], log_x)
    if span:
        figure.add_vrect(span.start, span.end, fillcolor=NEUTRAL, opacity=0.25, line_width=0, name=span.label)
    # Unified hover per panel; zooming one panel zooms all; uirevision keeps the zoom while a log grows.
    figure.update_yaxes(nticks=6)
    figure.update_xaxes(matches="x", type="log" if log_x else None, showgrid=False)
    if not log_x and frame["x"].dtype.kind == "f":
        figure.update_xaxes(rangemode="tozero")
    figure.update_layout(
        hovermode="x unified", uirevision=f"curves {x} {log_x}", height=curves_height(frame, layout, narrow)
    )
    names = [trace.name for trace in figure.data if trace.showlegend]
    width = min(CHARACTER * max(map(len, names)) + 24, 260)
    if layout == "multiples":  # each panel has its run as its title
        return apply_style(figure).update_layout(showlegend=False)
    if narrow:
        apply_style(figure)
        return figure.update_layout(margin_t=figure.layout.margin.t + _legend_height(frame))
    if len(names) <= MAX_LABELS:
        _label_ends(figure, len(panels), columns)
        return apply_style(figure, right=int(width)).update_layout(showlegend=False)
    legend_beside = {"orientation": "v", "x": 1.01, "y": 1, "yref": "paper", "yanchor": "top", "maxheight": 1.0}
    return apply_style(figure, right=int(width) + 40).update_layout(legend=legend_beside)


def curves_height(frame: pd.DataFrame, layout: Literal["overlay", "multiples"], narrow: bool = False) -> int:
    """Pixels of the figure that ``curves`` draws of this frame."""
    panels = len(frame[["tag", "run"] if layout == "multiples" else ["tag"]].drop_duplicates())
    columns = 1 if narrow else min(COLUMNS[layout], panels)
    legend = _legend_height(frame) if narrow and layout == "overlay" else 0
    return -(-panels // columns) * PANEL_HEIGHT + 110 + legend


def _legend_height(frame: pd.DataFrame) -> int:
    """Pixels of a phone's legend, whose entries follow one another, beyond its first row."""
    rows, used = 1, 0.0
    for name in frame["run"].astype(str).unique():
        width = LEGEND_LINE + CHARACTER * len(name)
        if used and used + width > LEGEND_WIDTH:
            rows, used = rows + 1, 0.0
        used += width
    return LEGEND_ROW * (rows - 1)


def _label_ends(figure: go.Figure, panels: int, columns: int) -> None:
    """The names of the lines at their ends, in the last panel of each row, kept apart from each other."""
    for number in range(panels):
        if (number + 1) % columns and number + 1 < panels:
            continue
        row, column = number // columns + 1, number % columns + 1
        traces = [t for t in figure.select_traces(row=row, col=column) if t.hoverinfo != "skip" and len(t.y)]
        ends = [(trace, _last_finite(trace.y)) for trace in traces]
        logarithmic = next(figure.select_yaxes(row=row, col=column)).type == "log"
        placed = [(trace, np.log10(y) if logarithmic else y) for trace, y in ends if y is not None]
        values = np.concatenate([np.asarray(trace.y, float) for trace, _ in placed] or [np.zeros(1)])
        values = np.log10(values) if logarithmic else values
        gap = LABEL_GAP * float(np.nanmax(values) - np.nanmin(values) or 1)
        lowest = -np.inf
        for trace, y in sorted(placed, key=lambda pair: pair[1]):
            lowest = max(y, lowest + gap)
            axis = trace.yaxis or "y"
            figure.add_annotation(
                x=1.01, xref=f"{(trace.xaxis or 'x')} domain", xanchor="left", y=lowest, yref=axis, showarrow=False,
                name=LINE_END, text=trace.name, font={"size": 13, "color": trace.line.color}, align="left",
            )  # fmt: skip


def _last_finite(values: NDArray[np.float64]) -> float | None:
    finite = np.flatnonzero(np.isfinite(np.asarray(values, float)))
    return float(values[finite[-1]]) if len(finite) else None


def _scale_values(figure: go.Figure, panel: Panel, place: Mapping[str, int], log_y: bool, clip: bool) -> bool:
    """The vertical axis of one panel; False where it cannot be logarithmic as requested."""
    values = panel.rows["value"].to_numpy()
    values = values[np.isfinite(values)]
    logarithmic = log_y and bool((values > 0).all())
    if logarithmic:
        figure.update_yaxes(type="log", **place)
    if clip and len(values):
        figure.update_yaxes(range=_clipped_range(np.log10(values) if logarithmic else values), **place)
    figure.update_yaxes(title_text=panel.unit or None, **place)
    return logarithmic or not log_y


def describe_curves(frame: pd.DataFrame) -> str:
    """Text alternative of the curves: the runs, how far they got, and each scalar's level at the end."""
    if frame.empty:
        return "No scalars to show yet."
    runs, tags = frame["run"].nunique(), sorted(frame["tag"].astype(str).unique())
    text = [f"{runs} {'run' if runs == 1 else 'runs'}, up to step {frame['step'].max():,}."]
    finite = frame[np.isfinite(frame["value"])]
    ends = finite["step"] >= 0.9 * finite.groupby("run", observed=True)["step"].transform("max")
    means = finite[ends].groupby(["tag", "run"], observed=True)["value"].mean()
    levels = []
    for tag in tags[:MAX_DESCRIBED_TAGS]:
        level = means[means.index.get_level_values("tag") == tag].droplevel("tag").sort_values()
        if len(level) == 1:
            levels.append(f"{tag} {readable(level.iloc[0])}")
        elif len(level):
            lowest, highest = level.index[0], level.index[-1]
            levels.append(f"{tag} from {readable(level.iloc[0])} ({lowest}) to {readable(level.iloc[-1])} ({highest})")
    if levels:
        more = f", and {len(tags) - MAX_DESCRIBED_TAGS} more scalars" if len(tags) > MAX_DESCRIBED_TAGS else ""
        text.append(f"Mean over each run's last tenth: {'; '.join(levels)}{more}.")
    if bad := len(frame) - len(finite):
        text.append(f"{bad:,} {'value is' if bad == 1 else 'values are'} not finite.")
    return " ".join(text)


def _add_marks(
    figure: go.Figure, marks: pd.DataFrame, lines: Mapping[str, dict[str, str]], runs: Sequence[str], log_x: bool
) -> None:
    """Vertical lines in each panel: those of its run of ``runs``, or all where it shows all.

    All at once: Plotly's ``add_vline`` takes some milliseconds for each.
    """
    shapes, texts = [], []
    for number, own in enumerate(runs, 1):
        axis = "" if number == 1 else str(number)
        for mark in marks.itertuples():
            if own in ("", str(mark.run)):
                colour = lines[str(mark.run)]["color"] if str(mark.run) in lines else NEUTRAL
                x, at = _to_json(mark.x), {"xref": f"x{axis}", "yref": f"y{axis} domain"}
                line = {"color": colour, "dash": "dot", "width": 1}
                shapes.append({**at, "type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "line": line})
                text = {"text": mark.label, "textangle": -90, "yanchor": "top", "xanchor": "right", "showarrow": False}
                # Plotly places texts on a logarithmic axis by the logarithm, and lines by the value.
                texts.append({**at, **text, "x": np.log10(x) if log_x else x, "y": 1, "font": {"size": 10}})
    figure.layout.shapes += tuple(shapes)
    figure.layout.annotations += tuple(texts)


def _panels(frame: pd.DataFrame, layout: str) -> Iterator[Panel]:
    frame = frame.assign(tag=frame["tag"].astype(str), run=frame["run"].astype(str))
    for tag, of_tag in frame.groupby("tag"):
        if layout == "overlay":
            yield Panel(str(tag), of_tag)
        else:
            for run, rows in of_tag.groupby("run"):
                yield Panel(shortened(str(run)), rows, str(run), str(tag))


def _panel_traces(
    rows: pd.DataFrame, lines: Mapping[str, dict[str, str]], smoothing: float, groups: Mapping[str, str]
) -> Iterator[go.Scatter]:
    shared = rows["run"].map(groups)
    several = shared[shared.map(rows.groupby(shared)["run"].nunique()) > 1]
    for group, members in rows.loc[several.index].groupby(several):
        yield from _band(str(group), members, lines[str(members["run"].iloc[0])], smoothing)
    for run, curve in rows.drop(several.index).groupby("run"):
        yield from _traces(str(run), curve, lines[str(run)], smoothing)


def _traces(run: str, curve: pd.DataFrame, line: Mapping[str, str], smoothing: float) -> Iterator[go.Scatter]:
    """The line, with the raw one faint behind it where it is smoothed; a gap where the run started over."""
    segments = [part.sort_values("step", kind="stable") for _, part in curve.groupby("segment")]
    for weight in [smoothing] if smoothing == 0 else [0.0, smoothing]:
        front = weight == smoothing
        places, values = [], []
        for part in segments:
            y = smooth(part["value"].to_numpy(), weight)
            keep = decimate(y, max(MAX_POINTS // (len(segments) * (1 if smoothing == 0 else 2)), 8))
            places.append(part["x"].to_numpy()[keep])
            values.append(np.where(np.isfinite(y[keep]), y[keep], np.nan))  # a gap: JSON knows no infinity
            if part is not segments[-1]:
                places.append(places[-1][-1:])
                values.append(np.array([np.nan]))
        yield go.Scatter(
            x=np.concatenate(places),
            y=np.concatenate(values),
            mode="lines" if len(curve) > 1 else "markers",
            name=run,
            legendgroup=run,
            showlegend=front,
            line={**line, "dash": line["dash"] if front else "solid", "width": 2 if front else 1},
            opacity=1 if front else 0.35,
            hoverinfo=None if front else "skip",
            hovertemplate="%{y:.4g}<extra>%{fullData.name}</extra>" if front else None,
        )


def _band(group: str, members: pd.DataFrame, line: Mapping[str, str], smoothing: float) -> Iterator[go.Scatter]:
    """Mean and range of runs where all of them have values; the last writing of a step counts."""
    curves = []
    for _, curve in members[np.isfinite(members["value"])].groupby("run"):
        curve = curve.drop_duplicates("x", keep="last").sort_values("x")
        curves.append((_to_float(curve["x"]), smooth(curve["value"].to_numpy(), smoothing)))
    start, end = max(x[0] for x, _ in curves), min(x[-1] for x, _ in curves)
    grid = np.linspace(start, max(start, end), BAND_POINTS)
    values = np.stack([np.interp(grid, x, y) for x, y in curves])
    places = pd.to_datetime(grid, unit="ns") if members["x"].dtype.kind == "M" else grid
    name = f"{group} ({len(curves)} seeds)"
    common = {"x": places, "mode": "lines", "name": name, "legendgroup": name}
    edge = {"line": {"width": 0, "color": line["color"]}, "hoverinfo": "skip", "showlegend": False}
    yield go.Scatter(y=values.min(0), **common, **edge)
    yield go.Scatter(y=values.max(0), fill="tonexty", fillcolor=_translucent(line["color"]), **common, **edge)
    yield go.Scatter(
        y=values.mean(0),
        line={**line, "width": 2},
        hovertemplate="%{y:.4g}<extra>%{fullData.name}</extra>",
        showlegend=True,
        **common,
    )


def _to_float(x: pd.Series) -> NDArray[np.float64]:
    return x.to_numpy("datetime64[ns]").astype(np.float64) if x.dtype.kind == "M" else x.to_numpy(np.float64)


def _to_json(x: Any) -> Any:
    return x.isoformat() if isinstance(x, pd.Timestamp) else x


def _translucent(colour: str) -> str:
    r, g, b = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({r}, {g}, {b}, 0.2)"


def _clipped_range(values: NDArray[np.float64]) -> list[float]:
    low, high = np.quantile(values, CLIP_QUANTILES)
    margin = 0.05 * (high - low) or 1.0
    return [float(low - margin), float(high + margin)]
