"""Directions of a run as they are measured: read from the cache, else measured by a process that the page follows."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from ganlib.applications.catalogue import METHODS, cached_directions
from ganlib.applications.effects import Measured
from ganlib.runs import Run
from ganlib.settings import READ_ONLY, read_only
from ganlib.ui.jobs import draw_progress, jobs
from ganlib.ui.markup import plain

Layers = tuple[int, int] | None


class MeasuringRequest(NamedTuple):
    """What is to be found and measured."""

    run: str
    weights_hash: str
    method: str
    layers: Layers


def draw_measured(run: Run, method: str, layers: Layers = None) -> dict[str, Measured] | None:
    """The directions of a method by name; None while a process measures them, with its progress or why it ended."""
    directions = cached_directions(run, method, layers=layers)
    if directions is not None:
        return directions
    if read_only():
        st.caption(READ_ONLY)
        return None
    request = MeasuringRequest(run.name, run.weights_hash, method, layers)
    latest = jobs().latest
    if latest is None or not (latest.running or latest.request == request):
        _start(run, request)
        latest = jobs().latest
    assert latest is not None
    if latest.running:
        own = latest.request == request
        st.caption(
            plain(f"Measuring {method}: {METHODS[method]}.")
            if own
            else plain(f"Directions of {run.name} are measured when this task has ended:")
        )
        draw_progress(latest)
        return None
    directions = cached_directions(run, method, layers=layers)  # it may have ended just now
    if directions is None:
        if not latest.stopped:
            reason = " ".join(latest.errors) or "They could not be kept in the cache; set GANLIB_CACHE to a folder."
            st.warning(plain(reason))
        st.button("Measure", icon=":material/speed:", on_click=_start, args=(run, request))
    return directions


def _start(run: Run, request: MeasuringRequest) -> None:
    layers = ["--layers", f"{request.layers[0]}-{request.layers[1] - 1}"] if request.layers else []
    device = str(st.session_state.get("device", "auto"))
    arguments = [str(run.path.resolve()), "--method", request.method, *layers, "--device", device]
    jobs().start(request, ["directions", *arguments])
