"""The pictures of notebooks as samples: chosen evenly, small enough for a page, named after their moment."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ganlib.logs.frame import LogError
from ganlib.logs.notebook_pictures import NotebookPicture, notebook_pictures
from ganlib.picture_files import open_picture

MAX_SAMPLES = 100  # of a run, evenly over its pictures; one takes some hundredths of a second
MAX_PIXELS = 50_000_000  # of a picture as it comes
ALL_PIXELS = 500_000_000  # of all that are read of a run
MAX_SIDE = 1_000  # of a picture as it is shown
SMALL_SIDE = 256  # up to which pixels are kept as they are
FORMATS = ("PNG", "JPEG")

Notebooks = Mapping[str, tuple[str, str]]  # file, and the run's name in it, by the run's name in a frame


class NotebookSample(NamedTuple):
    moment: str  # "epoch 12", "step 1,200", "cell 7"
    content: bytes  # WebP
    step: int | None = None  # None where none is known, as after the training
    cell: int = 0  # from 1


def notebook_samples(notebooks: Notebooks, units: Mapping[str, str]) -> dict[str, list[NotebookSample]]:
    """The samples of each run that has some; ``notebooks`` and ``units`` are ``notebooks`` and ``step_units`` of a
    frame's ``attrs``. A file that cannot be read has none.
    """
    by_file: dict[str, dict[str, str]] = {}
    for run, (path, inner) in notebooks.items():
        by_file.setdefault(path, {})[run] = inner
    samples = {}
    for path, runs in by_file.items():
        try:
            pictures = notebook_pictures(Path(path))
        except LogError:  # it was read a moment ago, and is being written again
            continue
        for run, inner in runs.items():
            own = [picture for picture in pictures if picture.run in (inner, inner.partition("/")[0])]
            if converted := _convert(own, units.get(run, "steps").removesuffix("s")):
                samples[run] = converted
    return samples


def _convert(pictures: Sequence[NotebookPicture], unit: str) -> list[NotebookSample]:
    chosen = sorted(set(np.linspace(0, len(pictures) - 1, MAX_SAMPLES).round().astype(int).tolist()))
    sheets, pixels = [], 0
    for picture in (pictures[i] for i in chosen if pictures):
        pixels += (size := _count_pixels(picture.content))
        if 0 < size <= MAX_PIXELS and pixels <= ALL_PIXELS and (sheet := _to_webp(picture.content)):
            sheets.append((picture, sheet))
    moments = _distinct(_moment(picture, unit) for picture, _ in sheets)
    return [
        NotebookSample(moment, sheet, picture.step, picture.cell)
        for moment, (picture, sheet) in zip(moments, sheets, strict=True)
    ]


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
        with open_picture(content, FORMATS) as picture:
            return picture.width * picture.height
    except ValueError:
        return 0


def _to_webp(content: bytes) -> bytes | None:
    """The picture as WebP, at most 1,000 pixels wide and high; None for one that is damaged."""
    try:
        with open_picture(content, FORMATS, MAX_PIXELS) as picture:
            is_small = max(picture.size) <= SMALL_SIDE
            converted = picture.convert("RGBA" if "A" in picture.getbands() else "RGB")
    except ValueError:
        return None
    converted.thumbnail((MAX_SIDE, MAX_SIDE))
    stream = io.BytesIO()
    converted.save(stream, "WEBP", quality=90, lossless=is_small)
    return stream.getvalue()
