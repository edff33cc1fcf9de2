"""The key frames of an interpolation: a seed or saved latents, a class and options each; added, taken away, filled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_lowercase
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ganlib.applications.saved_latents import list_latents
from ganlib.runs import Run
from ganlib.sampling.keyframes import KeyFrame
from ganlib.sampling.request import SavedLatents
from ganlib.ui import tray
from ganlib.ui.catalog import load_model
from ganlib.ui.controls import pick_class, pick_seed
from ganlib.ui.links import check_link, linked_selectbox, write_link
from ganlib.ui.markup import plain
from ganlib.ui.options import pick_morphing
from ganlib.ui.showcase import class_index, seed_of

COUNT = "keys"  # of the link: how many there are
LETTERS = ascii_lowercase  # of the link's keys: seed_a, class_a, latents_a, …
ROW = 4
OWN = "own"  # of the link: whether key frames have options of their own
SEED = ""  # the choice of a seed among saved latents


def pick_key_frames(run: Run, *, corners: bool, same_seed: bool, own_options: bool) -> tuple[KeyFrame, ...]:
    """Two or more, or four ``corners``; with ``same_seed``, that of the first; ``own_options``: each has its own."""
    count = 4 if corners else _linked_count()
    labels, errors = list_latents(run)
    for error in errors:
        st.caption(plain(error))
    columns = min(count, ROW)
    keys: list[KeyFrame] = []
    for start in range(0, count, columns):
        row = st.columns(columns, gap="medium")
        for i, column in zip(range(start, min(start + columns, count)), row, strict=False):
            with column:
                head = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
                head.subheader(plain(_title(i, count, corners)), anchor=False, width="content")
                first = keys[0] if same_seed and keys else None
                keys.append(_pick_key(run, i, labels, first, count > 2, own_options, head))
    if not corners:
        _draw_count_buttons(run, count)
    return tuple(keys)


def _linked_count() -> int:
    check_link(COUNT, lambda text: text.isdecimal() and 2 <= int(text[:3]) <= len(LETTERS), "it goes from 2 to 26")
    text = st.query_params.get(COUNT, "2")
    return int(text) if text.isdecimal() and 2 <= int(text[:3]) <= len(LETTERS) else 2


def _title(i: int, count: int, corners: bool) -> str:
    if corners:
        return ("Top left", "Top right", "Bottom left", "Bottom right")[i]
    return ("From", "To")[i] if count == 2 else f"Key frame {i + 1}"


def _pick_key(
    run: Run,
    i: int,
    saved: Mapping[str, int | None],
    first: KeyFrame | None,
    compact: bool,
    own_options: bool,
    head: DeltaGenerator,
) -> KeyFrame:
    """``head``: the row of its title."""
    letter, model = LETTERS[i], load_model(run)
    source: int | SavedLatents | None = None if first is None else first.source
    if source is None:
        key = f"latents_{letter}"
        known = {SEED: "A seed", **{name: name for name in saved}}
        check_link(key, known.__contains__, f"{run.name} has no such latents; it has {', '.join(saved) or 'none'}")
    if source is None and saved:
        name = linked_selectbox("Source", known, SEED, key=key)
        source = SavedLatents(name, saved[name]) if name else None
    label = None
    if isinstance(source, SavedLatents):
        label = source.label
    elif model.conditional:
        default = class_index(run, "class" if i == 0 else f"class_{letter}", i % model.config.num_classes)
        label = pick_class(run, key=f"class_{letter}", default=default, compact=compact)
    if source is None:
        default = seed_of(run, "seed" if i == 0 else f"seed_{letter}", i)
        source = pick_seed(key=f"seed_{letter}", default=default, compact=compact, head=head)
    return KeyFrame(source, label, pick_morphing(run, f"{letter}_") if own_options else ())


def _draw_count_buttons(run: Run, count: int) -> None:
    with st.container(horizontal=True):
        st.button(
            "Add a key frame",
            icon=":material/add:",
            key="add_key",
            on_click=_set_count,
            args=(count + 1,),
            disabled=count >= len(LETTERS),
        )
        if count > 2:
            st.button(
                "Remove the last", icon=":material/remove:", key="remove_key", on_click=_set_count, args=(count - 1,)
            )
        _draw_favourites(run)


def _set_count(count: int) -> None:
    write_link(COUNT, [] if count == 2 else [str(count)])
    for key in [key for letter in LETTERS[count:] for key in (f"latents_{letter}", f"class_{letter}")]:
        st.query_params.pop(key, None)


def _draw_favourites(run: Run) -> None:
    """All favourites of this run as the key frames, in their order."""
    requests = [request for request in tray.favourites([run]) if request.run.name == run.name][: len(LETTERS)]
    if len(requests) < 2:
        return

    def fill() -> None:
        _set_count(len(requests))
        for letter, request in zip(LETTERS, requests, strict=False):
            st.session_state[f"seed_{letter}"] = request.seeds[0]
            st.query_params.pop(f"latents_{letter}", None)
            if request.classes and run.recipe.data.attributes:  # whose switches are read from the link
                st.query_params[f"class_{letter}"] = request.class_names[0]
            elif request.classes:
                st.session_state[f"class_{letter}"] = request.class_names[0]

    st.button(plain(f"Through {len(requests)} favourites"), icon=":material/favorite:", key="fill_keys", on_click=fill)


def link_values(run: Run, keys: Sequence[KeyFrame]) -> dict[str, Any]:
    """What a link has of key frames."""
    values: dict[str, Any] = {} if len(keys) == 2 else {COUNT: len(keys)}
    if any(key.options for key in keys):
        values[OWN] = "true"
    for letter, key in zip(LETTERS, keys, strict=False):
        if isinstance(key.source, SavedLatents):
            values[f"latents_{letter}"] = key.source.name
        else:
            values[f"seed_{letter}"] = key.source
            if key.label is not None:
                values[f"class_{letter}"] = key.request(run, {}).class_names[0]
        values |= {f"{letter}_{name}": f"{value:.12g}" for name, value in key.options}
    return values
