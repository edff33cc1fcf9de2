"""Samples that runs drew of fixed seeds as their training went on."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ganlib.runs import Run, read_sheet
from ganlib.ui import markup
from ganlib.ui.catalog import runs
from ganlib.ui.links import check_link

MAX_COLUMNS = 3  # runs side by side
LAST = "last_snapshot"  # the session's key of the latest moment that the slider had


def runs_with_samples(names: Sequence[str]) -> list[Run]:
    return [run for run in runs() if run.name in names and run.folder.sample_images()]


def draw_training_samples(names: Sequence[str]) -> None:
    """Each run's samples at its last snapshot not after the slider."""
    sampled = runs_with_samples(names)
    if not sampled:
        return
    snapshots = sorted({images for run in sampled for images in run.folder.sample_images()})
    st.subheader("Samples", anchor=False)
    end = _pick_snapshot(snapshots) if len(snapshots) > 1 else snapshots[0]
    columns = st.columns(max(min(len(sampled), MAX_COLUMNS), 2), gap="medium")
    for i, run in enumerate(sampled):
        earlier = [images for images in run.folder.sample_images() if images <= end]
        with columns[i % len(columns)]:
            if earlier:
                _draw_snapshot(run, earlier[-1])
            else:
                st.caption(f"{markup.plain(run.name)} has no samples that early.")


def _pick_snapshot(snapshots: list[int]) -> int:
    labels = [f"{n:,}" for n in snapshots]  # exact, for two runs may have snapshots a few images apart
    if st.session_state.get("follow") and st.session_state.get("at") == st.session_state.get(LAST):
        st.session_state.pop("at", None)  # it stood at the end, and goes along with it
    st.session_state[LAST] = labels[-1]
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
