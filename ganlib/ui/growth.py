"""Work that comes in stages, images above all: drawn as it grows, with its progress and a way to stop and to go on."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Protocol

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ganlib.sampling import Growing
from ganlib.ui.markup import plain

STOPPED = "stopped"  # the session's key of the set of keys of images that were stopped
REDRAW_SECONDS = 0.3  # between two states


class Stepwise(Protocol):
    """Work that goes on step by step, from any thread."""

    @property
    def done(self) -> bool: ...

    @property
    def fraction(self) -> float: ...

    def step(self) -> None: ...


def grow(growing: Growing, key: str, status: DeltaGenerator, draw: Callable[[np.ndarray], object]) -> np.ndarray:
    """The images as far as they are done: all of them, unless they were stopped. As ``follow`` has it."""
    follow(growing, key, status, lambda: draw(growing.images), "these images are unfinished")
    return growing.images


def follow(work: Stepwise, key: str, status: DeltaGenerator, draw: Callable[[], object], unfinished: str) -> None:
    """Brings work to its end, unless it was stopped.

    ``key`` tells it from others; ``status`` is where progress and buttons stand; ``draw`` shows the state of it now and
    then; ``unfinished`` is said where it was stopped.
    """
    stopped: set[str] = st.session_state.setdefault(STOPPED, set())
    line, bar, drawn_at = status.empty(), None, monotonic()
    while not work.done and key not in stopped:
        work.step()
        if monotonic() - drawn_at > REDRAW_SECONDS and not work.done:
            if bar is None:
                with line.container(horizontal=True, vertical_alignment="center"):
                    bar = st.empty()
                    _draw_button("Stop", "stop_circle", key, stopped.add)
            bar.progress(work.fraction, f"{work.fraction:.0%} done")
            draw()
            drawn_at = monotonic()
    if work.done:
        line.empty()
    else:
        with line.container(horizontal=True, vertical_alignment="center"):
            st.caption(plain(f"Stopped at {work.fraction:.0%}: {unfinished}."))
            _draw_button("Go on", "play_circle", key, stopped.discard)


def _draw_button(label: str, icon: str, key: str, then: Callable[[str], None]) -> None:
    """Calls ``then(key)`` before the page is drawn again."""
    st.button(plain(label), icon=f":material/{icon}:", key=f"{label} {key}", on_click=then, args=(key,))
