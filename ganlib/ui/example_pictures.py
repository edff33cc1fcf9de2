"""Pictures to work on where a run's data set is not at hand: those of its last sheet, which training drew."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ganlib.models import ImageToImage
from ganlib.picture_files import open_picture
from ganlib.runs import Run
from ganlib.ui.thumbnails import GAP, last_sheet

BLOCK = 3  # rows of a sheet: inputs, outputs, what is wanted or the way back
WHITE = 250  # and above: where the last row has no picture


def example_pictures(run: Run, domain: int | None = None) -> NDArray[np.uint8]:
    """(N, H, W, C) uint8, none where there is no sheet; of a translation's one domain, if it is given.

    A sheet is lossy: its pictures differ by a few levels from those of the data set.
    """
    model, path = run.blueprint, last_sheet(run)
    c = run.config
    if path is None or not isinstance(model, ImageToImage):
        return np.empty((0, c.image_size, c.image_size, c.channels), np.uint8)
    rows = _rows(os.fsencode(path), path.stat().st_mtime_ns, c.image_size, c.channels)
    blocks = rows[: len(rows) // BLOCK * BLOCK].reshape(-1, BLOCK, *rows.shape[1:])
    pictures = blocks[:, BLOCK - 1 if model.paired else 0].reshape(-1, *rows.shape[2:])
    pictures = pictures[pictures.min(axis=(1, 2, 3)) < WHITE]
    return pictures if domain is None else np.array_split(pictures, 2)[domain]  # the first domain's stand first


@st.cache_data(max_entries=16, show_spinner=False)
def _rows(path: bytes, mtime_ns: int, side: int, channels: int) -> NDArray[np.uint8]:
    """(rows, columns, H, W, C) of a sheet, whole tiles alone; none of what is no picture."""
    try:
        with open_picture(Path(os.fsdecode(path)), ["WEBP"]) as image:
            pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    except ValueError:
        return np.empty((0, 1, side, side, channels), np.uint8)
    step = side + GAP
    rows, columns = ((n + GAP) // step for n in pixels.shape[:2])
    padded = np.pad(pixels.reshape(*pixels.shape[:2], channels), [(0, GAP), (0, GAP), (0, 0)])
    tiles = padded[: rows * step, : columns * step].reshape(rows, step, columns, step, channels).swapaxes(1, 2)
    return tiles[:, :, :side, :side]
