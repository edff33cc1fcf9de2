"""Frame -> plotly figure and the words that say the same. Colours of text and grid are left to the theme."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from itertools import cycle
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ganlib.errors import GanlibError
from ganlib.experiments import METRICS, decimate, elapsed, smooth

# Contrast of at least 3 : 1 on white and on #0e1117 and, within that band of lightness, as far apart as twelve
# colours get for normal, red-blind and green-blind eyes (OKLab distance of 0.08 or more).
PALETTE = (
    "#0073cc", "#f26600", "#1aa64d", "#cc0d0d", "#bf26b3", "#33998c",
    "#735980", "#5980ff", "#ff4d99", "#1a7340", "#8c8ccc", "#004dff",
)  # fmt: skip
# Twenty-six names share twelve colours: those of one colour are seldom compared.
NAMED = (
    "dcgan", "cdcgan", "sngan", "biggan", "stylegan2_ada", "ddpm", "classifier", "wgan_gp", "acgan", "vae_residual",
    "sagan", "pggan", "feature_vae", "bigan", "fcgan", "gran", "infogan", "wgan", "lapgan", "cgan", "aae", "lsgan",
    "sgan", "vaegan", "vae_mlp", "vae_conv",
)  # fmt: skip
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "x")  # of runs that share a colour, as dashes are
AXES = {"images": "images seen", "step": "training steps", "time": "training time, minutes"}
BETWEEN, GRID = "#888888", "rgba(128, 128, 128, 0.25)"  # seen on white and on near-black
POINTS, PANEL_HEIGHT, COLUMNS, DESCRIBED = 4000, 260, 2, 3


class _Colours(dict[str, str]):
    """A name that is not listed gets a colour from its letters: the same on every machine, in any order."""

    def __missing__(self, name: str) -> str:
        return PALETTE[zlib.crc32(name.encode()) % len(PALETTE)]


ARCHITECTURE_COLOURS: Mapping[str, str] = _Colours(zip(NAMED, cycle(PALETTE), strict=False))


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
        return _nothing("No scalars to show yet.")
    frame = frame.assign(x=_along(frame, x))
    frame["tag"] = frame["tag"].astype(str)  # of the copy that assign made
    tags = sorted(frame["tag"].unique())
    columns = min(COLUMNS, len(tags))
    rows = -(-len(tags) // columns)
    space = 70 / (rows * PANEL_HEIGHT)  # 70 pixels for a title and the numbers of an axis
    figure = make_subplots(rows, columns, subplot_titles=tags, vertical_spacing=space, horizontal_spacing=0.07)
    lines = _lines(sorted(frame["run"].astype(str).unique()), models)
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
    return _plain(figure)


def score_bars(
    frame: pd.DataFrame, *, title: str, models: Mapping[str, str], floor: tuple[float, int] | None = None
) -> go.Figure:
    """Bars of ``ganlib.experiments.read_evaluations``, the best on top, with their intervals.

    ``title`` is the axis's and names the extractor: "FID on embedded features, lower is better". ``models``
    is run -> architecture. ``floor`` is the score of so many real images that nobody trained on, drawn as a line.
    GanlibError if the frame mixes metrics or protocols, whose values do not compare.
    """
    _comparable(frame)
    frame = _ranked(frame)
    if frame.empty:
        return _nothing("No scores to show yet.")
    above, below = frame["high"] - frame["value"], frame["value"] - frame["low"]
    seen = frame["images_seen"].map(lambda n: "unknown" if pd.isna(n) else f"{int(n):,}").astype(object)
    ends = zip(frame["low"], frame["high"], strict=True)
    interval = [f" ({low:.4g} to {high:.4g})" if np.isfinite([low, high]).all() else "" for low, high in ends]
    figure = go.Figure()
    figure.add_bar(
        x=frame["value"],
        y=frame["label"],
        orientation="h",
        marker_color=[ARCHITECTURE_COLOURS[models.get(run, run)] for run in frame["run"]],
        error_x={"type": "data", "array": above, "arrayminus": below, "color": BETWEEN, "thickness": 1.5},
        customdata=np.column_stack([seen, interval]),
        hovertemplate="%{y}: %{x:.4g}%{customdata[1]}<br>images seen: %{customdata[0]}<extra></extra>",
    )
    # The numbers are a trace of their own: a bar's own text would lie under its error bar.
    figure.add_scatter(
        x=frame["high"].fillna(frame["value"]),
        y=frame["label"],
        mode="text",
        text=[f"\u2002{value:.3g}" if abs(value) < 100 else f"\u2002{value:,.0f}" for value in frame["value"]],
        textposition="middle right",
        cliponaxis=False,
        hoverinfo="skip",
    )
    if floor is not None:
        line, words = {"color": BETWEEN, "dash": "dot", "width": 1}, f"{floor[1]:,} test images {floor[0]:.3g}"
        figure.add_vline(x=floor[0], line=line, annotation={"text": words, "font_size": 11, "yanchor": "bottom"})
    figure.update_yaxes(autorange="reversed", type="category", automargin=True)
    figure.update_xaxes(title_text=title, rangemode="tozero")
    figure.update_layout(height=32 * len(frame) + 100, showlegend=False)
    return _plain(figure, right=60)


def score_course(frame: pd.DataFrame, *, title: str, models: Mapping[str, str]) -> go.Figure:
    """Scores against images seen, a line a run through its snapshots to its weights, which have the larger marker.

    GanlibError if the frame mixes metrics or protocols.
    """
    _comparable(frame)
    frame = frame[np.isfinite(frame["value"])].dropna(subset=["images_seen"])
    if frame.empty:
        return _nothing("No scores to show yet.")
    figure = go.Figure()
    lines = _lines(sorted(frame["run"].unique()), models)
    for run, course in frame.groupby("run"):
        course = course.sort_values("images_seen", kind="stable")
        figure.add_scatter(
            x=course["images_seen"].astype("int64"),
            y=course["value"],
            mode="lines+markers",
            name=str(run),
            line=lines[str(run)],
            marker={"size": np.where(course["snapshot"].isna(), 11, 6)},
            hovertemplate="%{y:.4g} at %{x:,} images<extra>" + str(run) + "</extra>",
        )
    figure.update_xaxes(title_text=AXES["images"], rangemode="tozero", showgrid=False)
    figure.update_yaxes(title_text=title)
    return _plain(figure.update_layout(height=420, hovermode="closest"))


def score_cost(frame: pd.DataFrame, *, title: str, cost: str, models: Mapping[str, str]) -> go.Figure:
    """Scores against what they cost, column ``cost``, on a logarithmic axis; the line leads along the runs that no
    other run beats in both.

    GanlibError if the frame mixes metrics or protocols.
    """
    _comparable(frame)
    frame = _ranked(frame.dropna(subset=[cost]))
    frame = frame[frame[cost] > 0]
    if frame.empty:
        return _nothing("No scores to show yet.")
    figure = go.Figure()
    front = frame[pareto(frame[cost].to_numpy(), frame["value"].to_numpy(), _better(frame))].sort_values(cost)
    figure.add_scatter(
        x=front[cost], y=front["value"], mode="lines", line={"color": BETWEEN, "dash": "dot", "width": 1.5},
        hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    lines = _lines(sorted(frame["run"].unique()), models)
    # A legend rather than labels: networks of one size lie one upon the other.
    for run, x, y in zip(frame["run"], frame[cost], frame["value"], strict=True):
        line = lines[run]
        figure.add_scatter(
            x=[x],
            y=[y],
            mode="markers",
            name=run,
            marker={"size": 11, "color": line["color"], "symbol": SYMBOLS[DASHES.index(line["dash"])]},
            hovertemplate=f"{run}: %{{y:.4g}} at %{{x:,.4g}}<extra></extra>",
        )
    figure.update_xaxes(title_text=cost, type="log", showgrid=False)
    figure.update_yaxes(title_text=title)
    return _plain(figure.update_layout(height=480))


def class_heatmap(frame: pd.DataFrame, *, title: str) -> go.Figure:
    """Scores by run and class, the best run on top; ``frame`` has one record a run and class."""
    if frame.empty:
        return _nothing("No scores of classes to show yet.")
    table = frame.pivot_table("value", "run", "class_name", sort=False)
    order = table.mean(axis=1).sort_values(ascending=False).index  # a heatmap begins at the bottom
    table = table.loc[order]
    figure = go.Figure()
    figure.add_heatmap(
        z=table.to_numpy(),
        x=list(table.columns),
        y=list(table.index),
        texttemplate="%{z:.3g}",
        colorscale="Viridis_r",
        colorbar={"title": {"text": title, "side": "right"}},
        hovertemplate="%{y}, %{x}: %{z:.4g}<extra></extra>",
        hoverongaps=False,
    )
    figure.update_yaxes(type="category", automargin=True, showgrid=False)
    figure.update_xaxes(type="category", showgrid=False)
    return _plain(figure.update_layout(height=36 * len(table) + 140))


def pareto(cost: np.ndarray, value: np.ndarray, better: str) -> np.ndarray:
    """(n,) bool: whom no other beats in one without losing in the other."""
    score = value if better == "lower" else -value
    cheaper, lower = cost[:, None] <= cost, score[:, None] <= score
    strictly = (cost[:, None] < cost) | (score[:, None] < score)
    return np.logical_not((cheaper & lower & strictly).any(axis=0))


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


def describe_scores(frame: pd.DataFrame) -> str:
    """The ends of the ranking in words; GanlibError for a mixed frame, as in ``score_bars``."""
    _comparable(frame)
    frame = _ranked(frame)
    if frame.empty:
        return "No scores to show yet."
    entries = [f"{row.label} {row.value:.4g}" for row in frame.itertuples()]
    head = f"{frame['metric'].iloc[0]} ({frame['protocol_label'].iloc[0]})"
    if len(entries) == 1:
        return f"{head}: {entries[0]}."
    first, last = ("Lowest", "highest") if _better(frame) == "lower" else ("Highest", "lowest")
    return f"{head}. {first} of {len(entries)}: {entries[0]}; {last}: {entries[-1]}."


def _along(frame: pd.DataFrame, x: str) -> pd.Series[float]:
    """Where the rows lie on axis ``x``."""
    if x != "time":
        return frame[x]
    return (frame["elapsed"] if "elapsed" in frame else elapsed(frame)) / 60


def _lines(runs: list[str], models: Mapping[str, str]) -> dict[str, dict[str, str]]:
    lines: dict[str, dict[str, str]] = {}
    for run in runs:
        colour = ARCHITECTURE_COLOURS[models.get(run, run)]
        before = sum(line["color"] == colour for line in lines.values())
        lines[run] = {"color": colour, "dash": DASHES[before % len(DASHES)]}
    return lines


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


def _comparable(frame: pd.DataFrame) -> None:
    for column, word in (("metric", "metrics"), ("protocol", "protocols")):
        if frame[column].nunique() > 1:
            raise GanlibError(f"Scores of several {word} do not compare; choose one of them.")


def _better(frame: pd.DataFrame) -> str:
    known = METRICS.get(frame["metric"].iloc[0]) if len(frame) else None
    return known.better if known else "lower"


def _ranked(frame: pd.DataFrame) -> pd.DataFrame:
    """Finite scores, the best first, each with a label of its own: the run, and what sets its records apart."""
    frame = frame[np.isfinite(frame["value"])].sort_values("run", kind="stable")
    frame = frame.sort_values("value", kind="stable", ascending=_better(frame) == "lower")
    snapshot = frame["snapshot"].map(lambda n: "" if pd.isna(n) else f" at {int(n):,} images").astype(object)
    label = frame["run"].astype(object) + snapshot
    label = label.where(~label.duplicated(keep=False), label + " #" + frame["weights_hash"].astype(object))
    return frame.assign(label=label)


def _nothing(text: str) -> go.Figure:
    figure = go.Figure().add_annotation(text=text, showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper")
    return _plain(figure.update_xaxes(visible=False).update_yaxes(visible=False).update_layout(height=160))


def _plain(figure: go.Figure, right: int = 20) -> go.Figure:
    """The empty template: Streamlit's theme fills it in light and dark, a saved HTML file stays plain."""
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(gridcolor=GRID, zerolinecolor=GRID)
    return figure.update_layout(
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 50, "r": right, "t": 60, "b": 50},
        legend={"orientation": "h", "yref": "container", "y": 1, "yanchor": "top", "x": 0},
    )
