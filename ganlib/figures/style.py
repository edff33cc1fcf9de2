"""How figures look: one colour an architecture, one dash a run; text and grid are left to the theme."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from itertools import cycle

import plotly.graph_objects as go

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
BETWEEN, GRID = "#888888", "rgba(128, 128, 128, 0.25)"  # seen on white and on near-black


class _Colours(dict[str, str]):
    """A name that is not listed gets a colour from its letters: the same on every machine, in any order."""

    def __missing__(self, name: str) -> str:
        return PALETTE[zlib.crc32(name.encode()) % len(PALETTE)]


ARCHITECTURE_COLOURS: Mapping[str, str] = _Colours(zip(NAMED, cycle(PALETTE), strict=False))


def run_lines(runs: list[str], models: Mapping[str, str]) -> dict[str, dict[str, str]]:
    lines: dict[str, dict[str, str]] = {}
    for run in runs:
        colour = ARCHITECTURE_COLOURS[models.get(run, run)]
        before = sum(line["color"] == colour for line in lines.values())
        lines[run] = {"color": colour, "dash": DASHES[before % len(DASHES)]}
    return lines


def nothing(text: str) -> go.Figure:
    figure = go.Figure().add_annotation(text=text, showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper")
    return plain(figure.update_xaxes(visible=False).update_yaxes(visible=False).update_layout(height=160))


def plain(figure: go.Figure, right: int = 20) -> go.Figure:
    """The empty template: Streamlit's theme fills it in light and dark, a saved HTML file stays plain."""
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(gridcolor=GRID, zerolinecolor=GRID)
    return figure.update_layout(
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 50, "r": right, "t": 60, "b": 50},
        legend={"orientation": "h", "yref": "container", "y": 1, "yanchor": "top", "x": 0, "maxheight": 0.35},
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": BETWEEN},
    )
