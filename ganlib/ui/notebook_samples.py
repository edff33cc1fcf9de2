"""Pictures that notebooks showed while they trained, as samples beside the curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from ganlib.logs import NotebookSample, notebook_samples
from ganlib.ui import markup
from ganlib.ui.training_samples import MAX_COLUMNS

Samples = Mapping[str, Sequence[NotebookSample]]  # by run


def samples_of(frame: pd.DataFrame, names: Sequence[str]) -> Samples:
    """The pictures of each named run that has some, of the server's notebooks and of the session's uploads."""
    uploaded: Samples = st.session_state.get("uploaded_pictures", {})
    samples = {run: uploaded[run] for run in names if run in uploaded}
    for run, (path, inner) in frame.attrs.get("notebooks", {}).items():
        if run in names and (changed := _modification_time(path)) is not None:
            unit = frame.attrs["step_units"].get(run, "steps")
            samples |= _of_server(run, path, inner, unit, changed)
    return {run: samples[run] for run in names if run in samples}


def _modification_time(path: str) -> int | None:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:  # it was read a moment ago, and is being written again
        return None


@st.cache_data(max_entries=64, show_spinner=False)
def _of_server(run: str, path: str, inner: str, unit: str, changed: int) -> dict[str, list[NotebookSample]]:
    return notebook_samples({run: (path, inner)}, {run: unit})


def draw_notebook_samples(samples: Samples) -> None:
    """Each run's pictures, one at a time, the runs side by side."""
    if not samples:
        return
    st.subheader("Pictures of notebooks", anchor=False)
    columns = st.columns(max(min(len(samples), MAX_COLUMNS), 2), gap="medium")
    for i, (run, pictures) in enumerate(samples.items()):
        with columns[i % len(columns)]:
            _draw_pictures(run, pictures)


def _draw_pictures(run: str, pictures: Sequence[NotebookSample]) -> None:
    moments = [picture.moment for picture in pictures]
    moment = moments[-1]
    if len(moments) > 1:
        moment = st.select_slider(f"Pictures of {markup.plain(run)}", moments, moments[-1], key=f"pictures of {run}")
    text = f"{run}, {moment}"
    st.html(markup.sheet(pictures[moments.index(moment)].content, text, text))
