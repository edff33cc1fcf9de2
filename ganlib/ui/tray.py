"""Favourite images, kept in the link: one value "run~class~seed" of the key ``fav`` for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from ganlib.images import png
from ganlib.models.options import SEED_LIMIT
from ganlib.runs import Run
from ganlib.sampling.request import SampleRequest, parse_int
from ganlib.ui import components, markup
from ganlib.ui.catalog import generate_images, has_stages
from ganlib.ui.samples import changed_options

KEY, MAX_FAVOURITES = "fav", 24


def favourites(runs: Sequence[Run]) -> list[SampleRequest]:
    """Those of the link that exist here; diffusion takes too long to be generated anew with each visit."""
    by_name = {run.name: run for run in runs}
    requests = []
    for text in st.query_params.get_all(KEY)[:MAX_FAVOURITES]:
        name, _, rest = text.partition("~")
        label, _, seed = rest.rpartition("~")
        run, number = by_name.get(name), parse_int(seed)
        if run is None or number is None or number >= SEED_LIMIT or has_stages(run, {}):
            continue
        if not run.conditional:
            requests.append(SampleRequest(run, (), (number,)))
        elif label in run.classes:
            requests.append(SampleRequest(run, (run.classes.index(label),), (number,)))
    return requests


def as_text(request: SampleRequest) -> str:
    return "~".join([request.run.name, *(request.class_names or [""]), str(request.seeds[0])])


def can_be_favourite(request: SampleRequest) -> bool:
    """Whether run, class and seed say all of the image, and the tray draws it at once."""
    changed = request.edits or request.latents or changed_options(request)
    return not changed and not has_stages(request.run, {})


def draw_favourite_button(request: SampleRequest) -> None:
    """Puts an image into the tray or takes it out; no button for one that could not be kept."""
    if not can_be_favourite(request):
        return
    text, kept = as_text(request), st.query_params.get_all(KEY)
    if text in kept:
        if st.button("Remove from favourites", icon=":material/heart_minus:", key="unfavour"):
            st.query_params[KEY] = [other for other in kept if other != text]
            st.rerun()
    elif st.button("Keep as favourite", icon=":material/favorite:", key="favour", disabled=len(kept) >= MAX_FAVOURITES):
        st.query_params[KEY] = [*kept, text]
        st.rerun()


def draw_tray(runs: Sequence[Run]) -> SampleRequest | None:
    """The favourites in one row; the one that was clicked just now."""
    requests = favourites(runs)
    if not requests:
        return None
    st.subheader("Favourites", anchor=False)
    cells: list[dict[str, Any]] = []
    for request in requests:
        alt = f"{request.run.name}, {request.captions[0]}"
        cells.append(
            {
                "src": markup.data_url(png(generate_images(request)[0])),
                "alt": alt,
                "caption": alt,
                "id": as_text(request),
            }
        )
    chosen = components.draw_pictures(
        cells, key="tray", testid="favourites", label="Favourites", captions=True, opens=True, columns=8, largest=112
    )
    return next((request for request in requests if as_text(request) == chosen), None)
