"""Interpolations: both ends and the path between them, film strip, animation, the link to them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ganlib.images import gif
from ganlib.runs import Run
from ganlib.sampling import PATHS
from ganlib.sampling.request import InterpolationRequest, parse_int
from ganlib.ui import growth, markup
from ganlib.ui.catalog import frames_key, generate_frames, get_growing_frames, has_stages, load_model
from ganlib.ui.controls import pick_class, pick_seed
from ganlib.ui.links import check_link, draw_link, format_options
from ganlib.ui.options import pick_options
from ganlib.ui.showcase import class_index, seed_of


def pick_interpolation(run: Run) -> InterpolationRequest:
    """Both ends of an interpolation, and how to get from one to the other."""
    conditional = load_model(run).conditional
    same_seed = st.sidebar.toggle("Same seed at both ends", key="same_seed", bind="query-params")
    start, end = st.columns(2, gap="medium")
    with start:
        st.subheader("From", anchor=False)
        class_a = pick_class(run, key="class_a", default=class_index(run, "class", 0)) if conditional else 0
        seed_a = pick_seed(key="seed_a", default=seed_of(run, "seed", 0))
    with end:
        st.subheader("To", anchor=False)
        class_b = pick_class(run, key="class_b", default=class_index(run, "class_b", 1)) if conditional else 0
        seed_b = seed_a if same_seed else pick_seed(key="seed_b", default=seed_of(run, "seed_b", 1))
    with st.sidebar:
        check_link("frames", lambda text: 2 <= (parse_int(text) or 0) <= 64, "it goes from 2 to 64")
        frames = st.slider("Frames", 2, 64, 24, key="frames", bind="query-params")
        space, path = _pick_path(load_model(run).spaces)
        options = pick_options(run)
    classes = (class_a, class_b) if conditional else None
    return InterpolationRequest(run, (seed_a, seed_b), classes, frames, path, space, options)


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


def draw_film_strip(request: InterpolationRequest, status: DeltaGenerator) -> np.ndarray | None:
    """All frames in order, row by row; returned where they are done. ``status``: for progress and buttons."""
    slot = st.empty()

    def draw(frames: np.ndarray) -> None:
        slot.html(markup.film_strip(request.captions, frames, columns=even_columns(len(frames))))

    if not has_stages(request.run, request.options):
        frames = generate_frames(request)
    else:
        growing = get_growing_frames(request)
        frames = growth.grow(growing, f"{request.run.weights_hash} {frames_key(request)}", status, draw)
        if not growing.done:
            draw(frames)
            return None
    draw(frames)
    return frames


def even_columns(frames: int, most: int = 8) -> int:
    """As many columns as leave the fewest places of the last row empty, rather more than fewer of them."""
    return max(range(min(frames, most), most // 2, -1), key=lambda n: (-(-frames % n), n), default=frames)


def draw_animation(request: InterpolationRequest, frames: np.ndarray, frames_per_second: int) -> None:
    """The frames there and back, endlessly, with a download."""
    content = gif(frames, frames_per_second=frames_per_second)
    st.html(markup.animation(content, f"Animation from {request.endpoints[0]} to {request.endpoints[1]} and back"))
    name = f"{request.run.name}_{request.seeds[0]}_to_{request.seeds[1]}.gif"
    st.download_button("Animation as GIF", content, name, "image/gif", on_click="ignore", icon=":material/gif_box:")


def draw_interpolation_link(request: InterpolationRequest) -> None:
    draw_link(
        {
            "run": request.run.name,
            **(dict(zip(("class_a", "class_b"), request.class_names, strict=True)) if request.classes else {}),
            "seed_a": request.seeds[0],
            "seed_b": request.seeds[1],
            "frames": request.frames,
            "path": request.path,
            "space": request.space,
            **format_options(request.options),
        }
    )
