"""Work of minutes: a process of its own, one at a time, that every session sees, follows and may stop.

It outlives a change of page and a closed browser; it ends with the server.
"""

from __future__ import annotations

import atexit
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import streamlit as st

from ganlib.metrics.config import EvaluationConfig
from ganlib.records import GROUPS, METRICS
from ganlib.runs import Run
from ganlib.settings import child_environment
from ganlib.ui.catalog import generates, runs, usual_scores
from ganlib.ui.markup import plain

COUNTS = (1_000, 5_000, 10_000, 50_000)
POLL_SECONDS = 1.0  # between two polls of a process
PERCENT = re.compile(r"  +(\d+)%(?:  |$)")  # of a progress line; a result may be a percentage too


class EvaluationRequest(NamedTuple):
    """What is to be measured."""

    names: list[str]
    metrics: list[str]
    n: int


class Job:
    """``python -m ganlib …`` and its output."""

    def __init__(self, request: EvaluationRequest, arguments: Sequence[str]) -> None:
        self.request, self.stopped = request, False
        handle, path = tempfile.mkstemp(prefix="ganlib-", suffix=".log")
        self._output = Path(path)
        with os.fdopen(handle, "wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ganlib", *arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=child_environment(progress=POLL_SECONDS),
            )
        atexit.register(self._end)

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def failed(self) -> bool:
        return bool(self._process.poll()) and not self.stopped

    def stop(self) -> None:
        if self.running:
            self.stopped = True
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(5)

    def _end(self) -> None:
        self.stop()
        self._output.unlink(missing_ok=True)

    def lines(self) -> list[str]:
        return self._output.read_text(encoding="utf-8", errors="replace").splitlines()

    @property
    def progress(self) -> tuple[float, str]:
        """Fraction of the present step that is done, and the process's own line."""
        line = next((line for line in reversed(self.lines()) if PERCENT.search(line)), "")
        percent = PERCENT.search(line)
        return (int(percent[1]) / 100 if percent else 0.0), line or "starting …"


class Jobs:
    def __init__(self) -> None:
        self.latest: Job | None = None
        self._starting = Lock()

    def start(self, request: EvaluationRequest, arguments: Sequence[str]) -> None:
        """Nothing while another job runs: two would only share the processor."""
        with self._starting:
            if self.latest is None or not self.latest.running:
                self.latest = Job(request, arguments)


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    return Jobs()


def draw_evaluation_form(missing: Sequence[str], n: int | None = None) -> None:
    """A form in the sidebar that measures runs; ``missing`` are those without a score, n the images of those shown."""
    with st.sidebar.expander("Evaluate runs", icon=":material/calculate:", expanded=jobs().latest is not None):
        by_name = {run.name: run for run in runs(generates)}
        job = jobs().latest
        if job is not None and job.running:
            st.fragment(_draw_progress, run_every=POLL_SECONDS)(job)
            return
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


def _draw_progress(job: Job) -> None:
    if not job.running:
        st.rerun()
    fraction, line = job.progress
    st.progress(fraction, plain(line))
    st.button("Stop", icon=":material/stop_circle:", on_click=job.stop, key="stop_job")
    st.caption("It goes on while you look at other pages.")


def _draw_outcome(job: Job) -> None:
    names = ", ".join(job.request.names)
    reasons = [line.removeprefix("ganlib: ") for line in job.lines() if line.startswith("ganlib: ")]
    if job.stopped:
        st.info(f"Stopped measuring {plain(names)}. Evaluated again, it goes on from there.")
    elif job.failed:
        several = bool(reasons) and reasons[-1].startswith("Not evaluated")  # the last line after several runs
        failures = reasons[:-1] if several else reasons
        message = " ".join(failures) or (job.lines() or ["It ended without any output."])[-1]
        st.error(plain(message), icon=":material/error:")
        if several and len(failures) < len(job.request.names):
            st.info("The other runs were measured.")
    else:
        st.success(f"Measured {plain(names)}.")
