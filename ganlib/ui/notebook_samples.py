"""Pictures that notebooks showed while they trained, as samples beside the curves."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import streamlit as st
from PIL import Image

from ganlib.errors import GanlibError
from ganlib.logs import NotebookPicture, notebook_pictures
from ganlib.ui import markup
from ganlib.ui.training_samples import MAX_COLUMNS

MAX_PIXELS = 50_000_000  # of a picture as it comes
MAX_SIDE = 1_000  # of a picture as it is shown
SMALL_SIDE = 256  # up to which pixels are kept as they are


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
    sheets = [(picture, sheet) for picture in pictures if (sheet := _to_webp(picture.content))]
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


def _to_webp(content: bytes) -> bytes | None:
    """The picture as WebP, at most 1,000 pixels wide and high; None for one that is damaged or enormous."""
    try:
        with Image.open(io.BytesIO(content), formats=["PNG", "JPEG"]) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                return None
            is_small = max(picture.size) <= SMALL_SIDE
            converted = picture.convert("RGBA" if "A" in picture.getbands() else "RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
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
