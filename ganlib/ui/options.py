"""A widget for each option that a model declares."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import streamlit as st

from ganlib.errors import GanlibError
from ganlib.models import Option
from ganlib.models.options import FROM_SEED, SEED_LIMIT
from ganlib.runs import Run
from ganlib.sampling.keyframes import morphing
from ganlib.sampling.request import format_option
from ganlib.ui.catalog import generates, load_model, runs
from ganlib.ui.links import check_link, rerun_with
from ganlib.ui.markup import plain

REPORTED = "foreign_options"  # the session's key of whether those of its first link were reported


def pick_options(run: Run, prefix: str = "", without: Collection[str] = ()) -> dict[str, Any]:
    """The values of the model's options, but for those without effect at the values of others.

    ``prefix``: of the widgets' keys and the link's, where a page has the options of two runs. ``without``: names of
    those that the page sets in another way.
    """
    options = load_model(run).options
    if not prefix:
        _report_foreign_options(run, {o.name for o in options})
    defaults = {o.name: o.default for o in options}
    values: dict[str, Any] = {}
    for o in options:
        if o.name in without:
            continue
        if not o.needs or o.needs in without or values[o.needs] != defaults[o.needs]:
            values[o.name] = o.parse(_pick_value(o, prefix + o.name))
    return values


def pick_morphing(run: Run, prefix: str) -> tuple[tuple[str, float], ...]:
    """Values of one key frame's own, of the options that may change along a path."""
    options = [option for option in load_model(run).options if morphing(option)]
    return tuple((option.name, float(option.parse(_pick_value(option, prefix + option.name)))) for option in options)


def _report_foreign_options(run: Run, own: set[str]) -> None:
    """Of the link that a session opens with: a sentence for each option that only other models have."""
    if st.session_state.get(REPORTED):
        return
    others = {o.name for other in runs(generates) for o in getattr(other.blueprint, "options", ())}
    for name in sorted(others - own):
        if name in st.query_params:
            rerun_with(name, [], f"The link asks for {name}, which {run.name} does not have. Leaving it out.")
    st.session_state[REPORTED] = True


def accepts(option: Option, value: Any) -> bool:
    try:
        option.parse(value)
    except GanlibError:
        return False
    return True


def pick_from(label: str, choices: list[str], default: str, *, key: str, help: str | None = None) -> str:
    """A slider over texts; a list where Streamlit would read one of them as Markdown."""
    if st.session_state.get(key, default) not in choices:  # another run's, which Streamlit would leave in the URL
        del st.session_state[key]
    if any(plain(choice) != choice for choice in choices):
        index = choices.index(default)
        return str(st.selectbox(plain(label), choices, index, key=key, bind="query-params", help=help))
    return str(st.select_slider(plain(label), choices, default, key=key, bind="query-params", help=help))


def _pick_value(o: Option, key: str) -> Any:
    label = o.name.replace("_", " ").capitalize()
    common: dict[str, Any] = {"key": key, "help": o.help, "bind": "query-params"}
    if o.default is None and o.kind != "seed":
        choices = [FROM_SEED, *(o.choices or _list_values(o))]
        check_link(key, choices.__contains__, f"it can be {FROM_SEED} or {_describe_values(o)}")
        return pick_from(label, choices, FROM_SEED, key=key, help=o.help)
    check_link(key, lambda text: accepts(o, text), "that is not a value it can have")
    if o.kind == "choice":
        return st.selectbox(plain(label), list(o.choices), index=o.choices.index(o.default), **common)
    if o.kind == "seed":
        return st.number_input(plain(label), 0, SEED_LIMIT - 1, o.default, **common)
    cast: Callable[[float], float] = int if o.kind == "int" else float
    low, high, step = map(cast, _range(o))
    return st.slider(plain(label), low, high, cast(o.default), step, **common)


def _range(o: Option) -> tuple[float, float, float]:
    """Lowest and highest value of a number, and the step between two."""
    return o.min or 0, 1 if o.max is None else o.max, o.step or (1 if o.kind == "int" else 0.01)


def _list_values(o: Option) -> list[str]:
    """All values of a number as texts free of float noise."""
    low, high, step = _range(o)
    count = int((high - low) / step + 1e-9) + 1
    return [format_option(round(low + i * step, 9) + 0.0) for i in range(count)]  # + 0.0: no "-0"


def _describe_values(o: Option) -> str:
    if o.choices:
        return ", ".join(o.choices)
    low, high, step = map(format_option, map(float, _range(o)))
    return f"{low} to {high} in steps of {step}"
