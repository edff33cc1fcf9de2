"""Starts a comparison of balancing methods as a process, follows it, and says how it ended."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import streamlit as st

from ganlib.applications.balancing.balance import LEAST
from ganlib.applications.balancing.config import FILLING, METHODS, WITH_GENERATOR, BalanceConfig
from ganlib.applications.balancing.place import default_folder
from ganlib.applications.balancing.treatments import missing
from ganlib.config import flags
from ganlib.data import display_name
from ganlib.figures.balancing import LABELS
from ganlib.runs import Run
from ganlib.settings import read_only
from ganlib.ui.balancing_data import Chosen, pick_data, pick_generator
from ganlib.ui.balancing_results import RESULT
from ganlib.ui.jobs import Job, draw_progress, jobs
from ganlib.ui.markup import plain
from ganlib.ui.stored_results import result_id

RATIOS = (0.5, 1.0, 2.0, 4.0)
TRAIN_IMAGES = BalanceConfig.train_images  # that each classifier sees


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
        chosen = pick_data()
        if chosen is None:
            return
        generator = pick_generator(chosen)
        config = _pick_config(chosen, generator)
        reason = _why_not(chosen, config)
        if reason:
            st.caption(plain(reason))
        st.button(
            "Compare",
            icon=":material/play_circle:",
            disabled=bool(reason),
            on_click=lambda: _start(chosen, generator, config),
        )


def _is_own(job: Job | None) -> bool:
    return job is not None and isinstance(job.request, BalanceRequest)


def _pick_config(chosen: Chosen, generator: Run | None) -> BalanceConfig:
    known = [method for method in METHODS if generator or method not in WITH_GENERATOR]
    methods = st.multiselect(
        "Methods", known, known, key="methods" if generator else "plain_methods", format_func=LABELS.__getitem__
    )
    equal = chosen.equal
    ratios = st.multiselect(
        "Filled up to, in times of the largest class",
        RATIOS,
        [2.0 if equal else 1.0],
        key="equal_ratios" if equal else "ratios",
        format_func="{:g}".format,
    )
    seeds = st.slider("Seeds", 2, 10, 3, key="balance_seeds")
    config = BalanceConfig(
        methods=tuple(methods) or tuple(known),
        ratios=tuple(ratios) or (1.0,),
        seeds=seeds,
        train_images=TRAIN_IMAGES,
    )
    return _pick_filters(config) if "filtered" in config.methods else config


def _pick_filters(config: BalanceConfig) -> BalanceConfig:
    with st.popover("Filters of generated images", icon=":material/filter_alt:"):
        confidence = st.slider(
            "Least confidence of a classifier of the real images",
            *(0.0, 1.0, config.min_confidence, 0.05),
            key="min_confidence",
        )
        distance = st.slider(
            "Least distance to a training image",
            *(0.0, 0.9, config.min_distance, 0.05),
            key="min_distance",
            help="The share of test images that lie as near to a training image; 0 leaves no image out.",
        )
    return replace(config, min_confidence=confidence, min_distance=distance)


def _why_not(chosen: Chosen, config: BalanceConfig) -> str:
    counts = np.array(chosen.counts)
    if counts.min() < LEAST:
        return f"The class {chosen.classes[int(counts.argmin())]} has no training image; choose other counts."
    filling = any(method in FILLING for method in config.methods)
    if filling and not missing(counts, max(config.ratios)).any():
        return "Nothing is missing at this ratio: choose a higher one."
    return ""


def _start(chosen: Chosen, generator: Run | None, config: BalanceConfig) -> None:
    words = ["balance", chosen.name, *flags(config)]
    words += ["--generator", str(generator.path.resolve())] if generator else []
    words += ["--device", str(st.session_state.get("device", "auto"))]
    result = result_id(default_folder(chosen.name, generator, config))
    jobs().start(BalanceRequest(chosen.shown or display_name(chosen.name), result), words)


def _draw_outcome(job: Job) -> None:
    request: BalanceRequest = job.request
    if job.stopped:
        st.info(
            f"Stopped comparing on {plain(request.title)}. Compared again with the same choices, it goes on from there."
        )
    elif job.failed:
        st.error(plain(job.failure))
    else:
        st.success(f"Compared on {plain(request.title)}.")
        if not request.seen:
            job.request = request._replace(seen=True)
            st.query_params[RESULT] = request.result
            st.rerun()
