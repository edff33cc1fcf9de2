"""Images that come in stages: drawn as they grow, with their progress and a way to stop and to go on."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ganlib.sampling import Growing
from ganlib.ui.markup import plain

STOPPED = "stopped"  # the session's key of the set of keys of images that were stopped
REDRAW_SECONDS = 0.3  # between two states


def grow(growing: Growing, key: str, status: DeltaGenerator, draw: Callable[[np.ndarray], object]) -> np.ndarray:
    """The images as far as they are done: all of them, unless they were stopped.

    ``key`` tells them from others; ``status`` is where progress and buttons stand; ``draw`` shows a state of them.
    """
    stopped: set[str] = st.session_state.setdefault(STOPPED, set())
    line, bar, drawn_at = status.empty(), None, monotonic()
    while not growing.done and key not in stopped:
        growing.step()
        if monotonic() - drawn_at > REDRAW_SECONDS and not growing.done:
            if bar is None:
                with line.container(horizontal=True, vertical_alignment="center"):
                    bar = st.empty()
                    _draw_button("Stop", "stop_circle", key, stopped.add)
            bar.progress(growing.fraction, f"{growing.fraction:.0%} done")
            draw(growing.images)
            drawn_at = monotonic()
    if growing.done:
        line.empty()
    else:
        with line.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Stopped at {growing.fraction:.0%}: these images are unfinished.")
            _draw_button("Go on", "play_circle", key, stopped.discard)
    return growing.images


def _draw_button(label: str, icon: str, key: str, then: Callable[[str], None]) -> None:
    """Calls ``then(key)`` before the page is drawn again."""
    st.button(plain(label), icon=f":material/{icon}:", key=f"{label} {key}", on_click=then, args=(key,))
