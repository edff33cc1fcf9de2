"""Pictures on the page: grids with their seeds, film strips, downloads and links."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from time import monotonic
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ganlib.images import gif, grid, png, strip, zip_of_pngs
from ganlib.runs import Run
from ganlib.sampling.request import InterpolationRequest, SampleRequest, format_option
from ganlib.ui.catalog import STRIP, asked, frames_of, growing, has_stages, pictures_of, stages_of
from ganlib.ui.links import link_to

# Pictures are small and are shown enlarged: honest square pixels rather than a blur the model did not make.
IMAGE = "width:100%;display:block;image-rendering:pixelated;border-radius:3px"
ROW = "align-self:center;font-size:.875rem"
REDRAW = 0.3  # seconds between two looks at pictures on their way
CAPTION = "font-size:.75rem;opacity:.75;text-align:center;line-height:1.5"


def data_url(content: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{b64encode(content).decode()}"


def grid_of(request: SampleRequest) -> None:
    """All images of a request with their seeds; what takes long is shown as it grows, and can be stopped."""
    grid = st.empty()
    if has_stages(request.run, request.options):
        _grow(request, grid)
    else:
        grid.html(_grid(request, pictures_of(request)))


def _grow(request: SampleRequest, grid: DeltaGenerator) -> None:
    growth, status = growing(request), st.empty()
    key, this = f"stopped_{request.run.name}", f"{request.run.weights_hash} {asked(request)}"
    bar, shown = None, monotonic()
    while not growth.done and st.session_state.get(key) != this:
        growth.step()
        if monotonic() - shown > REDRAW and not growth.done:
            grid.html(_grid(request, growth.images))
            if bar is None:
                with status.container(horizontal=True, vertical_alignment="center"):
                    bar = st.empty()
                    _button("Stop", "stop_circle", key, this)
            bar.progress(growth.fraction, f"{growth.fraction:.0%} done")
            shown = monotonic()
    grid.html(_grid(request, growth.images))
    if growth.done:
        status.empty()
        return
    with status.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Stopped at {growth.fraction:.0%}: these pictures are on their way.")
        _button("Go on", "play_circle", key, None)


def _button(label: str, icon: str, key: str, value: str | None) -> None:
    """Sets a value of the session before the page is drawn again."""
    st.button(
        label,
        icon=f":material/{icon}:",
        key=f"{label} {key}",
        on_click=lambda: st.session_state.__setitem__(key, value),
    )


def _grid(request: SampleRequest, images: np.ndarray) -> str:
    """One row per class where there are several."""
    rows = max(len(request.classes), 1)
    captions = request.captions
    cells = [
        f'<figure style="margin:0"><img src="{data_url(png(image))}" alt="{escape(caption)}" '
        f'title="{escape(caption)}" style="{IMAGE}"><figcaption style="{CAPTION}">{seed}</figcaption></figure>'
        for image, caption, seed in zip(images, captions, request.image_seeds, strict=True)
    ]
    if rows > 1:
        n = len(request.seeds)
        for row in reversed(range(rows)):
            name = escape(request.run.classes[request.classes[row]])
            cells.insert(row * n, f'<div style="{ROW}">{name}</div>')
        columns = f"max-content repeat({n},minmax(0,8.5rem))"
    else:
        side = 72 if len(images) > 32 else 104 if len(images) > 4 else 192
        columns = f"repeat(auto-fill,minmax({side}px,1fr))"
    label = escape(f"{len(images)} images of {request.run.name}")
    return (
        f'<div role="group" aria-label="{label}" data-testid="image-grid" style="display:grid;gap:.4rem;'
        f'max-width:72rem;grid-template-columns:{columns}">{"".join(cells)}</div>'
    )


def downloads(request: SampleRequest) -> None:
    """The grid as PNG, and all images as PNGs in a ZIP with how they were made."""
    name = _file_name(request)
    columns = len(request.seeds) if len(request.classes) > 1 else min(8, len(request.seeds))
    with st.container(horizontal=True):
        st.download_button(
            "Grid as PNG",
            lambda: png(grid(pictures_of(request), columns)),
            f"{name}.png",
            "image/png",
            on_click="ignore",
            icon=":material/image:",
            key=f"png_{request.run.name}",
        )
        st.download_button(
            "All images as ZIP",
            lambda: zip_of_pngs(zip(request.file_names, pictures_of(request), strict=True), request.provenance()),
            f"{name}.zip",
            "application/zip",
            on_click="ignore",
            icon=":material/folder_zip:",
            key=f"zip_{request.run.name}",
        )


def _file_name(request: SampleRequest) -> str:
    return f"{request.run.name}_seeds_{request.seeds[0]}-{request.seeds[-1]}"


def stages_shown(whole: SampleRequest) -> None:
    """How the first images of a request come about, a row each; nothing where the model makes them at once."""
    if not has_stages(whole.run, whole.options):
        return
    request = whole.head(STRIP)
    stages = stages_of(request)
    last = max(stages)
    heads = "".join(f'<div style="{CAPTION}">{stage} of {last}</div>' for stage in stages)
    rows = "".join(
        f'<div style="{ROW};overflow-wrap:anywhere">{escape(caption)}</div>'
        + "".join(_image(images[i], f"{caption}, stage {stage} of {last}") for stage, images in stages.items())
        for i, caption in enumerate(request.captions)
    )
    n, shown = len(whole.captions), len(request.captions)
    cut = f" Shown for {shown} of the {n} pictures." if n > shown else ""
    st.caption(f"From left to right, the stages in which the model makes each picture.{cut}")
    label = escape(f"Stages of images of {request.run.name}")
    st.html(
        f'<div role="group" aria-label="{label}" data-testid="stages" style="display:grid;gap:.4rem;'
        f'grid-template-columns:clamp(4.5rem,14%,9rem) repeat({len(stages)},minmax(0,8rem))">'
        f"<div></div>{heads}{rows}</div>"
    )
    st.download_button(
        "Stages as PNG",
        lambda: png(strip([*stages_of(request).values()])),
        f"{_file_name(request)}_stages.png",
        "image/png",
        on_click="ignore",
        icon=":material/image:",
        key=f"stages_{request.run.name}",
    )


def _image(image: np.ndarray, caption: str) -> str:
    text = escape(caption)
    return f'<img src="{data_url(png(image))}" alt="{text}" title="{text}" style="{IMAGE}">'


def share(values: dict[str, Any], command: str | None = None) -> None:
    """A link with every value explicit, since defaults may change, and the equal command line."""
    with st.expander("Link and command line" if command else "Link", icon=":material/link:"):
        st.caption("This link opens exactly these pictures:")
        st.code(link_to(values), language=None, wrap_lines=True)
        if command:
            st.caption("The same from a shell:")
            st.code(command, language="bash", wrap_lines=True)


def share_samples(request: SampleRequest, others: Sequence[Run], stages: bool = False) -> None:
    everything = len(request.classes) > 1
    share(
        {
            "run": request.run.name,
            **({"compare": [r.name for r in others]} if others else {}),
            **({"all": "true"} if everything else {}),
            **({"class": request.class_names[0]} if len(request.classes) == 1 else {}),
            "seed": request.seeds[0],
            "n": len(request.seeds),
            **_words(request.options),
            **({"stages": "true"} if stages else {}),
        },
        request.command,
    )


def share_walk(walk: InterpolationRequest) -> None:
    share(
        {
            "run": walk.run.name,
            **(dict(zip(("class_a", "class_b"), walk.class_names, strict=True)) if walk.classes else {}),
            "seed_a": walk.seeds[0],
            "seed_b": walk.seeds[1],
            "frames": walk.frames,
            "path": walk.path,
            "space": walk.space,
            **_words(walk.options),
        }
    )


def _words(options: dict[str, Any]) -> dict[str, str]:
    return {name: format_option(value) for name, value in options.items() if value is not None}


def film_strip(walk: InterpolationRequest) -> None:
    """All frames in order, row by row."""
    cells = "".join(_image(image, caption) for image, caption in zip(frames_of(walk), walk.captions, strict=True))
    st.html(
        f'<div role="group" aria-label="Film strip of {walk.frames} frames" data-testid="film-strip" '
        f'style="display:grid;gap:.25rem;grid-template-columns:repeat(auto-fill,minmax(72px,1fr))">{cells}</div>'
    )


def animation(walk: InterpolationRequest, frames_per_second: int) -> None:
    """The frames there and back, endlessly, with a download."""
    content = gif(frames_of(walk), frames_per_second=frames_per_second)
    alt = f"Animation from {walk.endpoints[0]} to {walk.endpoints[1]} and back"
    st.html(
        f'<img src="{data_url(content, "gif")}" alt="{escape(alt)}" data-testid="animation" '
        f'style="width:256px;max-width:100%;image-rendering:pixelated;border-radius:6px">'
    )
    name = f"{walk.run.name}_{walk.seeds[0]}_to_{walk.seeds[1]}.gif"
    st.download_button("Animation as GIF", content, name, "image/gif", on_click="ignore", icon=":material/gif_box:")


def snapshot_of(run: Run, images: int) -> None:
    """The pictures that a run made of its fixed seeds after so many images."""
    alt = f"{run.name} after {images:,} training images"
    content = (run.folder.samples / f"{images}.webp").read_bytes()
    st.html(
        f'<figure style="margin:0"><img src="{data_url(content, "webp")}" alt="{escape(alt)}" style="{IMAGE}">'
        f'<figcaption style="{CAPTION}">{escape(alt)}</figcaption></figure>'
    )
