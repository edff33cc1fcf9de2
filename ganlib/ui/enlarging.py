"""Small pictures enlarged on the page, beside what needs no model."""

from __future__ import annotations

import numpy as np
import streamlit as st

from ganlib.applications.superresolution import FILTERS, enlarge, filtered, input_sides, scale_of
from ganlib.data.pictures import to_square
from ganlib.images import from_uint8, to_pil, to_uint8
from ganlib.metrics.similarity import perceptual_distance, psnr, ssim
from ganlib.models import GenerativeModel
from ganlib.nn.degradations import shrink
from ganlib.runs import Run
from ganlib.sampling.request import class_name
from ganlib.ui import controls, edit_tasks
from ganlib.ui.catalog import load_trainable
from ganlib.ui.links import check_link, write_link
from ganlib.ui.picture_source import Picture, pick_picture

LONGEST = 256  # pixels of a side of an upload, which a page enlarges at once
SEEDS = (0, 1)  # of a LAPGAN's results
ROW = 5  # pictures
SHOWN = "enlarged_picture"  # the session's key of the picture that was shown last


def draw_enlarging(run: Run) -> None:
    model = load_trainable(run)
    sides = input_sides(model)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picture = pick_picture(run, generated=True, whole=0 if sides else LONGEST)
        side = _pick_side(sides) if sides else 0
        label = _pick_label(run, picture) if run.conditional else None
    small, wanted = _small(run, picture, side)
    scale = scale_of(model, small.shape[0])
    seeds = SEEDS if isinstance(model, GenerativeModel) else SEEDS[:1]
    results = enlarge(model, small, label=label, seeds=seeds)
    cells = [(name.capitalize(), filtered(small, scale, name)) for name in FILTERS]
    cells += [(f"{run.name}{f', seed {i}' * (len(results) > 1)}", r) for i, r in enumerate(results)]
    if wanted is not None:
        cells.append(("Wanted", wanted))
    edit_tasks.draw_pictures([(f"{name}. {_describe(pixels, wanted)}", pixels) for name, pixels in cells], ROW)
    if wanted is not None:
        st.caption(
            "PSNR and SSIM reward what is faithful pixel by pixel, the distance of features what looks alike: a "
            "sharp result may lose in the first and win in the last."
        )
    edit_tasks.draw_downloads(run, f"x{scale}", list(results))
    values: dict[str, object] = {"side": side} if side else {}
    values |= {"class": class_name(run, label)} if label is not None else {}
    arguments = ["--class", class_name(run, label)] if label is not None else []
    arguments += ["--results", str(len(seeds))] if len(seeds) > 1 else []
    edit_tasks.draw_edit_link(run, edit_tasks.ENLARGE, picture._replace(pixels=small), values, arguments)


def _pick_label(run: Run, picture: Picture) -> int:
    """By default the picture's own class; a choice holds as long as the picture."""
    if st.session_state.get(SHOWN, picture.digest) != picture.digest:
        st.session_state.pop("class", None)
        write_link("class", [])
    st.session_state[SHOWN] = picture.digest
    return controls.pick_class(run, default=picture.label or 0)


def _pick_side(sides: tuple[int, ...]) -> int:
    if len(sides) == 1:
        return sides[0]
    labels = [str(side) for side in sides]
    check_link("side", labels.__contains__, f"it can be {', '.join(labels)}")
    choice = st.segmented_control(
        "Pixels of the small picture", labels, default=labels[-1], required=True, key="side", bind="query-params"
    )
    return int(str(choice))


def _small(run: Run, picture: Picture, side: int) -> tuple[np.ndarray, np.ndarray | None]:
    """The input, and the picture that it was made of where that is at hand: an upload is itself the small one."""
    if picture.link is None:
        return (to_square(to_pil(picture.pixels), side, run.config.channels) if side else picture.pixels), None
    target = side or run.config.image_size // scale_of(load_trainable(run), 0)
    image = from_uint8(picture.pixels[None])
    return to_uint8(shrink(image, picture.pixels.shape[0] // target))[0], picture.pixels


def _describe(pixels: np.ndarray, wanted: np.ndarray | None) -> str:
    if wanted is None or pixels is wanted:
        return f"{pixels.shape[1]} x {pixels.shape[0]} pixels"
    pair = pixels[None], wanted[None]
    return f"PSNR {psnr(*pair)[0]:.1f} dB, SSIM {ssim(*pair)[0]:.2f}, features {perceptual_distance(*pair)[0]:.2f}"
