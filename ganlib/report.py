"""Figures and tables as files that need nothing else: a page of HTML, a LaTeX table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import pandas as pd
import plotly.graph_objects as go

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; } figure { margin: 1rem 0; }
th, td { border-bottom: 1px solid #ddd; padding: .25rem .75rem; text-align: right; }
th:first-child, td:first-child { text-align: left; } footer { color: #666; margin-top: 3rem; }
"""
SPECIAL = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\^{}",
    "∞": r"$\infty$",
    "±": r"$\pm$",
}


class Part(NamedTuple):
    heading: str
    content: go.Figure | pd.DataFrame | str
    words: str = ""  # what a figure shows, for who cannot see it


def html(title: str, parts: Sequence[Part], footer: str = "") -> str:
    """One self-contained page: Plotly's script is inside, once, so that it opens offline."""
    body, script = [], True
    for part in parts:
        body.append(f"<h2>{escape(part.heading)}</h2>" if part.heading else "")
        if isinstance(part.content, go.Figure):
            plot = part.content.to_html(full_html=False, include_plotlyjs=script, config={"displaylogo": False})
            body.append(f'<figure role="img" aria-label="{escape(part.words)}">{plot}</figure>')
            script = False
        elif isinstance(part.content, pd.DataFrame):
            body.append(part.content.to_html(index=False, border=0, na_rep="–", float_format="{:.4g}".format))
        else:
            body.append(f"<p>{escape(part.content)}</p>")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><h1>{escape(title)}</h1>{''.join(body)}"
        f"<footer>{escape(footer)}</footer></body></html>"
    )


def latex(frame: pd.DataFrame) -> str:
    """A tabular of booktabs: numbers to the right, four significant digits, a dash where there is none."""
    numeric = [pd.api.types.is_numeric_dtype(frame[name]) for name in frame.columns]
    rows = [[_cell(value) for value in row] for row in frame.itertuples(index=False)]
    lines = [
        rf"\begin{{tabular}}{{{''.join('r' if n else 'l' for n in numeric)}}}",
        r"\toprule",
        " & ".join(_escape(str(name)) for name in frame.columns) + r" \\",
        r"\midrule",
        *(" & ".join(row) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    if value is None or value is pd.NaT or (isinstance(value, float) and value != value):
        return "--"
    return f"{value:.4g}" if isinstance(value, float) else _escape(str(value))


def _escape(text: str) -> str:
    return "".join(SPECIAL.get(c, c) for c in text)
