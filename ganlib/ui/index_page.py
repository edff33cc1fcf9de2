"""Streamlit's index.html with what a browser should have before a page is drawn: heights, keys, the charts' code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from ganlib.ui.navigation import PAGES

STATIC = Path(streamlit.__file__).parent / "static"
RESERVED = Path(__file__).with_name("reserved.css")
SCRIPT = Path(__file__).with_name("page.js")
CHARTS = {"curves", "fid", "compare", "balance", "interpolation", "directions"}  # pages that draw with Plotly


def index_routes(base: str = "") -> list[Route]:
    """A route for each page's address below ``base``; what else is asked for, Streamlit serves."""
    root = f"/{base.strip('/')}/" if base else "/"
    return [Route(root + name.removeprefix("home"), _serve(name)) for name in PAGES]


def index_html(page: str) -> str:
    """Streamlit's page with reserved heights, the tab's own script and, where ``page`` has charts, their code."""
    head = f"<style>{RESERVED.read_text()}</style><script>{SCRIPT.read_text()}</script>"
    if page in CHARTS:
        head += "".join(
            f'<script type="module" src="./static/js/{path.name}"></script>'
            for path in sorted((STATIC / "static/js").glob("PlotlyChart.*.js"))
        )
    return (STATIC / "index.html").read_text().replace("</head>", f"{head}</head>", 1)


def _serve(page: str) -> Callable[[Request], Response]:
    html = index_html(page)

    def index(request: Request) -> Response:
        return HTMLResponse(html, headers={"Cache-Control": "no-cache"})

    return index
