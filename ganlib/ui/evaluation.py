"""The form that measures runs, in the sidebar of the FID page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from ganlib.metrics.config import EvaluationConfig
from ganlib.records import GROUPS, METRICS
from ganlib.runs import Run
from ganlib.settings import read_only
from ganlib.ui.catalog import generates, runs, usual_scores
from ganlib.ui.jobs import Job, draw_progress, jobs
from ganlib.ui.markup import plain

COUNTS = (1_000, 5_000, 10_000, 50_000)


class EvaluationRequest(NamedTuple):
    """What is to be measured."""

    names: list[str]
    metrics: list[str]
    n: int


def draw_evaluation_form(missing: Sequence[str], n: int | None = None) -> None:
    """A form in the sidebar that measures runs; ``missing`` are those without a score, n the images of those shown."""
    if read_only():
        return
    with st.sidebar.expander("Evaluate runs", icon=":material/calculate:", expanded=jobs().latest is not None):
        by_name = {run.name: run for run in runs(generates)}
        job = jobs().latest
        if job is not None and job.running:
            draw_progress(job)
            return
        if job is not None and not isinstance(job.request, EvaluationRequest):
            job = None
        if job is not None:
            _draw_outcome(job)
        config = EvaluationConfig()
        default = EvaluationRequest(list(missing[:1]), list(config.metrics), n or config.n)
        if job is not None and (job.stopped or job.failed):
            default = job.request  # to be gone on with
        names = st.multiselect("Runs to measure", list(by_name), [name for name in default.names if name in by_name])
        metrics = st.multiselect("Metrics to measure", list(GROUPS), default.metrics, format_func=group_label)
        count = usual_count([by_name[name] for name in names]) or default.n
        n = st.select_slider("Images to generate", sorted({*COUNTS, count}), count, format_func="{:,}".format)
        request = EvaluationRequest(names, metrics, n)
        st.button(
            "Evaluate",
            icon=":material/play_circle:",
            disabled=not (request.names and request.metrics),
            on_click=lambda: _start(request, [by_name[name] for name in request.names]),
        )


def usual_count(chosen: Sequence[Run]) -> int | None:
    """Of how many images the runs of the first one's data set are measured; None where none is."""
    scores = usual_scores()
    if not chosen:
        return None
    alike = {run.name for run in runs() if run.data_name == chosen[0].data_name}
    counts = scores.n_fake[(scores.metric == "fid") & scores.run.isin(alike)]
    return int(counts.iloc[0]) if len(counts) else None


def group_label(group: str) -> str:
    """ "prc" -> "Precision, recall"."""
    first, *others = (METRICS[name].label for name in GROUPS[group])
    return ", ".join([first, *map(str.lower, others)])


def _start(request: EvaluationRequest, runs: Sequence[Run]) -> None:
    paths = [str(run.path.resolve()) for run in runs]
    device = str(st.session_state.get("device", "auto"))
    options = ["--metrics", *request.metrics, "--n", str(request.n), "--device", device]
    jobs().start(request, ["evaluate", *paths, *options])


def _draw_outcome(job: Job) -> None:
    names = ", ".join(job.request.names)
    reasons = job.errors
    if job.stopped:
        st.info(f"Stopped measuring {plain(names)}. Evaluated again, it goes on from there.")
    elif job.failed:
        several = bool(reasons) and reasons[-1].startswith("Not evaluated")  # the last line after several runs
        failures = reasons[:-1] if several else reasons
        message = " ".join(failures) or job.failure
        st.error(plain(message), icon=":material/error:")
        if several and len(failures) < len(job.request.names):
            st.info("The other runs were measured.")
    else:
        st.success(f"Measured {plain(names)}.")
