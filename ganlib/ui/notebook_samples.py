"""Pictures that notebooks showed while they trained, as samples beside the curves."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

from ganlib.errors import GanlibError
from ganlib.logs import NotebookPicture, notebook_pictures
from ganlib.ui import markup
from ganlib.ui.training_samples import MAX_COLUMNS

MAX_SAMPLES = 100  # of a run, evenly over its pictures; one takes some hundredths of a second
MAX_PIXELS = 50_000_000  # of a picture as it comes
ALL_PIXELS = 500_000_000  # of all that are read of a run
MAX_SIDE = 1_000  # of a picture as it is shown
SMALL_SIDE = 256  # up to which pixels are kept as they are
FORMATS = ("PNG", "JPEG")
DAMAGE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)


class NotebookSample(NamedTuple):
    moment: str  # "epoch 12", "step 1,200", "cell 7"
    content: bytes  # WebP


def notebook_samples(frame: pd.DataFrame, names: Sequence[str]) -> dict[str, list[NotebookSample]]:
    """The pictures of each named run that has some, of the server's notebooks and of the session's uploads."""
    uploaded: dict[str, list[NotebookSample]] = st.session_state.get("uploaded_pictures", {})
    on_server = {run: origin for run, origin in frame.attrs.get("notebooks", {}).items() if run in names}
    samples = read_notebook_samples(frame, on_server) | {run: uploaded[run] for run in names if run in uploaded}
    return {run: samples[run] for run in names if samples.get(run)}


def read_notebook_samples(
    frame: pd.DataFrame, notebooks: Mapping[str, tuple[str, str]]
) -> dict[str, list[NotebookSample]]:
    """``notebooks``: file, and the run's name in it, by the run's name in the frame."""
    samples: dict[str, list[NotebookSample]] = {}
    for run, (path, inner) in notebooks.items():
        unit = frame.attrs["step_units"].get(run, "steps").removesuffix("s")
        try:
            samples[run] = _convert(path, Path(path).stat().st_mtime_ns, inner, unit)
        except (GanlibError, OSError):  # it was read a moment ago, and is being written again
            continue
    return samples


@st.cache_data(max_entries=64, show_spinner=False)
def _convert(path: str, changed: int, run: str, unit: str) -> list[NotebookSample]:
    pictures = [picture for picture in notebook_pictures(Path(path)) if picture.run in (run, run.partition("/")[0])]
    chosen = sorted(set(np.linspace(0, len(pictures) - 1, MAX_SAMPLES).round().astype(int).tolist()))
    sheets, pixels = [], 0
    for picture in (pictures[i] for i in chosen if pictures):
        pixels += (size := _count_pixels(picture.content))
        if 0 < size <= MAX_PIXELS and pixels <= ALL_PIXELS and (sheet := _to_webp(picture.content)):
            sheets.append((picture, sheet))
    moments = _distinct(_moment(picture, unit) for picture, _ in sheets)
    return [NotebookSample(moment, sheet) for moment, (_, sheet) in zip(moments, sheets, strict=True)]


def _moment(picture: NotebookPicture, unit: str) -> str:
    return f"cell {picture.cell}" if picture.step is None else f"{unit} {picture.step:,}"


def _distinct(texts: Iterable[str]) -> list[str]:
    counts: Counter[str] = Counter()
    result = []
    for text in texts:
        counts[text] += 1
        result.append(f"{text} ({counts[text]})" if counts[text] > 1 else text)
    return result


def _count_pixels(content: bytes) -> int:
    """By the picture's header; 0 for one that is damaged."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            return picture.width * picture.height
    except DAMAGE:
        return 0


def _to_webp(content: bytes) -> bytes | None:
    """The picture as WebP, at most 1,000 pixels wide and high; None for one that is damaged."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            is_small = max(picture.size) <= SMALL_SIDE
            converted = picture.convert("RGBA" if "A" in picture.getbands() else "RGB")
    except DAMAGE:
        return None
    converted.thumbnail((MAX_SIDE, MAX_SIDE))
    stream = io.BytesIO()
    converted.save(stream, "WEBP", quality=90, lossless=is_small)
    return stream.getvalue()


def draw_notebook_samples(samples: Mapping[str, Sequence[NotebookSample]]) -> None:
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
