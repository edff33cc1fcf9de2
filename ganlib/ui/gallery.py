"""The gallery: cards of runs, filtered and page by page."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ganlib.naming import counted
from ganlib.runs import Run
from ganlib.ui import cards, controls
from ganlib.ui.links import check_link
from ganlib.ui.markup import plain

FAMILIES = {
    "GAN": "GANs",
    "VAE": "autoencoders",
    "diffusion": "diffusion",
    "flow": "normalizing flows",
    "autoregressive": "autoregressive",
    "image-to-image": "image to image",
}
ALL_FAMILIES, ALL, CONDITIONAL, UNCONDITIONAL = (
    "all families",
    "with and without classes",
    "conditional",
    "unconditional",
)
COMPACT, LARGE = "compact", "large"
PAGE = {COMPACT: 16, LARGE: 6}  # cards of a page: at most three screens


def draw_gallery(runs: Sequence[Run]) -> None:
    """The filters in one row, and the cards that pass them."""
    with st.container(key="sets"):
        shown = controls.pick_data(runs)
    with st.container(key="choice", horizontal=True, vertical_alignment="center"):
        shown = _pick_conditioning(runs, _pick_family(runs, shown))
        size = _pick_one("Size of the cards", [COMPACT, LARGE], "cards")
    if not shown:
        st.info("No run passes these filters; widen one of them.")
        return
    grid = st.container(key="grid")
    with st.container(horizontal=True, vertical_alignment="center"):
        text = f"{len(shown)} of {counted(len(runs), 'run')}"
        st.caption(plain(text), width="content")  # beside the filters they would move it
        first = (_pick_page(len(shown), PAGE[size]) - 1) * PAGE[size]
    with grid:
        cards.draw_cards(shown[first : first + PAGE[size]], key="gallery", large=size == LARGE)


def _pick_one(label: str, options: list[str], key: str) -> str:
    check_link(key, options.__contains__, f"it can be {', '.join(options)}")
    choice = st.segmented_control(
        plain(label),
        options,
        default=options[0],
        required=True,
        key=key,
        bind="query-params",
        label_visibility="collapsed",
    )
    return str(choice)


def _pick_family(runs: Sequence[Run], shown: Sequence[Run]) -> list[Run]:
    """Those of ``shown`` that are of one family; the families are those of all ``runs``."""
    present = [label for family, label in FAMILIES.items() if any(run.model_class.family == family for run in runs)]
    if len(present) < 2:
        return list(shown)
    choice = _pick_one("Family", [ALL_FAMILIES, *present], "family")
    return [run for run in shown if choice in (ALL_FAMILIES, FAMILIES.get(run.model_class.family))]


def _pick_conditioning(runs: Sequence[Run], shown: Sequence[Run]) -> list[Run]:
    if len({run.conditional for run in runs}) < 2:
        return list(shown)
    choice = _pick_one("Classes", [ALL, CONDITIONAL, UNCONDITIONAL], "conditional")
    return [run for run in shown if choice == ALL or run.conditional == (choice == CONDITIONAL)]


def _pick_page(count: int, size: int) -> int:
    pages = max(-(-count // size), 1)
    if pages == 1:
        return 1
    check_link("page", [str(n + 1) for n in range(pages)].__contains__, f"there are {pages} pages")
    if st.session_state.get("page", 1) > pages:
        del st.session_state["page"]  # of a longer list
    return int(st.pagination(pages, key="page", bind="query-params"))
