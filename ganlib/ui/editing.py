"""Edits of a page: the link's, checked against the run; a slider a direction, a chip an edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ganlib.applications.catalogue import has_directions
from ganlib.applications.edits import method_to_find, resolve
from ganlib.errors import GanlibError
from ganlib.runs import Run
from ganlib.sampling.request import Edit, SampleRequest, format_edits, parse_edits
from ganlib.ui.catalog import load_model
from ganlib.ui.links import format_options, rerun_with, write_link
from ganlib.ui.markup import plain
from ganlib.ui.measuring import draw_measured

KEY = "edits"  # of the link
STRONGEST = 4.0  # deviations that a slider goes, unless the link goes further
STEP = 0.25
PANEL = 440  # pixels in which sliders scroll, so that the images stay in sight beside them or, on a phone, below


def linked_edits(run: Run) -> tuple[Edit, ...]:
    """The link's edits that this run can have. The page starts again without the others, a warning for each."""
    text = st.query_params.get(KEY, "")
    edits: dict[str, Edit] = {}
    warnings = []
    for part in text.split(","):
        try:
            for edit in parse_edits(part):
                if method_to_find(run, edit.name) is None:
                    resolve(run, load_model(run), [edit])
                edits[edit.name] = edit
        except GanlibError as error:
            warnings.append(f"The link asks for the edit “{part.strip()[:40]}”, which is left out: {error}")
    if warnings:
        rerun_with(KEY, _values(list(edits.values())), *warnings)
    return tuple(edits.values())


def known_edits(run: Run, edits: Sequence[Edit], *, follow: bool = True) -> tuple[Edit, ...]:
    """Those whose directions are known; of the others, what they wait for.

    ``follow``: to find them and draw the progress, where the page does not draw it already.
    """
    for method in dict.fromkeys(filter(None, (method_to_find(run, edit.name) for edit in edits))):
        if not follow or draw_measured(run, method) is None:
            st.caption(plain(f"Edits along directions of {method} follow once these are found."))
            break
    return tuple(edit for edit in edits if method_to_find(run, edit.name) is None)


def pick_strengths(edits: Sequence[Edit], labels: Mapping[str, str]) -> None:
    """A slider for each direction of ``labels`` (name -> what it changes); moved, it changes the link."""
    strengths = {edit.name: edit.strength for edit in edits}

    def write(name: str) -> None:
        strengths[name] = st.session_state[_slider_key(name)]
        write_link(KEY, _values([Edit(n, s) for n, s in strengths.items() if s]))

    panel = st.container(height=PANEL, border=False) if len(labels) > 4 else st.container()
    for name, label in labels.items():
        strength = strengths.get(name, 0.0)
        bound = max(STRONGEST, abs(strength))
        st.session_state[_slider_key(name)] = float(strength)
        panel.slider(plain(label), -bound, bound, step=STEP, key=_slider_key(name), on_change=write, args=(name,))


def draw_reset(edits: Sequence[Edit]) -> None:
    st.button(
        "Back to the seeds",
        icon=":material/restart_alt:",
        on_click=write_link,
        args=(KEY, []),
        disabled=not edits,
        key="reset_edits",
    )


def pick_chips(run: Run, edits: Sequence[Edit]) -> None:
    """The edits as chips that can be taken away; nothing where there are none."""
    if not edits:
        return
    texts = {format_edits([edit]): edit for edit in edits}
    st.session_state["edit_chips"] = list(texts)

    def write() -> None:
        write_link(KEY, _values([texts[text] for text in st.session_state["edit_chips"]]))

    st.multiselect(
        "Moved along directions",
        list(texts),
        key="edit_chips",
        on_change=write,
        help=plain(f"Directions of {run.name} and deviations along each; runs compared with it are not moved."),
    )


def draw_directions_link(request: SampleRequest) -> None:
    """To the directions page with the request's class, seeds and edits, where the model has directions."""
    if not has_directions(load_model(request.run)):
        return
    query: dict[str, Any] = {"run": request.run.name}
    if request.latents:
        query["latents"] = [latents.name for latents in request.latents]
    else:
        query["seed"] = str(request.seeds[0])
    if len(request.classes) == 1:
        query["class"] = request.class_names[0]
    if request.edits:
        query[KEY] = format_edits(request.edits)
    query |= format_options(request.options)
    st.page_link("pages/directions.py", label="Edit along directions", icon=":material/tune:", query_params=query)


def _values(edits: Sequence[Edit]) -> list[str]:
    return [format_edits(edits)] if edits else []


def _slider_key(name: str) -> str:
    return f"strength_{name}"
