"""Run, classes and seeds: widgets whose values live in the URL, so that a link is the whole state."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ganlib.applications.saved_latents import list_latents
from ganlib.data.attributes import combine, split_class
from ganlib.data.subset import whole_set
from ganlib.errors import GanlibError
from ganlib.models import GenerativeModel
from ganlib.models.options import SEED_LIMIT
from ganlib.runs import Run
from ganlib.sampling.request import SampleRequest, SavedLatents, class_name, parse_int, parse_seeds
from ganlib.ui.catalog import best_first, has_stages, load_model, recognisable_first
from ganlib.ui.links import check_link, check_link_list, linked_multiselect, linked_selectbox, translate_link
from ganlib.ui.markup import plain
from ganlib.ui.names import data_labels, run_labels
from ganlib.ui.options import accepts, pick_from
from ganlib.ui.screen import is_phone
from ganlib.ui.showcase import class_index, showcase_run

SLIDER_SEEDS = 1000  # as many as a slider can step through; any other seed goes into the number field
ALL_DATA = "all data sets"
MAX_SHOWN = 256  # images on a page
MAX_BUTTONS = 12  # classes that are buttons
FIELD_WIDTH = 150  # pixels: ten digits
LATENTS = "latents"  # of the link
COUNTS = [1, 2, 4, 8, 16, 32, 64, 128]


def pick_data(runs: Sequence[Run]) -> list[Run]:
    """The runs of one data set, its subsets included, or of all.

    The most recognisable sets first, the best runs of each set first.
    """
    names = recognisable_first(runs)
    labels = data_labels(map(whole_set, names))
    data: str | None = ALL_DATA
    if len(labels) > 1:
        parts = {own: labels[whole_set(name)] for name, label in data_labels(names).items() for own in (name, label)}
        translate_link("data", parts)
        check_link("data", [ALL_DATA, *labels.values()].__contains__, f"there are {', '.join(labels.values())}")
        options = [ALL_DATA, *labels.values()]
        common: dict[str, Any] = {"key": "data", "bind": "query-params", "label_visibility": "collapsed"}
        shown_as_markdown = any(plain(label) != label for label in options)  # by buttons
        if shown_as_markdown or is_phone():  # whose screen ten buttons would fill
            data = st.selectbox("Data set", options, **common)
        else:
            data = st.segmented_control("Data set", options, default=ALL_DATA, required=True, **common)
    selected = [run for run in best_first(runs) if data in (ALL_DATA, labels[whole_set(run.data_name)])]
    return sorted(selected, key=lambda run: names.index(run.data_name))


def pick_run(runs: Sequence[Run], default: Run | None = None) -> Run:
    names = [run.name for run in runs]
    check_link("run", names.__contains__, f"there is no such run; there are {', '.join(names)}")
    name = linked_selectbox("Run", run_labels(runs), (default or _default_run(runs)).name, key="run")
    return runs[names.index(name)]


def _default_run(runs: Sequence[Run]) -> Run:
    """The one picked by eye, else the best of the conditional runs with the largest images."""
    return showcase_run(runs) or max(
        best_first(runs), key=lambda r: (r.conditional, r.config.image_size * r.config.channels)
    )


def pick_comparison(run: Run, runs: Sequence[Run]) -> list[Run]:
    """Further runs of the same data set, shown at the same seeds and classes."""
    data = (run.data_name, run.classes)  # folders of one name may hold other classes
    others = {r.name: r for r in runs if (r.data_name, r.classes) == data and r.name != run.name}
    if not others:
        st.query_params.pop("compare", None)
        return []
    check_link_list("compare", others)
    labels = run_labels([run, *others.values()])
    del labels[run.name]
    names = linked_multiselect("Compare with", labels, key="compare", placeholder="Runs of the same data")
    return [others[name] for name in names]


def pick_class(run: Run, *, key: str = "class", label: str = "Class", default: int = 0, compact: bool = False) -> int:
    """The index of one of the run's classes: a button for each where they are few, a list where it is ``compact``."""
    names = _class_names(run, load_model(run))
    check_link(key, names.__contains__, f"{run.name} has no such class; it has {', '.join(names)}")
    if attributes := run.recipe.data.attributes:
        return _pick_combination(run, attributes, key, default)
    if compact:
        return names.index(str(_pick_from_list(label, names, names[default], key)))
    if len(names) > MAX_BUTTONS or any(plain(name) != name for name in names):
        return names.index(pick_from(label, names, names[default], key=key))
    if st.session_state.get(key, names[0]) not in names:  # another run's
        del st.session_state[key]
    name = st.segmented_control(
        plain(label), names, default=names[default], required=True, key=key, bind="query-params"
    )
    return names.index(str(name))


def _pick_from_list(label: str, names: list[str], default: str, key: str) -> str:
    if st.session_state.get(key, default) not in names:  # another run's
        del st.session_state[key]
    return str(st.selectbox(plain(label), names, names.index(default), key=key, bind="query-params"))


def _pick_combination(run: Run, attributes: Sequence[str], key: str, default: int) -> int:
    """A switch for each attribute; the link has the combination as the class that it is."""
    k, keys = len(attributes), [f"{key}_{name}" for name in attributes]

    def write_link() -> None:
        st.query_params[key] = run.classes[int(combine([[st.session_state[name] for name in keys]])[0])]

    name = st.query_params.get(key)  # another run's after a change of runs
    label = run.classes.index(name) if name in run.classes else default
    # As of a widget: another run, whose class it cannot be, then drops it from the link in silence.
    st.session_state[key] = run.classes[label]
    row = st.container(horizontal=True)
    for attribute, widget, value in zip(attributes, keys, split_class(label, k), strict=True):
        st.session_state[widget] = value
        row.toggle(plain(attribute.replace("_", " ")), key=widget, on_change=write_link)
    if run.recipe.data.class_counts and not run.recipe.data.class_counts[label]:
        st.caption(":material/info: No training image has this combination.")
    return label


def pick_all_classes(run: Run) -> bool:
    """Whether to show all classes, a row each; False with the reason where the model is unconditional."""
    if not run.conditional:
        st.caption(
            f":material/info: {plain(run.name)} is unconditional: "
            "it was trained without classes, so there is none to pick."
        )
        return False
    return st.toggle("All classes, one row each", key="all", bind="query-params")


def pick_classes(run: Run, every: bool) -> tuple[int, ...]:
    """One class, or ``every`` one as rows; () of an unconditional model."""
    if not run.conditional:
        return ()
    if every:
        return tuple(range(load_model(run).config.num_classes))
    return (pick_class(run, default=class_index(run, "class", 0)),)


def _class_names(run: Run, model: GenerativeModel) -> list[str]:
    return list(run.classes) or [str(i) for i in range(model.config.num_classes)]


def pick_seed(
    *,
    key: str = "seed",
    label: str = "Seed",
    default: int = 0,
    compact: bool = False,
    head: DeltaGenerator | None = None,
) -> int:
    """One control: a slider for the first thousand seeds, a field for any, a button for a random one.

    ``compact``: the field alone. ``head``: where the button stands, if not beside the field.
    """
    check_link(key, _is_seed, f"seeds are whole numbers from 0 to {SEED_LIMIT - 1}")
    if compact:
        value = st.number_input(plain(label), 0, SEED_LIMIT - 1, default, 1, key=key, bind="query-params")
        return int(value)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _draw_seed_slider(label, key, default, int)
        seed = st.number_input(
            plain(f"{label}, exactly"),
            min_value=0,
            max_value=SEED_LIMIT - 1,
            value=default,
            step=1,
            key=key,
            bind="query-params",
            label_visibility="collapsed",
            width=FIELD_WIDTH,
        )
        with head or nullcontext():
            _draw_random_button(key, int)
    return int(seed)


def pick_seeds(rows: int, count: int) -> tuple[int, ...]:
    """``count`` consecutive seeds from a first one, or those of a list like "0-15,42"; ``rows`` classes share them."""
    check_link("seed", _is_seed_list, f"seeds are whole numbers from 0 to {SEED_LIMIT - 1}, like 7 or 0-15,42")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _draw_seed_slider("Seed" if rows <= 1 else "First seed", "seed", 0, str)
        text = st.text_input(
            "Seed, exactly, or a list like 0-15,42",
            "0",
            key="seed",
            bind="query-params",
            label_visibility="collapsed",
            width=FIELD_WIDTH,
        )
        _draw_random_button("seed", str)
    first = parse_int(text.strip())
    if first is None:
        seeds = parse_seeds(text)
        if len(seeds) * max(rows, 1) > MAX_SHOWN:
            raise GanlibError(
                f"{text[:40]!r} makes more than {MAX_SHOWN} images, the most of a page; name fewer seeds."
            )
        return seeds
    seeds = parse_seeds(f"{first}-{min(first + count, SEED_LIMIT) - 1}") if first < SEED_LIMIT else parse_seeds(text)
    if len(seeds) < count:
        st.caption(plain(f"The last seed is {SEED_LIMIT - 1}: {len(seeds)} of {count} images."))
    return seeds


def pick_latents(run: Run) -> tuple[SavedLatents, ...]:
    """Those of the run's saved latents that are to stand in place of seeds; nothing where the run has none."""
    labels, errors = list_latents(run)
    for error in errors:
        st.caption(plain(error))
    check_link_list(LATENTS, labels)
    if not labels:
        return ()
    texts = {name: name if label is None else f"{name} ({class_name(run, label)})" for name, label in labels.items()}
    names = linked_multiselect(
        "Saved latents",
        texts,
        key=LATENTS,
        placeholder="In place of seeds",
        help="Of pictures that were inverted.",
    )
    return tuple(SavedLatents(name, labels[name]) for name in names)


def pick_count(rows: int, default: int = 16) -> int:
    """How many images of each of ``rows`` classes; a list of seeds has its own number."""
    counts = [n for n in COUNTS if n * max(rows, 1) <= MAX_SHOWN] or COUNTS[:1]
    default = min(default if rows <= 1 else 8, counts[-1])
    text = "Images" if rows <= 1 else "Images per class"
    check_link("n", list(map(str, counts)).__contains__, f"it can be {', '.join(map(str, counts))}")
    return int(st.select_slider(plain(text), counts, value=default, key="n", bind="query-params"))


def _draw_seed_slider(label: str, key: str, default: int, kind: type[int] | type[str]) -> None:
    """At the value that the field of ``key``, drawn after it, is going to have."""
    slider_key = f"{key}_slider"
    text = st.session_state.get(key, st.query_params.get(key, default))
    seed = parse_int(str(text).strip()) or 0

    def copy_slider() -> None:
        st.session_state[key] = kind(st.session_state[slider_key])

    st.session_state[slider_key] = min(seed, SLIDER_SEEDS - 1)
    st.slider(plain(label), 0, SLIDER_SEEDS - 1, key=slider_key, on_change=copy_slider)


def _draw_random_button(key: str, kind: type[int] | type[str]) -> None:
    def draw() -> None:
        st.session_state[key] = kind(secrets.randbelow(SEED_LIMIT))

    st.button("Random", icon=":material/casino:", key=f"{key}_random", on_click=draw, help="A seed drawn by chance")


def apply_to_others(
    others: Sequence[Run], classes: tuple[int, ...], seeds: tuple[int, ...], options: dict[str, Any]
) -> list[SampleRequest]:
    """The same request to other runs, without the classes and options that a run does not have."""
    requests = []
    for other in others:
        own_classes = classes if other.conditional else ()
        # Options of one name may have other bounds there.
        own = {o.name for o in load_model(other).options if o.name in options and accepts(o, options[o.name])}
        requests.append(SampleRequest(other, own_classes, seeds, {k: v for k, v in options.items() if k in own}))
    return requests


def pick_stages(run: Run, options: dict[str, Any]) -> bool:
    """Whether to show the stages of each image; no widget where the model makes images at once."""
    if not has_stages(run, options):
        return False
    return st.toggle(
        "Show the stages", key="stages", bind="query-params", help="How the model makes its images, step by step."
    )


def _is_seed_list(text: str) -> bool:
    try:
        return len(parse_seeds(text)) <= MAX_SHOWN
    except GanlibError:
        return False


def _is_seed(text: str) -> bool:
    number = parse_int(text)
    return number is not None and number < SEED_LIMIT
