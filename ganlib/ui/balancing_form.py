"""Starts a comparison of balancing methods as a process, follows it, and says how it ended."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from ganlib.applications.balancing.balance import fills_up_classes
from ganlib.applications.balancing.config import METHODS, BalanceConfig
from ganlib.applications.balancing.place import default_folder
from ganlib.config import flags
from ganlib.data import display_name
from ganlib.figures.balancing import LABELS
from ganlib.runs import Run
from ganlib.settings import read_only
from ganlib.ui.balancing_results import RESULT
from ganlib.ui.catalog import quick_first, runs
from ganlib.ui.jobs import Job, draw_progress, jobs
from ganlib.ui.links import linked_selectbox
from ganlib.ui.markup import plain
from ganlib.ui.names import run_labels
from ganlib.ui.stored_results import result_id

RATIOS = (0.5, 1.0, 2.0, 4.0)
IMBALANCES = ("as it is", "10:1", "50:1", "100:1", "10:1-step", "100:1-step", "10", "50", "200")
TRAIN_IMAGES = 40_000  # that each classifier sees, on a page


class BalanceRequest(NamedTuple):
    title: str
    result: str  # its name among the results
    seen: bool = False


def draw_form(*, expanded: bool) -> None:
    """In the sidebar. Once a comparison has ended the page shows it."""
    if read_only():
        return
    job = jobs().latest
    with st.sidebar.expander("New comparison", icon=":material/balance:", expanded=expanded or _is_own(job)):
        if job is not None and job.running:
            draw_progress(job)
            return
        if job is not None and _is_own(job):
            _draw_outcome(job)
        generator = _pick_generator()
        data = _pick_data(generator)
        config = _pick_config()
        st.button(
            "Compare",
            icon=":material/play_circle:",
            on_click=lambda: _start(data, generator, config),
        )


def _is_own(job: Job | None) -> bool:
    return job is not None and isinstance(job.request, BalanceRequest)


def _pick_generator() -> Run:
    """Those that were trained on a subset come first: they know no more than the classifier may."""
    conditional = {run.name: run for run in quick_first(runs(fills_up_classes))}
    order = sorted(conditional.values(), key=lambda run: not run.data_name.startswith("subset:"))
    labels = run_labels(order)
    return conditional[linked_selectbox("Generator", labels, next(iter(labels)), key="generator")]


def _pick_data(generator: Run) -> str:
    """The generator's own data set, or a subset of it."""
    if generator.data_name.startswith("subset:"):
        return generator.data_name
    labels = {name: name if name == IMBALANCES[0] else _describe(generator.data_name, name) for name in IMBALANCES}
    counts = linked_selectbox("Images of each class", labels, IMBALANCES[3], key="imbalance")
    return generator.data_name if counts == IMBALANCES[0] else f"subset:{generator.data_name}@{counts}"


def _describe(data: str, counts: str) -> str:
    if counts.isdecimal():
        return f"{counts} of each"
    ratio, _, step = counts.partition("-")
    return f"{ratio}, {'half of the classes rare' if step else 'falling from class to class'}"


def _pick_config() -> BalanceConfig:
    methods = st.multiselect("Methods", list(METHODS), list(METHODS), key="methods", format_func=LABELS.__getitem__)
    ratios = st.multiselect(
        "Filled up to, in times of the largest class", RATIOS, [1.0], key="ratios", format_func="{:g}".format
    )
    seeds = st.slider("Seeds", 2, 10, 3, key="balance_seeds")
    return BalanceConfig(
        methods=tuple(methods) or BalanceConfig.methods,
        ratios=tuple(ratios) or (1.0,),
        seeds=seeds,
        train_images=TRAIN_IMAGES,
    )


def _start(data: str, generator: Run, config: BalanceConfig) -> None:
    words = ["balance", data, "--generator", str(generator.path.resolve()), *flags(config)]
    words += ["--device", str(st.session_state.get("device", "auto"))]
    result = result_id(default_folder(data, generator, config))
    jobs().start(BalanceRequest(display_name(data), result), words)


def _draw_outcome(job: Job) -> None:
    request: BalanceRequest = job.request
    if job.stopped:
        st.info(f"Stopped comparing on {plain(request.title)}; nothing was stored.")
    elif job.failed:
        st.error(plain(job.failure))
    else:
        st.success(f"Compared on {plain(request.title)}.")
        if not request.seen:
            job.request = request._replace(seen=True)
            st.query_params[RESULT] = request.result
            st.rerun()
