"""Components of our own, for what Streamlit's elements cannot do: click a picture, draw sixty cards, follow a cursor.

Their data are plain values: text is put in as text, never as HTML, and pictures as data URLs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).parent


@cache
def _text(file: str) -> str:
    return (FOLDER / file).read_text(encoding="utf-8")


def _component(name: str) -> Any:
    """Registered anew at each run of a page, as Streamlit keeps components by server."""
    return st.components.v2.component(
        f"ganlib_{name}",
        html=f'<div class="ganlib-{name}"></div>',
        css=_text(f"{name}.css"),
        js=_text(f"{name}.js"),
        isolate_styles=False,
    )


def draw_pictures(
    cells: Sequence[Mapping[str, str]],
    *,
    key: str,
    testid: str,
    label: str,
    captions: bool = False,
    opens: bool = False,
    columns: int = 0,
    largest: int = 0,
) -> str | None:
    """A grid of pictures; the ``id`` of the one that was clicked just now where it ``opens`` them.

    A cell has ``src``, ``alt``, and as wanted ``caption`` and ``id``; one with ``head`` alone begins a row of
    ``columns`` pictures. Without columns the pictures fill the screen. ``largest``: side of a picture in pixels.
    """
    data = {
        "cells": [dict(cell) for cell in cells],
        "testid": testid,
        "label": label,
        "captions": captions,
        "open": opens,
        "columns": columns,
        "heads": any("head" in cell for cell in cells),
        "largest": largest,
    }
    result = _component("pictures")(data=data, key=key, on_opened_change=lambda: None)
    return str(result.opened) if result.opened else None


def draw_cards(items: Sequence[Mapping[str, Any]], *, least: int, key: str) -> str | None:
    """Cards in as many columns of at least ``least`` pixels as there is room for; where a click leads to."""
    data = {"items": [dict(item) for item in items], "least": least}
    chosen = _component("cards")(data=data, key=key, on_chosen_change=lambda: None).chosen
    return str(chosen) if chosen else None


def draw_player(
    frames: Sequence[str], captions: Sequence[str], *, frames_per_second: int, boomerang: bool, label: str, key: str
) -> None:
    """Frames as a film with a scrubber and a speed; it plays in the browser alone. ``frames``: data URLs."""
    data = {
        "frames": list(frames),
        "captions": list(captions),
        "fps": frames_per_second,
        "boomerang": boomerang,
        "label": label,
    }
    _component("player")(data=data, key=key)


def draw_film(rows: Sequence[Mapping[str, Any]], *, chart: str, current: float, key: str) -> str | None:
    """A strip of pictures a run, which follows the cursor in the chart of key ``chart``; the ``id`` of a clicked one.

    A row has a ``label`` and ``cells`` with ``src``, ``alt``, ``caption``, ``id`` and ``x``, their place on the chart's
    axis (of dates: milliseconds since 1970). ``current`` is the place that is marked while the cursor is elsewhere.
    """
    data = {"rows": [dict(row) for row in rows], "chart": chart, "current": current}
    chosen = _component("film")(data=data, key=key, on_chosen_change=lambda: None).chosen
    return str(chosen) if chosen else None
