"""Generated images on the page: grids with their seeds, stages, downloads, the link to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ganlib.applications.snippets import sample_snippet
from ganlib.images import grid, png, strip, zip_of_pngs
from ganlib.naming import counted
from ganlib.runs import Run
from ganlib.sampling.request import SampleRequest, format_edits, format_seeds
from ganlib.ui import components, growth, markup
from ganlib.ui.catalog import (
    MAX_STRIP,
    generate_images,
    generate_stages,
    get_growing,
    has_stages,
    load_model,
    request_key,
)
from ganlib.ui.controls import COUNTS
from ganlib.ui.downloads import draw_download, file_stem
from ganlib.ui.links import draw_link, format_options
from ganlib.ui.names import run_labels

ROW = 8  # images of a row where runs or classes are lined up


class Samples(NamedTuple):
    """The images of a request as far as a page shows them."""

    images: np.ndarray  # (N, H, W, C) uint8
    done: bool = True


def draw_samples(requests: Sequence[SampleRequest]) -> tuple[list[Samples], SampleRequest | None]:
    """All images of the requests, those of several runs lined up, and the one that was clicked just now.

    What takes long is shown as it grows, and can be stopped.
    """
    status = st.container()
    drawn = [_grow(r, status) if has_stages(r.run, r.options) else Samples(generate_images(r)) for r in requests]
    images = [samples.images for samples in drawn]
    cells, columns = arrange(requests, images)
    names = " and ".join(request.run.name for request in requests)
    opened = components.draw_pictures(
        cells,
        key="pictures",
        testid="image-grid",
        label=f"{counted(sum(map(len, images)), 'image')} of {names}",
        captions=True,
        opens=all(samples.done for samples in drawn),
        columns=columns,
    )
    return drawn, _find_opened(requests, opened)


def arrange(requests: Sequence[SampleRequest], images: Sequence[np.ndarray]) -> tuple[list[dict[str, str]], int]:
    """The cells of the grid and its columns: 0 where nothing but seeds differs, and they may fill the screen."""
    cells = [_cells(number, *pair) for number, pair in enumerate(zip(requests, images, strict=True))]
    rows = max(len(request.classes) for request in requests)
    if len(requests) == 1 and rows <= 1:
        return cells[0], 0
    labels = run_labels(request.run for request in requests) if len(requests) > 1 else {}
    n = len(requests[0].sources)
    columns, grid = min(n, ROW), []
    for row in range(max(rows, 1)):
        for start in range(0, n, columns):
            for request, own in zip(requests, cells, strict=True):
                first = row * n if len(request.classes) > 1 else 0
                part = own[first + start : first + min(start + columns, n)]
                if part and not (row and not request.classes):
                    grid += [{"head": _head(request, row, labels.get(request.run.name, ""))}, *part]
                    grid += [{"blank": ""}] * (columns - len(part))
    return grid, columns


def _cells(number: int, request: SampleRequest, images: np.ndarray) -> list[dict[str, str]]:
    several = number > 0
    return [
        {
            "src": markup.data_url(png(image)),
            "alt": f"{request.run.name}, {caption}" if several else caption,
            "caption": str(source),
            "id": f"{number} {i}",
        }
        for i, (image, caption, source) in enumerate(zip(images, request.captions, request.image_sources, strict=True))
    ]


def _head(request: SampleRequest, row: int, label: str) -> str:
    """What a row of the grid shows: its class, or where several runs are compared the run's label, or both."""
    name = request.class_names[row] if len(request.classes) > 1 else ""
    if not label:
        return name
    if not request.classes:
        return f"{label}: no classes, it ignores the chosen one"
    return f"{label}, {name}" if name else label


def _find_opened(requests: Sequence[SampleRequest], opened: str | None) -> SampleRequest | None:
    """The request of the one image whose id was clicked; None for an id of other images than these."""
    number, _, index = (opened or "").partition(" ")
    if not number or int(number) >= len(requests) or int(index) >= len(requests[int(number)].image_sources):
        return None
    return requests[int(number)].singles[int(index)]


def _grow(request: SampleRequest, status: DeltaGenerator) -> Samples:
    growing = get_growing(request)
    key = f"{request.run.name} {request.run.weights_hash} {request_key(request)}"
    growth.follow(growing, key, status, "these images are unfinished")
    images, fraction = growing.state
    return Samples(images, fraction >= 1)


def draw_downloads(request: SampleRequest, samples: Samples) -> None:
    """The shown images as a grid in one PNG, and as PNGs in a ZIP with how they were made."""
    images = samples.images
    name = file_name(request) + "_unfinished" * (not samples.done)
    columns = len(request.sources) if len(request.classes) > 1 else min(8, len(request.sources))
    with st.container(horizontal=True):
        draw_download(
            "Grid as PNG",
            lambda: png(grid(images, columns)),
            f"{name}.png",
            "image/png",
            "image",
            key=f"png_{request.run.name}",
        )
        draw_download(
            "All images as ZIP",
            lambda: zip_of_pngs(zip(request.file_names, images, strict=True), request.provenance()),
            f"{name}.zip",
            "application/zip",
            "folder_zip",
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
    draw_download(
        "Stages as PNG",
        lambda: png(strip([*generate_stages(request).values()])),
        f"{file_name(request)}_stages.png",
        "image/png",
        "image",
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
            **_link_sources(request),
            **format_options(request.options),
            **({"edits": format_edits(request.edits)} if request.edits else {}),
            **({"stages": "true"} if stages else {}),
        },
        request.command,
        sample_snippet(request),
    )


def _link_sources(request: SampleRequest) -> dict[str, Any]:
    """Saved latents, or a first seed and a count where they say all, else the list of seeds."""
    if request.latents:
        return {"latents": [latents.name for latents in request.latents]}
    seeds = request.seeds
    whole = list(seeds) == list(range(seeds[0], seeds[0] + len(seeds)))
    return {"seed": seeds[0], "n": len(seeds)} if whole and len(seeds) in COUNTS else {"seed": format_seeds(seeds)}


def file_name(request: SampleRequest) -> str:
    """Run, class, seeds and options: no two requests' downloads are called the same."""
    classes = ["all_classes"] if len(request.classes) > 1 else request.class_names
    options = [f"{name}_{value}" for name, value in format_options(changed_options(request)).items()]
    edits = [format_edits(request.edits)] if request.edits else []
    sources = "_".join(map(str, request.latents)) or f"seeds_{format_seeds(request.seeds)}"
    return file_stem(request.run.path.name, *classes, sources, *options, *edits)


def changed_options(request: SampleRequest) -> dict[str, Any]:
    """The options that are not at their defaults."""
    defaults = {o.name: o.default for o in load_model(request.run).options}
    return {name: value for name, value in request.options.items() if value != defaults.get(name)}
