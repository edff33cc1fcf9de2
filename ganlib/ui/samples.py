"""Generated images on the page: grids with their seeds, stages, downloads, the link to them."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ganlib.images import grid, png, strip, zip_of_pngs
from ganlib.runs import Run
from ganlib.sampling.request import SampleRequest
from ganlib.ui import markup
from ganlib.ui.catalog import MAX_STRIP, generate_images, generate_stages, get_growing, has_stages, request_key
from ganlib.ui.links import draw_link, format_options

REDRAW_SECONDS = 0.3  # between two states of images that come in stages


def draw_samples(request: SampleRequest) -> None:
    """All images of a request with their seeds; what takes long is shown as it grows, and can be stopped."""
    grid = st.empty()
    if has_stages(request.run, request.options):
        _draw_growing(request, grid)
    else:
        grid.html(markup.image_grid(request, generate_images(request)))


def _draw_growing(request: SampleRequest, grid: DeltaGenerator) -> None:
    growing, status = get_growing(request), st.empty()
    key, value = f"stopped_{request.run.name}", f"{request.run.weights_hash} {request_key(request)}"
    bar, drawn_at = None, monotonic()
    while not growing.done and st.session_state.get(key) != value:
        growing.step()
        if monotonic() - drawn_at > REDRAW_SECONDS and not growing.done:
            grid.html(markup.image_grid(request, growing.images))
            if bar is None:
                with status.container(horizontal=True, vertical_alignment="center"):
                    bar = st.empty()
                    _draw_button("Stop", "stop_circle", key, value)
            bar.progress(growing.fraction, f"{growing.fraction:.0%} done")
            drawn_at = monotonic()
    grid.html(markup.image_grid(request, growing.images))
    if growing.done:
        status.empty()
        return
    with status.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Stopped at {growing.fraction:.0%}: these images are unfinished.")
        _draw_button("Go on", "play_circle", key, None)


def _draw_button(label: str, icon: str, key: str, value: str | None) -> None:
    """Sets a value of the session before the page is drawn again."""
    st.button(
        markup.plain(label),
        icon=f":material/{icon}:",
        key=f"{label} {key}",
        on_click=lambda: st.session_state.__setitem__(key, value),
    )


def draw_downloads(request: SampleRequest) -> None:
    """The grid as PNG, and all images as PNGs in a ZIP with how they were made."""
    name = _file_name(request)
    with st.container(horizontal=True):
        st.download_button(
            "Grid as PNG",
            lambda: png(grid(generate_images(request), request.columns, len(request.seeds)), request.provenance()),
            f"{name}.png",
            "image/png",
            on_click="ignore",
            icon=":material/image:",
            key=f"png_{request.run.name}",
        )
        st.download_button(
            "All images as ZIP",
            lambda: zip_of_pngs(zip(request.file_names, generate_images(request), strict=True), request.provenance()),
            f"{name}.zip",
            "application/zip",
            on_click="ignore",
            icon=":material/folder_zip:",
            key=f"zip_{request.run.name}",
        )


def draw_stages(full_request: SampleRequest) -> None:
    """The stages of the first images of a request, a row each; nothing where the model makes them at once."""
    if not has_stages(full_request.run, full_request.options):
        return
    request = full_request.head(MAX_STRIP)
    n, shown = len(full_request.captions), len(request.captions)
    cut = f" Shown for {shown} of the {n} images." if n > shown else ""
    st.caption(markup.plain(f"From left to right, the stages in which the model makes each image.{cut}"))
    st.html(markup.stage_grid(request, generate_stages(request)))
    st.download_button(
        "Stages as PNG",
        lambda: png(strip([*generate_stages(request).values()])),
        f"{_file_name(request)}_stages.png",
        "image/png",
        on_click="ignore",
        icon=":material/image:",
        key=f"stages_{request.run.name}",
    )


def draw_sample_link(request: SampleRequest, others: Sequence[Run], stages: bool = False) -> None:
    """``others`` are the runs compared with the request's; ``stages``: whether they are shown."""
    all_classes = len(request.classes) > 1
    draw_link(
        {
            "run": request.run.name,
            **({"compare": [r.name for r in others]} if others else {}),
            **({"all": "true"} if all_classes else {}),
            **({"class": request.class_names[0]} if len(request.classes) == 1 else {}),
            "seed": request.seeds[0],
            "n": len(request.seeds),
            **format_options(request.options),
            **({"stages": "true"} if stages else {}),
        },
        request.command,
    )


def _file_name(request: SampleRequest) -> str:
    return f"{request.run.name}_seeds_{request.seeds[0]}-{request.seeds[-1]}"
