"""Directions of a run: the method, what each changes, images before and after, film strips, one saved by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from ganlib.applications.catalogue import METHODS, find_directions, layer_count, measure_for, methods_of
from ganlib.applications.edits import REGRESSED, film_strip
from ganlib.applications.effects import STRENGTHS, Measured
from ganlib.applications.snippets import sample_snippet
from ganlib.applications.storage import save_direction, saved_directions
from ganlib.applications.two_sets import direction_between
from ganlib.errors import GanlibError
from ganlib.files import describe_os_error
from ganlib.images import captioned_grid, png
from ganlib.naming import counted
from ganlib.runs import Run
from ganlib.sampling.keyframes import KeyFrame
from ganlib.sampling.request import SampleRequest, format_edits, format_seeds
from ganlib.settings import read_only
from ganlib.ui import chrome, components, markup, tray
from ganlib.ui.catalog import generate_images, load_model, request_key
from ganlib.ui.downloads import draw_download
from ganlib.ui.links import check_link, draw_link, format_options, linked_segments, write_link
from ganlib.ui.markup import plain
from ganlib.ui.measuring import Layers, draw_measured

ROW = 8  # images of a row
METHOD_LABELS = {
    "sefa": "SeFa",
    "pca": "PCA",
    "statistics": "Statistics",
    "classes": "Classes",
    "attributes": "Attributes",
    "labels": "Labels",
}
OUTCOME = "saved_direction"  # the session's key of what became of saving one, and whether it failed


def pick_method(run: Run) -> tuple[str, Layers]:
    """How directions are found; the page ends with the reason where the model has none."""
    methods = methods_of(run, load_model(run))
    if not methods:
        values = int(np.prod(load_model(run).latent_shape))
        chrome.finish(
            f"{run.name} has no directions: its latent is an image of noise, {values:,} values that no layer reads at "
            "once. Choose another run, or interpolate between two seeds."
        )
    check_link("method", methods.__contains__, f"it can be {', '.join(methods)}")
    labels = {name: METHOD_LABELS[name] for name in methods}
    help = plain(". ".join(f"{label}: {METHODS[name]}" for name, label in labels.items()))
    method = linked_segments("Method", labels, methods[0], key="method", help=help)
    return method, _pick_layers(run) if method in ("sefa", "pca") else None


def _pick_layers(run: Run) -> Layers:
    """First and last, exclusive, of the layers whose styles move; None for all of them."""
    total = layer_count(load_model(run))
    if total < 2:
        return None
    check_link("layers", lambda text: _parse_layers(text, total) is not None, f"layers go from 0 to {total - 1}")
    first, end = _parse_layers(st.query_params.get("layers", ""), total) or (0, total)
    st.session_state["layer_range"] = (first, end - 1)

    def write() -> None:
        low, high = st.session_state["layer_range"]
        write_link("layers", [] if (low, high) == (0, total - 1) else [f"{low}-{high}"])

    st.slider(
        "Layers", 0, total - 1, key="layer_range", on_change=write, help="Coarse layers come first, colours last."
    )
    return None if (first, end) == (0, total) else (first, end)


def _parse_layers(text: str, total: int) -> tuple[int, int] | None:
    """ "0-3" -> (0, 4); None where these are not layers of ``total``."""
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and len(text) < 10):
        return None
    return (int(first), int(last) + 1) if int(first) <= int(last) < total else None


def method_values(method: str, layers: Layers) -> dict[str, str]:
    """What a link has of them."""
    return {"method": method, **({"layers": f"{layers[0]}-{layers[1] - 1}"} if layers else {})}


def list_directions(run: Run, method: str, layers: Layers) -> dict[str, Measured]:
    """Those of the method, then those saved with the run. While they are being measured, as far as they are known."""
    measured = draw_measured(run, method, layers)
    if measured is None:
        known = {} if method in REGRESSED else find_directions(run, load_model(run), method, layers=layers)
        measured = {name: Measured(direction, (), 0) for name, direction in known.items()}
    saved, errors = saved_directions(run)
    for error in errors:
        st.warning(plain(error))
    return measured | saved


def are_measured(directions: Mapping[str, Measured]) -> bool:
    return bool(directions) and all(measured.seeds for measured in directions.values())


def slider_labels(run: Run, directions: Mapping[str, Measured]) -> dict[str, str]:
    """ "sefa-1: brighter, 0.98 monotone"."""
    return {name: _title(run, name, measured) for name, measured in directions.items()}


def _title(run: Run, name: str, measured: Measured) -> str:
    if not measured.seeds:
        return name
    return f"{name}: {measured.description(run.classes)}"


def draw_before_and_after(request: SampleRequest) -> SampleRequest | None:
    """The seeds' images, below each what the edits make of it; the one that was clicked just now."""
    requests = [replace(request, edits=()), request] if request.edits else [request]
    images = [generate_images(r) for r in requests]
    columns, cells = min(len(request.sources), ROW), []
    for start in range(0, len(request.sources), columns):
        for number, title in enumerate(["Before", "After"] if request.edits else ["Seeds"]):
            cells.append({"head": title})
            for i in range(start, min(start + columns, len(request.sources))):
                caption = f"{title.lower()}, {request.captions[i]}" if request.edits else request.captions[i]
                source = markup.data_url(png(images[number][i]))
                cells.append({"src": source, "alt": caption, "caption": str(request.sources[i]), "id": f"{number} {i}"})
    opened = components.draw_pictures(
        cells,
        key="before_and_after",
        testid="image-grid",
        label=f"{counted(len(request.sources), 'image')} of {request.run.name}, before and after",
        captions=True,
        opens=True,
        columns=columns,
        largest=128,
    )
    number_text, _, index = (opened or "").partition(" ")
    if not number_text or int(number_text) >= len(requests) or int(index) >= len(request.sources):
        return None
    return requests[int(number_text)].singles[int(index)]


def draw_strips(request: SampleRequest, directions: Mapping[str, Measured]) -> None:
    """A row a direction, a column a strength, of the first seed."""
    if not directions:
        return
    first = replace(request.head(1), edits=())
    vectors = {name: measured.direction for name, measured in directions.items()}
    key = repr([(name, d.layers, hash(d.vector.numpy().tobytes())) for name, d in vectors.items()])
    with st.container(key="strips"):
        strips = _film_strips(request.run.weights_hash, request_key(first) + key, first, vectors)
        st.caption(plain(f"{first.captions[0]} along each direction, in deviations of the latents:"))
        st.html(markup.strip_rows(slider_labels(request.run, directions), STRENGTHS, strips))
    captions = [f"{name} {strength:+g}" for name in directions for strength in STRENGTHS]
    draw_download(
        "Film strips as PNG",
        lambda: png(captioned_grid(np.concatenate(strips), captions, len(STRENGTHS))),
        f"{request.run.name}_directions_{request.sources[0]}.png",
        "image/png",
        "image",
    )


@st.cache_data(max_entries=16, show_spinner="Drawing film strips…")
def _film_strips(weights_hash: str, key: str, _request: SampleRequest, _directions: dict[str, Any]) -> list[np.ndarray]:
    model = load_model(_request.run)
    return [film_strip(model, _request, direction, STRENGTHS) for direction in _directions.values()]


def draw_table(run: Run, directions: Mapping[str, Measured]) -> None:
    """What each direction changes, in figures."""
    rows = []
    for name, measured in directions.items():
        if measured.seeds:
            named = measured.named
            rows.append(
                {
                    "Direction": name,
                    "Changes": named.words(run.classes) if named else "nothing evenly",
                    "Monotone": abs(named.monotone) if named else None,
                    "Change, deviations": named.change if named else None,
                    "Also": ", ".join(effect.words(run.classes) for effect in measured.tangled),
                    "Weak": measured.weak,
                }
            )
    if not rows:
        return
    with st.expander("What each direction changes", icon=":material/table:"):
        seeds = max(measured.seeds for measured in directions.values())
        st.caption(
            plain(
                f"Over {seeds} seeds that it was not found on. Monotone: mean rank correlation with the strength, "
                "named from 0.8. Also: other changes nearly as large; such a direction is tangled."
            )
        )
        st.dataframe(pd.DataFrame(rows).round(2), hide_index=True, placeholder="–")


def draw_saving(run: Run, directions: Mapping[str, Measured]) -> None:
    """A form that keeps one direction by a name of one's own in the run's folder."""
    if read_only() or not are_measured(directions):
        return
    with st.popover("Save a direction", icon=":material/save:"), st.form("save_direction", border=False):
        st.selectbox("Direction", list(directions), key="save_source")
        st.text_input("Name", key="save_name", placeholder="sunny")
        st.form_submit_button("Save", on_click=_save, args=(run, directions))
    message, failed = st.session_state.pop(OUTCOME, ("", False))
    if message:
        (st.error if failed else st.success)(plain(message))


def _save(run: Run, directions: Mapping[str, Measured]) -> None:
    source, name = st.session_state["save_source"], st.session_state["save_name"].strip()
    try:
        file = save_direction(run, name, source, directions[source])
        st.session_state[OUTCOME] = f"{source} is saved in {file}.", False
    except GanlibError as error:
        st.session_state[OUTCOME] = str(error), True
    except OSError as error:
        st.session_state[OUTCOME] = describe_os_error(error), True


def draw_two_sets(run: Run) -> None:
    """A form that makes a direction from two sets of this run's favourites; nothing with fewer than two of them."""
    texts = {tray.as_text(r): r.captions[0] for r in tray.favourites([run]) if r.run.name == run.name}
    if read_only() or len(texts) < 2:
        return
    with st.popover("From favourites", icon=":material/favorite:"), st.form("two_sets", border=False):
        for key, label in (("more_of", "More like"), ("less_of", "Less like")):
            st.multiselect(plain(label), list(texts), key=key, format_func=texts.__getitem__)
        st.text_input("Name", key="two_sets_name", placeholder="sunny")
        st.form_submit_button("Save", on_click=_save_between, args=(run,))


def _key_frame(request: SampleRequest) -> KeyFrame:
    """The request's only image as an end of a direction."""
    return KeyFrame(request.seeds[0], request.classes[0] if request.classes else None)


def _save_between(run: Run) -> None:
    requests = {tray.as_text(r): r for r in tray.favourites([run])}
    more, less = ([_key_frame(requests[text]) for text in st.session_state[key]] for key in ("more_of", "less_of"))
    name = st.session_state["two_sets_name"].strip()
    try:
        model = load_model(run)
        measured = direction_between(run, model, more, less, measure_for(run, model.device))
        source = f"from {', '.join(key.text(run) for key in less)} to {', '.join(key.text(run) for key in more)}"
        file = save_direction(run, name, source, measured)
        st.session_state[OUTCOME] = f"{name}: {measured.description(run.classes)}. It is saved in {file}.", False
    except GanlibError as error:
        st.session_state[OUTCOME] = str(error), True
    except OSError as error:
        st.session_state[OUTCOME] = describe_os_error(error), True


def draw_direction_links(request: SampleRequest, method: str, layers: Layers) -> None:
    """The link to what is shown, and the commands that make the moved images and the film strips."""
    run = request.run
    values = {
        "run": run.name,
        **({"class": request.class_names[0]} if request.classes else {}),
        **(
            {"latents": [latents.name for latents in request.latents]}
            if request.latents
            else {"seed": format_seeds(request.seeds)}
        ),
        **method_values(method, layers),
        **format_options(request.options),
        **({"edits": format_edits(request.edits)} if request.edits else {}),
    }
    strips = replace(request.head(1), edits=()).command
    strips = strips.replace(" sample ", " directions ", 1).replace("--classes", "--class").replace("--seeds", "--seed")
    layer_flag = f" --layers {values['layers']}" if layers else ""
    strips = strips.replace("--out grid.png", f"--method {method}{layer_flag} --out strips.png")
    draw_link(values, f"{request.command}\n{strips}", sample_snippet(request))
