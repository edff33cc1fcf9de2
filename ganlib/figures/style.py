"""Style of all figures: palette, a dash per run of one colour, what is left to the theme."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

# Contrast of at least 3 : 1 on white and on #0e1117 and, within that band of lightness, as far apart as twelve
# colours get for normal, red-blind and green-blind eyes (OKLab distance of 0.08 or more).
PALETTE = (
    "#0073cc", "#f26600", "#1aa64d", "#cc0d0d", "#bf26b3", "#33998c",
    "#735980", "#5980ff", "#ff4d99", "#1a7340", "#8c8ccc", "#004dff",
)  # fmt: skip
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "x")  # for points, as dashes for lines
NEUTRAL, GRID = "#888888", "rgba(128, 128, 128, 0.25)"  # seen on white and on near-black
MAX_TITLE_LENGTH = 26  # characters of a run above a small panel
TEXT_SIZE, TITLE_SIZE = 14, 15  # pixels: read from the back of a lecture room


def colour_of(run: str, colours: Mapping[str, str]) -> str:
    """The run's colour; a run of another tool gets one from the letters of its name, the same on every machine."""
    return colours.get(run) or PALETTE[zlib.crc32(run.encode()) % len(PALETTE)]


def run_lines(runs: list[str], colours: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Plotly's ``line`` of each run: its colour, or one that no run has where runs before it have that one.

    A dash tells it from those runs, too; it alone does where the palette is used up.
    """
    lines: dict[str, dict[str, str]] = {}
    wanted = {run: colour_of(run, colours) for run in runs}
    free = [colour for colour in PALETTE if colour not in wanted.values()]
    for run, colour in wanted.items():
        before = [other for other in lines if wanted[other] == colour]
        own = free.pop(0) if before and free and colour != NEUTRAL else colour  # grey is what is not highlighted
        lines[run] = {"color": own, "dash": DASHES[len(before) % len(DASHES)]}
    return lines


def empty_figure(text: str) -> go.Figure:
    figure = go.Figure().add_annotation(text=text, showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper")
    return apply_style(figure.update_xaxes(visible=False).update_yaxes(visible=False).update_layout(height=160))


def apply_style(figure: go.Figure, right: int = 20) -> go.Figure:
    """The last step of every figure: the empty template, which Streamlit's theme fills in light and dark, and all
    texts as they are written, for Plotly would read names of runs, tags and classes as HTML.

    A hover template is a constant: a trace's name is "%{fullData.name}" in it, never its own text.
    """
    _escape_texts(figure)
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(gridcolor=GRID, zerolinecolor=GRID, tickfont_size=TEXT_SIZE, title_font_size=TITLE_SIZE)
    return figure.update_layout(
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 50, "r": right, "t": 60, "b": 50},
        hoverlabel={"font": {"size": TEXT_SIZE}, "namelength": -1},
        legend={
            "font": {"size": TEXT_SIZE},
            "orientation": "h",
            "yref": "container",
            "y": 1,
            "yanchor": "top",
            "x": 0,
            "maxheight": 0.35,
        },
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": NEUTRAL},
    )


def rename_runs(figure: go.Figure, labels: Mapping[str, str]) -> go.Figure:
    """The finished figure with runs called by their labels: names of traces, categories and texts that are a run."""
    new = {escape(name, quote=False): escape(label, quote=False) for name, label in labels.items() if name != label}
    new |= {shortened(name): shortened(label) for name, label in new.items()}
    if not new:
        return figure
    for trace in figure.data:
        for key in ("name", "text", "x", "y"):
            if trace[key] is not None:
                trace[key] = _renamed(trace[key], new)
    for annotation in figure.layout.annotations:
        annotation.text = new.get(annotation.text, annotation.text)
    return figure


def shortened(name: str) -> str:
    """A run's name above a panel a third as wide as the page: its beginning and its end, in which runs differ."""
    if len(name) <= MAX_TITLE_LENGTH:
        return name
    end = MAX_TITLE_LENGTH // 3
    return f"{name[: MAX_TITLE_LENGTH - 1 - end]}…{name[-end:]}"


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return names.get(value, value)
    array = np.asarray(value)
    return [names.get(item, item) for item in array.tolist()] if array.dtype.kind in "OU" else value


def _escape_texts(figure: go.Figure) -> None:
    for trace in figure.data:
        for key in ("name", "text", "x", "y", "customdata"):
            if trace[key] is not None:
                trace[key] = _escaped(trace[key])
    figure.for_each_annotation(lambda annotation: annotation.update(text=_escaped(annotation.text)))
    for for_each in (figure.for_each_xaxis, figure.for_each_yaxis):
        for_each(lambda axis: axis.update(title_text=_escaped(axis.title.text), ticktext=_escaped(axis.ticktext)))


def _escaped(value: Any) -> Any:
    """Texts, alone or in an array; other values as they are."""
    if isinstance(value, str):
        return escape(value, quote=False)
    array = np.asarray(value)
    return np.frompyfunc(_escaped, 1, 1)(array) if array.ndim and array.dtype.kind in "OUT" else value
