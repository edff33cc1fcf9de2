"""Masks and sketches drawn with the mouse or a finger, by streamlit-drawable-canvas."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import streamlit as st
from PIL import Image
from streamlit.errors import StreamlitAPIException

from ganlib.images import to_pil

SIDE = 288  # pixels of the canvas: the left column has them beside the results, and a phone
BRUSHES = {"Thin": 6, "Medium": 20, "Thick": 44}
HALF = 128  # of 255


def draw_on(pixels: np.ndarray, *, key: str, colour: str, tool: Literal["freedraw", "rect"], width: int) -> np.ndarray:
    """What was drawn on a picture (H, W, C) uint8: (H, W) bool of its size, all False before anything is.

    The page says so where this server has no canvas.
    """
    try:
        from streamlit_drawable_canvas import st_canvas
    except (ImportError, StreamlitAPIException):
        st.caption("Drawing needs the package streamlit-drawable-canvas, installed before the server is started.")
        return np.zeros(pixels.shape[:2], bool)
    background = to_pil(pixels).convert("RGB").resize((SIDE, SIDE), Image.Resampling.NEAREST)
    result: Any = st_canvas(
        fill_color=colour,
        stroke_color=colour,
        stroke_width=width,
        background_image=background,
        width=SIDE,
        height=SIDE,
        drawing_mode=tool,
        return_image_data=True,
        key=key,
    )
    if result.image_data is None:
        return np.zeros(pixels.shape[:2], bool)
    alpha = Image.fromarray(np.ascontiguousarray(result.image_data[:, :, 3]))
    smaller = alpha.resize((pixels.shape[1], pixels.shape[0]), Image.Resampling.BOX)
    return np.asarray(smaller) >= HALF


def pick_brush(key: str, default: str) -> int:
    """Its width in pixels of the canvas."""
    choice = st.segmented_control(
        "Brush", list(BRUSHES), default=default, required=True, key=key, label_visibility="collapsed"
    )
    return BRUSHES[str(choice)]
