"""Pictures from drawings or greys: of a picture's own, or drawn on the page."""

from __future__ import annotations

import numpy as np
import streamlit as st

from ganlib.applications.translation import degraded_input, from_input
from ganlib.metrics.similarity import perceptual_distance, psnr
from ganlib.models import ImageToImage
from ganlib.runs import Run
from ganlib.ui import drawing, edit_tasks
from ganlib.ui.catalog import load_trainable
from ganlib.ui.picture_source import pick_picture

INK = "#0073cc"


def draw_sketching(run: Run) -> None:
    model = load_trainable(run)
    assert isinstance(model, ImageToImage)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picture = pick_picture(run, generated=True)
    source, drawn, place = degraded_input(model, picture.pixels), False, st.container()
    if model.task == "edges":
        left, place = st.columns([2, 3], gap="large")
        with left:
            source, drawn = _draw_lines(source, picture.digest)
    result = from_input(model, source)
    cells = [("Drawing" if model.task == "edges" else "Greys", source), ("Result", result), ("Picture", picture.pixels)]
    with place:
        edit_tasks.draw_pictures(cells)
        if not drawn:
            pair = result[None], picture.pixels[None]
            st.caption(
                f"Result against picture: PSNR {psnr(*pair)[0]:.1f} dB, features {perceptual_distance(*pair)[0]:.2f}."
            )
        edit_tasks.draw_downloads(run, model.task, [result], source if drawn else None)
        shown = picture._replace(name=edit_tasks.DRAWING_FILE) if drawn else picture
        arguments = ["--drawing"] if drawn else []
        edit_tasks.draw_edit_link(run, edit_tasks.DRAW, shown, None if drawn else {}, arguments)


def _draw_lines(edges: np.ndarray, digest: str) -> tuple[np.ndarray, bool]:
    """The picture's own lines (H, W, 1), with what is drawn beside them, or that alone; whether anything is drawn."""
    own = st.toggle("The picture's lines", True, key="own_lines")
    paper = edges if own else np.full_like(edges, 255)
    lines = drawing.draw_on(
        paper, key=f"sketch_{digest}_{own}", colour=INK, tool="freedraw", width=drawing.pick_brush("pen", "Thin")
    )
    return np.where(lines[..., None], 0, paper).astype(np.uint8), bool(lines.any()) or not own
