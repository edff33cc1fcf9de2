"""Work that comes in stages, images above all, with its progress and a way to stop and to go on.

Each run of a page brings the work on for a moment, draws it as it draws what is done, and begins anew at its end. So
all of a page, its downloads too, shows one state of the work, and its controls answer meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Protocol
from zlib import crc32

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ganlib.ui.markup import plain

STOPPED = "stopped"  # the session's key of the set of keys of work that was stopped
UNFINISHED = "unfinished"  # the session's key of whether this run of the page leaves work to the next
LEFT_AT = "left_at"  # the session's key of when work was last left to the rest of the page, while it goes on
SHORTEST, LONGEST = 0.4, 3.0  # seconds of work in a run of the page
SHARE = 3  # times as long for the work as for the rest of the page


class Stepwise(Protocol):
    """Work that goes on step by step, from any thread."""

    @property
    def done(self) -> bool: ...

    @property
    def fraction(self) -> float: ...

    def step(self) -> None: ...


def follow(work: Stepwise, key: str, status: DeltaGenerator, unfinished: str) -> bool:
    """Brings work on for a moment, unless it was stopped; whether it goes on in the page's next run.

    ``key`` tells it from others; ``status`` is where progress and buttons stand; ``unfinished`` is said where it was
    stopped.
    """
    stopped: set[str] = st.session_state.setdefault(STOPPED, set())
    end = monotonic() + _seconds()
    while not work.done and key not in stopped and monotonic() < end:
        work.step()
    goes_on = not work.done and key not in stopped
    if not work.done:
        with status.container(horizontal=True, vertical_alignment="center"):
            if goes_on:
                st.progress(work.fraction, f"{work.fraction:.0%} done")
                _draw_button("Stop", "stop_circle", key, stopped.add)
            else:
                st.caption(plain(f"Stopped at {work.fraction:.0%}: {unfinished}."))
                _draw_button("Go on", "play_circle", key, stopped.discard)
    if goes_on:
        st.session_state[UNFINISHED] = True
        st.session_state[LEFT_AT] = monotonic()
    return goes_on


def _seconds() -> float:
    """Of work in this run of the page: in proportion to what the rest of the page takes, which is drawn each time."""
    rest = monotonic() - st.session_state.pop(LEFT_AT, monotonic())
    return min(max(SHARE * rest, SHORTEST), LONGEST)


def continue_unfinished() -> None:
    """At the end of a page: begins it anew where it left work."""
    if st.session_state.pop(UNFINISHED, False):
        st.rerun()


def _draw_button(label: str, icon: str, key: str, then: Callable[[str], None]) -> None:
    """Calls ``then(key)`` before the page is drawn again.

    Both buttons of a work are one widget: Streamlit would keep the former one beside the other until a run that is not
    begun anew.
    """
    st.button(plain(label), icon=f":material/{icon}:", key=f"follow_{crc32(key.encode())}", on_click=then, args=(key,))
