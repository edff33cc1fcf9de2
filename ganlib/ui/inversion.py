"""A picture inverted on the page: where it comes from, its class, the optimisation as it goes, saving, the link."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from copy import copy
from pathlib import PurePath
from typing import Any

import numpy as np
import streamlit as st

from ganlib.applications.catalogue import has_directions
from ganlib.applications.edits import edited_image, resolve
from ganlib.applications.inversion import Inversion, InversionConfig, check_invertible
from ganlib.applications.saved_latents import save_latents
from ganlib.applications.snippets import inversion_snippet
from ganlib.errors import GanlibError
from ganlib.figures import inversion_losses
from ganlib.files import describe_os_error
from ganlib.images import from_uint8, png, to_uint8
from ganlib.models import Encodes
from ganlib.runs import Run
from ganlib.sampling.request import Edit, class_name, format_edits
from ganlib.settings import read_only
from ganlib.ui import chrome, controls, growth, inspection, markup
from ganlib.ui.catalog import load_model
from ganlib.ui.downloads import draw_download, file_stem
from ganlib.ui.links import check_link_number, draw_link
from ganlib.ui.markup import plain
from ganlib.ui.picture_source import Picture

OUTCOME = "saved_latents"  # the session's key of what became of saving them, and whether it failed
MOST_STEPS = 1000


def pick_label(run: Run, picture: Picture) -> int | None:
    """The class in which the picture is inverted: what the classifier sees, or one's own choice."""
    if not load_model(run).conditional:
        return None
    seen = inspection.most_likely_class(run, picture.pixels)
    if seen is not None and st.toggle(
        plain(f"Seen class: {class_name(run, seen)}"),
        True,
        key="seen",
        bind="query-params",
        help="Inverted in the class that the classifier sees; off, in one of your choice.",
    ):
        return seen
    return controls.pick_class(run)


def pick_config(run: Run) -> InversionConfig:
    if isinstance(load_model(run), Encodes):
        st.caption("The model's own encoder finds the latents.")
        return InversionConfig()
    default = InversionConfig()
    check_link_number("steps", 1, MOST_STEPS)
    check_link_number("tuning", 0, MOST_STEPS)
    steps = st.slider("Steps on the latents", 1, MOST_STEPS, default.steps, key="steps", bind="query-params")
    tuning = st.slider(
        "Steps on G",
        0,
        MOST_STEPS,
        0,
        key="tuning",
        bind="query-params",
        help="Pivotal tuning: a copy of G is changed around the latents until it makes the picture.",
    )
    return InversionConfig(steps=int(steps), tuning_steps=int(tuning))


def invert(run: Run, picture: Picture, label: int | None, config: InversionConfig) -> Inversion:
    """The inversion as far as any session has brought it; its progress is drawn, and a way to stop."""
    model = load_model(run)
    check_invertible(model)
    if model.stages() > 1 and not isinstance(model, Encodes):
        chrome.finish(
            f"{run.name} makes an image in {model.stages()} steps, too many to optimise through on a page; run "
            f"python -m ganlib invert {run.argument} PICTURE instead."
        )
    digest = picture.digest
    device = st.session_state.get("device", "auto")
    inversion = _get_inversion(run.weights_hash, digest, label, repr(config), device, run, picture.pixels, config)
    key = f"{run.weights_hash} {digest} {label} {config}"
    goes_on = growth.follow(inversion, key, st.container(), "the best so far is shown")
    shown = copy(inversion)  # which another session may bring on meanwhile
    shown.losses = list(shown.losses)
    if shown.latents is None:
        chrome.finish("The nearest seeds are searched." if goes_on else "Go on to see the nearest seeds.")
    return shown


@st.cache_resource(max_entries=16, show_spinner=False)
def _get_inversion(
    weights_hash: str, digest: str, label: int | None, key: str, device: str, _run: Run, _pixels: Any, _config: Any
) -> Inversion:
    model = load_model(_run)
    target = from_uint8(_pixels[None], model.device)
    return Inversion(model, target, label, _config)


def draw_result(run: Run, picture: Picture, inversion: Inversion, edited: np.ndarray | None) -> None:
    """The picture, its inversion with what the classifier sees, the edited one, and the losses."""
    if inversion.image is None:
        return
    image = to_uint8(inversion.image)[0]
    cells = [("Picture", picture.pixels), (f"Inversion, distance {inversion.distance:.3f}", image)]
    if edited is not None:
        cells.append(("Edited", edited))
    columns = st.columns(3)
    for column, (caption, pixels) in zip(columns, cells, strict=False):
        column.html(markup.large_image(np.array(pixels), caption))
        column.caption(plain(" ".join([f"{caption}.", *inspection.describe_classes(run, np.array(pixels))])))
    if len(inversion.losses) > 2:
        st.plotly_chart(
            inversion_losses(inversion.losses),
            alt=f"Distance from {inversion.losses[0]:.3f} at the start to {inversion.distance:.3f}",
            config={"displayModeBar": False},
        )


def edit_inversion(run: Run, inversion: Inversion, edits: tuple[Edit, ...]) -> np.ndarray | None:
    """(H, W, C) uint8 of the latents moved along the edits; None without any."""
    if not edits or inversion.latents is None:
        return None
    moves = resolve(run, load_model(run), edits)
    return edited_image(inversion.model, inversion.latents, inversion.label, moves)


def can_be_edited(run: Run) -> bool:
    return has_directions(load_model(run))


def draw_saving(
    run: Run, picture: Picture, inversion: Inversion, edits: tuple[Edit, ...], edited: np.ndarray | None
) -> None:
    """The inversion and the edited picture as files, and the latents by name into the run's folder."""
    image = inversion.image
    assert image is not None
    name = file_stem(run.path.name, PurePath(picture.name).stem)
    with st.container(horizontal=True):
        draw_download(
            "Inversion as PNG", lambda: png(to_uint8(image)[0]), f"{name}_inversion.png", "image/png", "image"
        )
        if edited is not None:
            file = f"{name}_{file_stem(format_edits(edits))}.png"
            draw_download("Edited picture as PNG", lambda: png(edited), file, "image/png", "image")
        if not inversion.config.tuning_steps and not read_only():  # else they belong to the tuned weights
            with st.popover("Save the latents", icon=":material/save:"), st.form("save_latents", border=False):
                st.text_input("Name", key="latents_name", placeholder="my dog")
                st.form_submit_button("Save", on_click=_save, args=(run, inversion))
    message, failed = st.session_state.pop(OUTCOME, ("", False))
    if message:
        (st.error if failed else st.success)(plain(message))


def _save(run: Run, inversion: Inversion) -> None:
    assert inversion.latents is not None
    try:
        file = save_latents(run, st.session_state["latents_name"].strip(), inversion.latents, inversion.label)
        st.session_state[OUTCOME] = f"The latents are in {file}.", False
    except GanlibError as error:
        st.session_state[OUTCOME] = str(error), True
    except OSError as error:
        st.session_state[OUTCOME] = describe_os_error(error), True


def draw_inversion_link(
    run: Run, picture: Picture, inversion: Inversion, edits: tuple[Edit, ...], method_values: Mapping[str, str]
) -> None:
    """The picture's file, the command line and the snippet; a link where the picture is one of the test set.

    ``method_values``: what the link has of the directions offered beside the picture.
    """
    config, label = inversion.config, inversion.label
    options = {}
    if not isinstance(load_model(run), Encodes):
        options = {"steps": config.steps} | ({"tuning_steps": config.tuning_steps} if config.tuning_steps else {})
    parts = ["python", "-m", "ganlib", "invert", run.argument, picture.name]
    parts += [] if label is None else ["--class", class_name(run, label)]
    for name, value in options.items():
        parts += [f"--{name.replace('_', '-')}", str(value)]
    parts += ["--edit", format_edits(edits)] if edits else []
    command = shlex.join([*parts, "--out", "inverted.png"])
    snippet = inversion_snippet(run, picture.name, label, options, edits)
    if picture.number is None:
        draw_link(None, command, snippet)
        return
    link = {
        "run": run.name,
        "picture": picture.number,
        **({"seen": "false", "class": class_name(run, label)} if label is not None else {}),
        "steps": config.steps,
        "tuning": config.tuning_steps,
        **method_values,
        **({"edits": format_edits(edits)} if edits else {}),
    }
    draw_download(
        "This picture, for the command line",
        lambda: png(np.array(picture.pixels)),
        picture.name,
        "image/png",
        "download",
    )
    draw_link(link, command, snippet)
