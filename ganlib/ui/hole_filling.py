"""Holes on the page: drawn or preset, filled as one watches, several results each."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
import torch
from torch import Generator

from ganlib.applications.inpainting import METHODS, Inpainting, InpaintingConfig, Method, methods_of
from ganlib.images import from_uint8
from ganlib.metrics.similarity import psnr
from ganlib.models import Trainable
from ganlib.nn.masks import Hole, draw_masks
from ganlib.runs import Run
from ganlib.sampling.request import class_name
from ganlib.ui import chrome, controls, drawing, edit_tasks, growth, inspection
from ganlib.ui.catalog import load_trainable
from ganlib.ui.links import check_link, check_link_number
from ganlib.ui.markup import plain
from ganlib.ui.picture_source import Picture, pick_picture

DRAWN = "Drawn"
NAMES: dict[str, Hole] = {"Centre": "centre", "Half": "half", "Box": "box", "Strokes": "strokes"}
TOOLS = {"Brush": "freedraw", "Rectangle": "rect"}
MOST_RESULTS, MOST_STEPS, MOST_HOLE_SEED = 8, 1000, 999
HOLE_COLOUR = "#ff4d99"


class MaskChoice(NamedTuple):
    mask: np.ndarray  # (H, W) bool, True in the hole
    arguments: list[str]  # of the command line
    link: dict[str, Any] | None  # None of a drawn one


def draw_hole_filling(run: Run) -> None:
    with st.sidebar:
        method, config = _pick_config(run, load_trainable(run))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picture = pick_picture(run, generated=True)
        label = _pick_label(run, picture)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        choice = _pick_preset(picture)
    place, columns = st.container(), 4
    if choice is None:
        left, place = st.columns([2, 3], gap="large")
        columns = 3
        with left:
            choice = _draw_mask(picture)
    with place:
        if not choice.mask.any():
            chrome.finish("Draw the hole on the picture: it is filled as soon as you let go.")
        with st.container(key="pictures"):
            results = _fill(run, picture, choice, label, method, config)
            _draw_results(picture, choice, results, columns)
        edit_tasks.draw_downloads(run, "filled", list(results), choice.mask[..., None].astype(np.uint8) * 255)
        settings = _settings(load_trainable(run), method, config)
        arguments = ["--mask", *choice.arguments, *(["--class", class_name(run, label)] if label is not None else [])]
        for name, value in settings.items():
            arguments += [f"--{name}", str(value)]
        link = None if choice.link is None else choice.link | settings | _linked_label(run, picture, label)
        edit_tasks.draw_edit_link(run, edit_tasks.FILL, picture, link, arguments)


def _pick_config(run: Run, model: Trainable) -> tuple[Method, InpaintingConfig]:
    default, methods = InpaintingConfig(), methods_of(model)
    method = methods[0]
    if len(methods) > 1:
        check_link("method", list(methods).__contains__, f"it can be {', '.join(methods)}")
        chosen = st.segmented_control(
            "Method", methods, default=method, required=True, key="method", bind="query-params"
        )
        method = next(m for m in methods if m == chosen)
    st.caption(plain(METHODS[method]))
    if method == "learned":
        return method, default
    check_link_number("results", 1, MOST_RESULTS)
    results = st.slider("Results", 1, MOST_RESULTS, default.results, key="results", bind="query-params")
    if method != "latents":
        return method, InpaintingConfig(results=int(results))
    check_link_number("steps", 1, MOST_STEPS)
    steps = st.slider("Steps on the latents", 1, MOST_STEPS, default.steps, key="steps", bind="query-params")
    return method, InpaintingConfig(results=int(results), steps=int(steps))


def _settings(model: Trainable, method: Method, config: InpaintingConfig) -> dict[str, Any]:
    """What of them the link and the command line have, by the same names."""
    if method == "learned":
        return {}
    chosen = {"method": method} if len(methods_of(model)) > 1 else {}
    steps = {"steps": config.steps} if method == "latents" else {}
    return {**chosen, "results": config.results, **steps}


def _pick_label(run: Run, picture: Picture) -> int | None:
    """The picture's own class where that is known, else what the classifier sees or a choice."""
    if not run.conditional:
        return None
    if picture.label is not None:
        st.caption(plain(f"Class: {class_name(run, picture.label)}"))
        return picture.label
    seen = inspection.most_likely_class(run, picture.pixels)
    if seen is not None and st.toggle(
        plain(f"Seen class: {class_name(run, seen)}"), True, key="seen", bind="query-params"
    ):
        return seen
    return controls.pick_class(run)


def _linked_label(run: Run, picture: Picture, label: int | None) -> dict[str, str]:
    """Nothing where the picture tells its class."""
    return {} if label is None or picture.label is not None else {"seen": "false", "class": class_name(run, label)}


def _pick_preset(picture: Picture) -> MaskChoice | None:
    """None where the hole is to be drawn."""
    names = [DRAWN, *NAMES]
    check_link("hole", names.__contains__, f"it can be {', '.join(names)}")
    name = st.segmented_control("Hole", names, default="Centre", required=True, key="hole", bind="query-params")
    if name == DRAWN:
        return None
    kind, seed = NAMES[str(name)], 0
    if kind != "centre":
        check_link_number("hole_seed", 0, MOST_HOLE_SEED)
        seed = int(st.number_input("Another one", 0, MOST_HOLE_SEED, 0, key="hole_seed", bind="query-params"))
    mask = draw_masks([kind], 1, picture.pixels.shape[0], Generator().manual_seed(seed))[0, 0].numpy() > 0
    link = {"hole": name, "hole_seed": seed}
    return MaskChoice(mask, [kind, "--seed", str(seed)] if seed else [kind], link)


def _draw_mask(picture: Picture) -> MaskChoice:
    with st.container(horizontal=True):
        tool = st.segmented_control(
            "Tool", list(TOOLS), default="Brush", required=True, key="tool", label_visibility="collapsed"
        )
        width = drawing.pick_brush("brush", "Medium") if tool == "Brush" else 1
    mask = drawing.draw_on(
        picture.pixels,
        key=f"mask_{picture.digest}",
        colour=HOLE_COLOUR,
        tool="rect" if tool == "Rectangle" else "freedraw",
        width=width,
    )
    return MaskChoice(mask, [edit_tasks.DRAWING_FILE], None)


def _fill(
    run: Run, picture: Picture, choice: MaskChoice, label: int | None, method: Method, config: InpaintingConfig
) -> np.ndarray:
    """(n, H, W, C) uint8 as far as any session has brought them, the one that fits best first."""
    digest = hashlib.sha256(np.packbits(choice.mask).tobytes()).hexdigest()[:16]
    device = st.session_state.get("device", "auto")
    key = f"{run.weights_hash} {picture.digest} {digest} {label} {method} {config}"
    inpainting = _get_inpainting(key, device, run, picture.pixels, choice.mask, label, config, method)
    growth.follow(inpainting, key, st.container(), "the best so far is shown")
    fit = np.nan_to_num(inpainting.losses, nan=np.inf)
    return inpainting.results()[np.argsort(fit, kind="stable")]


@st.cache_resource(max_entries=16, show_spinner=False)
def _get_inpainting(
    key: str, device: str, _run: Run, _pixels: Any, _mask: Any, _label: Any, _config: Any, _method: Any
) -> Inpainting:
    model = load_trainable(_run)
    target = from_uint8(_pixels[None], model.device)
    mask = torch.from_numpy(_mask[None, None].astype(np.float32))
    return Inpainting(model, target, mask, _label, _config, _method)


def _draw_results(picture: Picture, choice: MaskChoice, results: np.ndarray, columns: int) -> None:
    holed = picture.pixels.copy()
    holed[choice.mask] = 128
    cells = [("Picture", picture.pixels), ("With the hole", holed)]
    cells += [(f"Result {i}. {_describe(result, picture.pixels)}", result) for i, result in enumerate(results, 1)]
    edit_tasks.draw_pictures(cells, columns)
    if len(results) > 1:
        spread = results[:, choice.mask].astype(float).std(axis=0).mean()
        st.caption(f"In the hole the results differ by {spread:.1f} of 255 levels (standard deviation).")


def _describe(result: np.ndarray, picture: np.ndarray) -> str:
    return f"PSNR {psnr(result[None], picture[None])[0]:.1f} dB"
