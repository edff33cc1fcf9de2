"""Interpolations: key frames and the path through them, the film strip or the sheet, the link to them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ganlib.applications.snippets import interpolation_snippet
from ganlib.runs import Run
from ganlib.sampling import ORDERS, PATHS
from ganlib.sampling.keyframes import InterpolationRequest, KeyFrame, morphing
from ganlib.sampling.request import SavedLatents
from ganlib.ui import films, growth, key_frames, markup
from ganlib.ui.catalog import frames_key, generate_frames, get_growing_frames, has_stages, load_model
from ganlib.ui.links import check_link, check_link_number, draw_link, format_options
from ganlib.ui.options import pick_options

MOST_FRAMES = 128
MOST_SHOWN = 64  # frames of the strip: of more, every second one and so on
SHEET_SIDES = (3, 12)


def pick_interpolation(run: Run) -> InterpolationRequest:
    """Key frames and how to get from one to the next, or four corners and the sheet between them."""
    model = load_model(run)
    with st.sidebar:
        sheet = _pick_sheet()
        same_seed = st.toggle("Same seed at all key frames", key="same_seed", bind="query-params")
        own = any(map(morphing, model.options)) and st.toggle(
            "Options for each key frame",
            key=key_frames.OWN,
            bind="query-params",
            help="Between key frames they change evenly.",
        )
    keys = key_frames.pick_key_frames(run, corners=sheet is not None, same_seed=same_seed, own_options=own)
    with st.sidebar:
        frames = 0 if sheet else _pick_frames(len(keys))
        space, path = _pick_path(_reachable(model.spaces, keys))
        closed = order = equal_speed = None
        if not sheet:
            closed = st.toggle(
                "Closed loop", key="closed", bind="query-params", help="From the last key frame back to the first."
            )
            order = _pick_order() if model.conditional else None
            equal_speed = not model.stages() > 1 and st.toggle(
                "Equal speed",
                key="equal_speed",
                bind="query-params",
                help="Frames at equal steps of feature distance, not of latent space.",
            )
        options = pick_options(run)
    return InterpolationRequest(
        run, keys, frames, path, space, bool(closed), order or ORDERS[0], bool(equal_speed), options, sheet
    )


def _pick_sheet() -> tuple[int, int] | None:
    """Rows and columns of a sheet between four corners; None for a path."""
    if not st.toggle(
        "Sheet between four corners", key="sheet", bind="query-params", help="Two directions at once, row by row."
    ):
        return None
    low, high = SHEET_SIDES
    check_link_number("side", low, high)
    side = int(st.slider("Rows and columns", low, high, 6, key="side", bind="query-params"))
    return side, side


def _pick_frames(keys: int) -> int:
    check_link_number("frames", 2, MOST_FRAMES)
    return max(int(st.slider("Frames", 2, MOST_FRAMES, 24, key="frames", bind="query-params")), keys)


def _pick_order() -> str:
    check_link("order", ORDERS.__contains__, f"it can be {', '.join(ORDERS)}")
    order = st.selectbox(
        "Latent and class change",
        ORDERS,
        key="order",
        bind="query-params",
        help="At once, or one after the other between two key frames.",
    )
    return str(order)


def _reachable(spaces: Mapping[str, str], keys: tuple[KeyFrame, ...]) -> Mapping[str, str]:
    """The model's spaces from the last on that saved latents among the key frames are of."""
    saved = any(isinstance(key.source, SavedLatents) for key in keys)
    return dict(list(spaces.items())[-1:]) if saved else spaces


def _pick_path(spaces: Mapping[str, str]) -> tuple[str, str]:
    """The latent space and the kind of path through it."""
    space = next(iter(spaces))
    if len(spaces) > 1:
        check_link("space", spaces.__contains__, f"it can be {' or '.join(spaces)}")
        choice = st.segmented_control(
            "Space",
            list(spaces),
            default=next((name for name, path in spaces.items() if path == "lerp"), space),
            required=True,
            key="space",
            bind="query-params",
            help="z is what a seed draws; w are the styles mapped from it, where a straight line changes evenly; w+ "
            "are those of each layer.",
        )
        space = str(choice)
    if spaces[space] == "lerp":  # no sphere to follow
        return space, "lerp"
    check_link("path", PATHS.__contains__, f"it can be {' or '.join(PATHS)}")
    path = st.segmented_control(
        "Path",
        list(PATHS),
        default="slerp",
        required=True,
        key="path",
        bind="query-params",
        help="slerp follows the sphere on which latents of a Gaussian lie; lerp cuts through it.",
    )
    return space, str(path)


def draw_frames(request: InterpolationRequest, status: DeltaGenerator) -> np.ndarray | None:
    """All frames in order, row by row; returned where they are done. ``status``: for progress and buttons."""
    if has_stages(request.run, request.options):
        growing = get_growing_frames(request)
        key = f"{request.run.weights_hash} {frames_key(request)}"
        growth.follow(growing, key, status, "these images are unfinished")
        frames, fraction = growing.state
    else:
        frames, fraction = generate_frames(request), 1.0
    with st.container(key="frames_strip"):
        st.html(_strip(request, frames))
    return frames if fraction >= 1 else None


def _strip(request: InterpolationRequest, frames: np.ndarray) -> str:
    if request.sheet:
        return markup.film_strip(request.captions, frames, columns=request.sheet[1], label="Sheet")
    every = -(-len(frames) // MOST_SHOWN)
    shown = frames[::every]
    return markup.film_strip(request.captions[::every], shown, columns=films.even_columns(len(shown)))


def draw_interpolation_link(request: InterpolationRequest, film: films.Film | None) -> None:
    """The link, the command and the snippet of these frames."""
    r = request
    view = {"sheet": "true", "side": r.sheet[0]} if r.sheet else {"frames": r.frames}
    flags = {"closed": r.closed, "equal_speed": r.equal_speed}
    draw_link(
        {
            "run": r.run.name,
            **key_frames.link_values(r.run, r.keys),
            **view,
            "path": r.path,
            "space": r.space,
            **{name: "true" for name, value in flags.items() if value},
            **({} if r.order == ORDERS[0] else {"order": r.order}),
            **format_options(r.options),
            **(film.link_values if film else {}),
        },
        r.command(*(film.arguments if film else ()), "--out", f"{films.file_name(r)}.{'mp4' if film else 'png'}"),
        interpolation_snippet(r),
    )
