"""A session's turn at the sampler that all sessions share, with its place in the queue where it waits."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from concurrent.futures import Future, wait
from typing import Any

import numpy as np
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ganlib.applications.serving import BatchingSampler, Draw, Ticket
from ganlib.ui.markup import plain

SILENT_SECONDS = 0.8  # of waiting, before the page says so
POLL_SECONDS = 0.2


def follow_computation(future: Future[Any]) -> None:
    """While a session waits for the device: what others began goes on first, as the page says, and who moves on leaves.

    Each word on the page is where Streamlit ends a run that nobody waits for.
    """
    if wait([future], SILENT_SECONDS).done or get_script_run_ctx(suppress_warning=True) is None:
        return
    place = st.empty()
    while not wait([future], POLL_SECONDS).done:
        place.caption("Computing …" if future.running() else "Other sessions' work comes first …")
    place.empty()


@st.cache_resource(show_spinner=False)
def sampler() -> BatchingSampler:
    return BatchingSampler()


def draw(group: Hashable, items: Sequence[Any], draw: Draw) -> np.ndarray:
    """(N, H, W, C) uint8, as ``BatchingSampler`` has it.

    A session that moves on while it waits gives the request up: each word on the page is where Streamlit ends a run.
    """
    context = get_script_run_ctx(suppress_warning=True)
    session = context.session_id if context else threading.get_ident()
    ticket = sampler().submit(session, group, items, draw)
    try:
        if not ticket.wait(SILENT_SECONDS):
            _follow(ticket)
        return ticket.result()
    finally:
        sampler().cancel(ticket)


def _follow(ticket: Ticket) -> None:
    place = st.empty()
    while not ticket.wait(POLL_SECONDS):
        before = sampler().position(ticket)
        place.caption(plain(f"Drawing: {before} before you." if before else "Drawing …"))
    place.empty()
