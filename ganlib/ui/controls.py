"""Widgets that say what to make. Their values live in the URL, so that a link is the whole state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from ganlib.errors import GanlibError
from ganlib.models import GenerativeModel, Option
from ganlib.models.options import FROM_SEED, SEED_LIMIT
from ganlib.runs import Run
from ganlib.sampling import PATHS
from ganlib.sampling.request import InterpolationRequest, SampleRequest, format_option, parse_int
from ganlib.ui.catalog import best_first, has_stages, model_of
from ganlib.ui.links import check_link, check_link_list

SLIDER_SEEDS = 1000  # what a slider can still step through; any other seed goes into the number field
ALL = "all data sets"
COUNTS = [1, 2, 4, 8, 16, 32, 64, 128]


def pick_data(runs: Sequence[Run]) -> list[Run]:
    """The runs of one data set or of all: largest pictures first, the best of each set first."""
    sizes = {run.data_name: run.config.image_size * run.config.channels for run in runs}
    names = sorted(sizes, key=lambda name: -sizes[name])
    chosen: str | None = ALL
    if len(names) > 1:
        check_link("data", [ALL, *names].__contains__, f"there are {', '.join(names)}")
        chosen = st.segmented_control(
            "Data set",
            [ALL, *names],
            default=ALL,
            required=True,
            key="data",
            bind="query-params",
            label_visibility="collapsed",
        )
    kept = [run for run in best_first(runs) if chosen in (ALL, run.data_name)]
    return sorted(kept, key=lambda run: names.index(run.data_name))


def pick_run(runs: Sequence[Run]) -> Run:
    names = [run.name for run in runs]
    check_link("run", names.__contains__, f"there is no such run; there are {', '.join(names)}")
    name = st.selectbox("Run", names, index=names.index(_first(runs).name), key="run", bind="query-params")
    return runs[names.index(name)]


def _first(runs: Sequence[Run]) -> Run:
    """Good pictures at once: the best of the largest pictures that obey a class."""
    return max(best_first(runs), key=lambda r: (r.conditional, r.config.image_size * r.config.channels))


def pick_comparison(run: Run, runs: Sequence[Run]) -> list[Run]:
    """Further runs of the same data set, shown at the same seeds and classes."""
    subject = (run.data_name, run.classes)  # folders of one name may hold other classes
    others = {r.name: r for r in runs if (r.data_name, r.classes) == subject and r.name != run.name}
    if not others:
        return []
    check_link_list("compare", others)
    names = st.multiselect(
        "Compare with", list(others), key="compare", bind="query-params", placeholder="Runs of the same data"
    )
    return [others[name] for name in names]


def pick_class(run: Run, *, key: str = "class", label: str = "Class", default: int = 0) -> int:
    """The index of one of the run's classes."""
    model = model_of(run)
    names = _class_names(run, model)
    check_link(key, names.__contains__, f"{run.name} has no such class; it has {', '.join(names)}")
    return names.index(_pick_word(label, names, names[default], key=key))


def pick_classes(run: Run) -> tuple[int, ...]:
    """One class or all as rows; () with the reason where the model obeys none."""
    model = model_of(run)
    if not model.conditional:
        st.caption(
            f":material/info: {run.name} is unconditional: it learned without classes, so none can be asked for."
        )
        return ()
    everything = st.toggle("All classes, one row each", key="all", bind="query-params")
    if everything:
        return tuple(range(model.config.num_classes))
    return (pick_class(run),)


def _class_names(run: Run, model: GenerativeModel) -> list[str]:
    return list(run.classes) or [str(i) for i in range(model.config.num_classes)]


def pick_seed(*, key: str = "seed", label: str = "Seed", default: int = 0) -> int:
    """A slider for the first thousand seeds over a field for any."""
    slider_key = f"{key}_slider"

    def slide() -> None:
        st.session_state[key] = st.session_state[slider_key]

    check_link(key, _is_seed, f"seeds are whole numbers from 0 to {SEED_LIMIT - 1}")
    slot = st.container()
    seed = st.number_input(
        f"{label}, exactly",
        min_value=0,
        max_value=SEED_LIMIT - 1,
        value=default,
        step=1,
        key=key,
        bind="query-params",
        help=f"Any whole number from 0 to {SEED_LIMIT - 1}. The same seed is the same picture everywhere.",
    )
    st.session_state[slider_key] = min(seed, SLIDER_SEEDS - 1)
    slot.slider(label, 0, SLIDER_SEEDS - 1, key=slider_key, on_change=slide)
    return int(seed)


def pick_seeds(rows: int) -> tuple[int, ...]:
    """Consecutive seeds from a first one; ``rows`` classes share the seeds."""
    first = pick_seed(label="Seed" if rows <= 1 else "First seed")
    counts = [n for n in COUNTS if n * max(rows, 1) <= 256] or COUNTS[:1]
    default = min(16 if rows <= 1 else 8, counts[-1])
    text = "Images" if rows <= 1 else "Images per class"
    check_link("n", list(map(str, counts)).__contains__, f"it can be {', '.join(map(str, counts))}")
    count = st.select_slider(text, counts, value=default, key="n", bind="query-params")
    return tuple(range(first, min(first + count, SEED_LIMIT)))


def same_for(
    others: Sequence[Run], classes: tuple[int, ...], seeds: tuple[int, ...], options: dict[str, Any]
) -> list[SampleRequest]:
    """The same request to other runs, each as far as it can follow."""
    requests = []
    for other in others:
        followed = classes if other.conditional else ()
        # Options of one name may have other bounds there.
        fitting = {o.name for o in model_of(other).options if o.name in options and _parses(o, options[o.name])}
        requests.append(SampleRequest(other, followed, seeds, {k: v for k, v in options.items() if k in fitting}))
    return requests


def pick_walk(run: Run) -> InterpolationRequest:
    """Both ends of an interpolation, and how to get from one to the other."""
    conditional = model_of(run).conditional
    same = st.sidebar.toggle("Same seed at both ends", key="same_seed", bind="query-params")
    start, end = st.columns(2, gap="large")
    with start:
        st.subheader("From", anchor=False)
        label_a = pick_class(run, key="class_a") if conditional else 0
        seed_a = pick_seed(key="seed_a")
    with end:
        st.subheader("To", anchor=False)
        label_b = pick_class(run, key="class_b", default=1) if conditional else 0
        seed_b = seed_a if same else pick_seed(key="seed_b", default=1)
    with st.sidebar:
        check_link("frames", lambda text: 2 <= (parse_int(text) or 0) <= 64, "it goes from 2 to 64")
        frames = st.slider("Frames", 2, 64, 24, key="frames", bind="query-params")
        space, path = _pick_way(model_of(run).spaces)
        options = pick_options(run)
    classes = (label_a, label_b) if conditional else None
    return InterpolationRequest(run, (seed_a, seed_b), classes, frames, path, space, options)


def _pick_way(spaces: Mapping[str, str]) -> tuple[str, str]:
    """The space that is walked through, and the kind of path."""
    space = next(iter(spaces))
    if len(spaces) > 1:
        check_link("space", spaces.__contains__, f"it can be {' or '.join(spaces)}")
        choice = st.segmented_control(
            "Space",
            list(spaces),
            default=list(spaces)[-1],
            required=True,
            key="space",
            bind="query-params",
            help="z is what seeds draw; w are the styles made of it, where a straight line changes evenly.",
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


def pick_options(run: Run) -> dict[str, Any]:
    """One control per option that the model declares, but for those that would do nothing yet."""
    chosen: dict[str, Any] = {}
    defaults = {o.name: o.default for o in model_of(run).options}
    for o in model_of(run).options:
        if not o.needs or chosen[o.needs] != defaults[o.needs]:
            chosen[o.name] = o.parse(_control(o))
    return chosen


def pick_stages(run: Run, options: dict[str, Any]) -> bool:
    """Whether to show how the pictures come about; not asked where the model makes them at once."""
    if not has_stages(run, options):
        return False
    return st.toggle(
        "Show the stages", key="stages", bind="query-params", help="How the model makes its pictures, step by step."
    )


def _pick_word(label: str, words: list[str], default: str, *, key: str, help: str | None = None) -> str:
    if st.session_state.get(key, default) not in words:  # another run's, which Streamlit would leave in the URL
        del st.session_state[key]
    return str(st.select_slider(label, words, default, key=key, bind="query-params", help=help))


def _control(o: Option) -> Any:
    label = o.name.replace("_", " ").capitalize()
    common: dict[str, Any] = {"key": o.name, "help": o.help, "bind": "query-params"}
    if o.default is None and o.kind != "seed":
        words = [FROM_SEED, *(o.choices or _values(o))]
        check_link(o.name, words.__contains__, f"it can be {FROM_SEED} or {_allowed(o)}")
        return _pick_word(label, words, FROM_SEED, key=o.name, help=o.help)
    check_link(o.name, lambda text: _parses(o, text), "that is not a value it can have")
    if o.kind == "choice":
        return st.selectbox(label, list(o.choices), index=o.choices.index(o.default), **common)
    if o.kind == "seed":
        return st.number_input(label, 0, SEED_LIMIT - 1, o.default, **common)
    cast: Callable[[float], float] = int if o.kind == "int" else float
    low, high, step = map(cast, _range(o))
    return st.slider(label, low, high, cast(o.default), step, **common)


def _range(o: Option) -> tuple[float, float, float]:
    """Lowest and highest value of a number, and the step between two."""
    return o.min or 0, 1 if o.max is None else o.max, o.step or (1 if o.kind == "int" else 0.01)


def _values(o: Option) -> list[str]:
    """All values of a number, in words free of float noise."""
    low, high, step = _range(o)
    count = int((high - low) / step + 1e-9) + 1
    return [format_option(round(low + i * step, 9) + 0.0) for i in range(count)]  # + 0.0: no "-0"


def _allowed(o: Option) -> str:
    """Its values in words."""
    if o.choices:
        return ", ".join(o.choices)
    low, high, step = map(format_option, map(float, _range(o)))
    return f"{low} to {high} in steps of {step}"


def _parses(o: Option, text: Any) -> bool:
    try:
        o.parse(text)
    except GanlibError:
        return False
    return True


def _is_seed(text: str) -> bool:
    number = parse_int(text)
    return number is not None and number < SEED_LIMIT
