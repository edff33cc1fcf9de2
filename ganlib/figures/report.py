"""Figures and tables as files: an HTML report, a LaTeX table."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Callable, Iterable
from html import escape
from typing import Any, NamedTuple, TypeAlias

import pandas as pd
import plotly.graph_objects as go
from PIL import Image

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; } figure { margin: 1rem 0; }
th, td { border-bottom: 1px solid #ddd; padding: .25rem .6rem; text-align: left; }
.pixels { image-rendering: pixelated; max-width: 100%; }
.number { text-align: right; white-space: nowrap; } footer { color: #666; margin-top: 3rem; }
"""
LATEX_ESCAPES = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\^{}",
    "∞": r"$\infty$",
    "±": r"$\pm$",
}


Content: TypeAlias = go.Figure | Callable[[], go.Figure] | pd.DataFrame | Image.Image | str


class Part(NamedTuple):
    heading: str
    content: Content
    alt: str = ""  # text alternative of a figure or picture


class Report:
    """What a page shows, part by part, as one self-contained HTML file."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.parts: list[Part] = []

    def add(self, content: Content, heading: str = "", alt: str = "") -> None:
        """A figure may also come as a function that draws it, called when the file is written."""
        self.parts.append(Part(heading, content, alt))

    def html(self, footer: str = "") -> str:
        """Plotly's script is inside, once, so that the file opens offline. The same parts are the same bytes."""
        body, script = [], True
        for number, part in enumerate(self.parts):
            body.append(f"<h2>{escape(part.heading)}</h2>" if part.heading else "")
            content = part.content() if callable(part.content) else part.content
            if isinstance(content, go.Figure):
                common: dict[str, Any] = {"full_html": False, "config": {"displaylogo": False}}
                plot = content.to_html(include_plotlyjs=script, div_id=f"figure-{number}", **common)
                body.append(f'<figure role="img" aria-label="{escape(part.alt)}">{plot}</figure>')
                script = False
            elif isinstance(content, pd.DataFrame):
                body.append(_table(content))
            elif isinstance(content, Image.Image):
                body.append(_picture(content, part.alt))
            else:
                body.append(f"<p>{escape(content)}</p>")
        return (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(self.title)}</title>'
            f"<style>{STYLE}</style></head><body><h1>{escape(self.title)}</h1>{''.join(body)}"
            f"<footer>{escape(footer)}</footer></body></html>"
        )


def _picture(picture: Image.Image, alt: str) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    source = f"data:image/png;base64,{b64encode(buffer.getvalue()).decode()}"
    return f'<figure><img class="pixels" src="{source}" alt="{escape(alt)}" width="{2 * picture.width}"></figure>'


def _table(frame: pd.DataFrame) -> str:
    """Numbers to the right, text to the left."""
    kinds = ["number" if pd.api.types.is_numeric_dtype(frame[name]) else "text" for name in frame.columns]

    def row(tag: str, cells: Iterable[str]) -> str:
        inside = (f'<{tag} class="{kind}">{escape(cell)}</{tag}>' for kind, cell in zip(kinds, cells, strict=True))
        return f"<tr>{''.join(inside)}</tr>"

    rows = (row("td", map(_format, values)) for values in frame.itertuples(index=False))
    return f"<table>{row('th', map(str, frame.columns))}{''.join(rows)}</table>"


def _format(value: object) -> str:
    if _missing(value):
        return "–"
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def latex(frame: pd.DataFrame) -> str:
    """A tabular of booktabs: numbers to the right, four significant digits, a dash for a missing value."""
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
    if _missing(value):
        return "--"
    return _digits(value) if isinstance(value, float) else _escape(str(value))


def _digits(value: float) -> str:
    """Four significant digits, zeros at the end among them: 1.5 -> "1.500", 12345.6 -> "12346"."""
    return f"{value:.0f}" if 1000 <= abs(value) < 1e9 else f"{value:#.4g}".rstrip(".")


def _missing(value: object) -> bool:
    return any(value is missing for missing in (None, pd.NaT, pd.NA)) or (isinstance(value, float) and value != value)


def _escape(text: str) -> str:
    return "".join(LATEX_ESCAPES.get(c, c) for c in text)
