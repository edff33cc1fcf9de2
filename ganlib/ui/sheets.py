"""Sheets on the page: the two axes and their values, what is held, the sheet as it grows, its files and links."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from ganlib.applications.catalogue import has_directions
from ganlib.applications.edits import method_to_find
from ganlib.applications.sheets import (
    CLASS,
    SEED,
    Axis,
    Sheet,
    SheetRequest,
    axis_names,
    default_axes,
    default_values,
    parse_axis,
)
from ganlib.applications.snippets import sheet_snippet
from ganlib.applications.statistics import STATISTICS
from ganlib.applications.storage import saved_directions
from ganlib.errors import GanlibError
from ganlib.images import labelled_sheet, png, zip_of_pngs
from ganlib.runs import Run
from ganlib.sampling.request import Edit, class_name, format_edits
from ganlib.ui import chrome, controls, growth, markup
from ganlib.ui.catalog import file_states, load_model
from ganlib.ui.downloads import draw_download
from ganlib.ui.links import check_link, draw_link, format_options, linked_selectbox, linked_text, write_link
from ganlib.ui.markup import plain
from ganlib.ui.measuring import draw_measured
from ganlib.ui.options import pick_options
from ganlib.ui.showcase import class_index, seed_of

RANKED = ("sefa-1", "sefa-2", "sefa-3", "pca-1", "pca-2", "pca-3")
SIDES = ("rows", "columns")
MOST_CELLS = 256
HELP = "Values after commas. Seeds may be ranges, 0-5, and saved latents, @name; of directions they are deviations."


def pick_axes(run: Run) -> tuple[Axis, Axis]:
    """What rows and columns are, and their values."""
    model = load_model(run)
    names = axis_names(run, model)
    if has_directions(model):
        names += [*RANKED, *STATISTICS, *saved_directions(run)[0]]
    labels = {name: name.replace("_", " ") for name in names}
    defaults = zip(SIDES, default_axes(run, model), strict=True)
    texts = [_pick_axis(run, side, labels, default) for side, default in defaults]
    rows, columns = (parse_axis(text, run, model, files=False) for text in texts)  # once the controls of both are drawn
    if rows.name == columns.name:
        chrome.finish(f"Rows and columns are both {rows.name}; choose two different ones.")
    if len(rows.values) * len(columns.values) > MOST_CELLS:
        raise GanlibError(
            f"{len(rows.values)} x {len(columns.values)} are more than {MOST_CELLS} images, the most of a page; leave "
            "out some values, or use the command line."
        )
    for axis in (rows, columns):
        method = method_to_find(run, axis.name) if axis.kind == "direction" else None
        if method and draw_measured(run, method) is None:
            chrome.finish(f"The sheet follows once the directions of {method} are found.")
    return rows, columns


def _pick_axis(run: Run, side: str, labels: dict[str, str], default: str) -> str:
    """ "guidance=1,2,4"."""
    model, values_key = load_model(run), f"{side}_values"
    check_link(side, labels.__contains__, f"it can be {', '.join(labels)}")
    name = linked_selectbox(side.capitalize(), labels, default, key=side)
    of = run.name, name
    if st.session_state.setdefault(f"{side}_of", of) != of:
        st.session_state[f"{side}_of"] = of
        write_link(values_key, [])  # they were another axis's
    check_link(values_key, lambda text: _is_axis(f"{name}={text}", run), f"these are no values of {name}")
    text = linked_text(f"Values of {side}", default_values(name, run, model), key=values_key, help=HELP)
    return f"{name}={text}"


def _is_axis(text: str, run: Run) -> bool:
    try:
        parse_axis(text, run, load_model(run), files=False)
    except GanlibError:
        return False
    return True


def pick_other_options(run: Run, axes: tuple[Axis, Axis]) -> dict[str, Any]:
    """Of the options that are no axis."""
    return pick_options(run, without=[axis.name for axis in axes])


def pick_held(run: Run, axes: tuple[Axis, Axis]) -> tuple[int, int | None]:
    """Seed and class of all cells, where no axis has them."""
    names = {axis.name for axis in axes}
    label = None
    if load_model(run).conditional:
        label = 0 if CLASS in names else controls.pick_class(run, default=class_index(run, "class", 0))
    return 0 if SEED in names else controls.pick_seed(default=seed_of(run, "seed", 0)), label


def build_request(
    run: Run, axes: tuple[Axis, Axis], seed: int, label: int | None, options: dict[str, Any], edits: tuple[Edit, ...]
) -> SheetRequest:
    return SheetRequest(run, *axes, seed, label, options, edits)


def draw_sheet(request: SheetRequest) -> tuple[np.ndarray, bool]:
    """Row by row as it is generated; the images as they are shown, and whether they are all."""
    status = st.container()
    if request.held:
        status.caption(plain(f"All images: {request.held}."))
    key = f"{request.run.weights_hash} {_key(request)}"
    sheet = _get_sheet(request.run.weights_hash, _key(request), st.session_state.get("device", "auto"), request)
    growth.follow(sheet, key, status, "the rest of the sheet is grey")
    images, fraction = sheet.state
    rows, columns = request.rows.labels(request.run), request.columns.labels(request.run)
    label = f"Sheet of {request.rows.name} and {request.columns.name}"
    with st.container(key="option_sheet"):
        st.html(markup.option_sheet(rows, columns, images, label))
    return images, fraction >= 1


def _key(request: SheetRequest) -> str:
    r = request
    folders = [r.run.path / folder for folder in ("latents", "directions")]
    files = file_states(file for folder in folders for file in sorted(folder.glob("*.safetensors")))
    return repr((r.rows, r.columns, r.seed, r.label, sorted(r.options.items()), r.edits, files))


@st.cache_resource(max_entries=16, show_spinner=False)
def _get_sheet(weights_hash: str, key: str, device: str, _request: SheetRequest) -> Sheet:
    return Sheet(load_model(_request.run), _request)


def draw_downloads(request: SheetRequest, images: np.ndarray, done: bool) -> None:
    rows, columns = request.rows.labels(request.run), request.columns.labels(request.run)
    name = f"{request.run.path.name}_{request.rows.name}_{request.columns.name}{'' if done else '_unfinished'}"
    width = len(columns)

    def zipped() -> bytes:
        names = [f"{i // width + 1:02}_{i % width + 1:02}.png" for i in range(len(images))]
        return zip_of_pngs(zip(names, images, strict=True), request.provenance())

    with st.container(horizontal=True):
        draw_download(
            "Sheet as PNG",
            lambda: png(labelled_sheet(images, rows, columns), request.provenance()),
            f"{name}.png",
            "image/png",
            "image",
        )
        draw_download(
            "All images as ZIP",
            zipped,
            f"{name}.zip",
            "application/zip",
            "folder_zip",
        )


def draw_sheet_link(request: SheetRequest) -> None:
    r, names = request, {request.rows.name, request.columns.name}
    class_text = {} if r.label is None or CLASS in names else {"class": class_name(r.run, r.label)}
    options = {name: value for name, value in r.options.items() if name not in names}
    draw_link(
        {
            "run": r.run.name,
            "rows": r.rows.name,
            "rows_values": r.rows.values_text(r.run),
            "columns": r.columns.name,
            "columns_values": r.columns.values_text(r.run),
            **({} if SEED in names else {"seed": r.seed}),
            **class_text,
            **format_options(options),
            **({"edits": format_edits(r.edits)} if r.edits else {}),
        },
        r.command("sheet.png"),
        sheet_snippet(r),
        opens="this sheet",
    )
