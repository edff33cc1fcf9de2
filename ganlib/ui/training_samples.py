"""Samples that runs drew of fixed seeds as their training went on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from ganlib.run_folder import read_sheet
from ganlib.runs import Run
from ganlib.ui import components, markup, thumbnails
from ganlib.ui.catalog import runs
from ganlib.ui.links import check_link
from ganlib.ui.names import chart_labels, format_count

MAX_COLUMNS = 3  # runs side by side
MAX_FRAMES = 12  # of a run's film strip
CLICKED = "clicked_snapshot"  # the session's key of the moment that was clicked in a film strip
LAST = "last_snapshot"  # the session's key of the latest moment that the slider had


def runs_with_samples(names: Sequence[str]) -> list[Run]:
    return [run for run in runs() if run.name in names and run.folder.sample_images()]


def draw_training_samples(names: Sequence[str], frame: pd.DataFrame) -> None:
    """A film strip of each run, which follows the cursor in the curves, and the whole samples of one moment.

    ``frame``: the scalars of the runs with their places on the axis, as ``ganlib.logs.assign_x`` gives them.
    """
    sampled = runs_with_samples(names)
    if not sampled:
        return
    snapshots = sorted({images for run in sampled for images in run.folder.sample_images()})
    st.subheader("Samples", anchor=False)
    strip = st.container()
    end = _pick_snapshot(snapshots) if len(snapshots) > 1 else snapshots[0]
    with strip:
        _draw_film(sampled, frame, end)
    columns = st.columns(max(min(len(sampled), MAX_COLUMNS), 2), gap="medium")
    for i, run in enumerate(sampled):
        earlier = [images for images in run.folder.sample_images() if images <= end]
        with columns[i % len(columns)]:
            if earlier:
                _draw_snapshot(run, earlier[-1])
            else:
                st.caption(f"{markup.plain(run.name)} has no samples that early.")


def _draw_film(sampled: Sequence[Run], frame: pd.DataFrame, end: int) -> None:
    """Nothing for runs that logged no images, whose snapshots have no place on the axis."""
    labels, rows, current = chart_labels(sampled), [], 0.0
    for run in sampled:
        logged = frame[(frame["run"] == run.name) & (frame["tag"] == "images")].sort_values("value")
        if logged.empty:
            continue
        x = logged["x"].astype("datetime64[ms]").astype("int64") if logged["x"].dtype.kind == "M" else logged["x"]
        moments = run.folder.sample_images()
        shown = [moments[i] for i in np.unique(np.linspace(0, len(moments) - 1, MAX_FRAMES).round().astype(int))]
        places = np.interp(shown, logged["value"].astype(float), x.astype(float))
        current = max(current, float(np.interp(end, logged["value"].astype(float), x.astype(float))))
        cells = [_cell(run, images, place) for images, place in zip(shown, places, strict=True)]
        rows.append({"label": labels[run.name], "cells": [cell for cell in cells if cell["src"]]})
    if rows:
        chosen = components.draw_film(rows, chart="curves", current=current, key="film")
        if chosen and st.session_state.get("at") != chosen:
            st.session_state[CLICKED] = chosen
            st.rerun()


def _cell(run: Run, images: int, x: float) -> dict[str, Any]:
    source = thumbnails.tiles_of_sheet(run, run.folder.samples / f"{images}.webp", 2, 2)
    alt = f"Samples of {run.name} after {images:,} images"
    return {"src": source, "alt": alt, "caption": format_count(images), "id": f"{images:,}", "x": float(x)}


def _pick_snapshot(snapshots: list[int]) -> int:
    labels = [f"{n:,}" for n in snapshots]  # exact, for two runs may have snapshots a few images apart
    if st.session_state.get("follow") and st.session_state.get("at") == st.session_state.get(LAST):
        st.session_state.pop("at", None)  # it stood at the end, and goes along with it
    st.session_state[LAST] = labels[-1]
    if (clicked := st.session_state.pop(CLICKED, None)) in labels:
        st.session_state["at"] = clicked
    check_link("at", labels.__contains__, "no run has samples of that moment")
    label = st.select_slider("Samples after … training images", labels, labels[-1], key="at", bind="query-params")
    return snapshots[labels.index(label)]


def _draw_snapshot(run: Run, images: int) -> None:
    text = f"{run.name} after {images:,} training images"
    content = read_sheet(run.folder.samples / f"{images}.webp")
    if content is None:
        st.caption(f"The picture of {markup.plain(text)} is damaged.")
    else:
        st.html(markup.sheet(content, text, text))
