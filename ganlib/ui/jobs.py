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
from ganlib.ui.catalog import generates, runs

COUNTS = (1_000, 5_000, 10_000, 50_000)
LOOK = 1.0  # seconds between two looks at a process
SHARE = re.compile(r"  +(\d+)%(?:  |$)")  # as progress lines have it; a result may be a percentage too


class Asked(NamedTuple):
    """What is to be measured."""

    names: list[str]
    metrics: list[str]
    n: int


class Job:
    """``python -m ganlib …`` and what it says."""

    def __init__(self, asked: Asked, arguments: Sequence[str]) -> None:
        self.asked, self.stopped = asked, False
        handle, path = tempfile.mkstemp(prefix="ganlib-", suffix=".log")
        self._said = Path(path)
        with os.fdopen(handle, "wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ganlib", *arguments],
                stdout=said,
                stderr=subprocess.STDOUT,
                env=child_environment(progress=LOOK),
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
        self._said.unlink(missing_ok=True)

    def lines(self) -> list[str]:
        return self._said.read_text(encoding="utf-8", errors="replace").splitlines()

    @property
    def progress(self) -> tuple[float, str]:
        """Share of the present step, and the process's own words."""
        said = next((line for line in reversed(self.lines()) if SHARE.search(line)), "")
        found = SHARE.search(said)
        return (int(found[1]) / 100 if found else 0.0), said or "starting …"


class Jobs:
    def __init__(self) -> None:
        self.latest: Job | None = None
        self._starting = Lock()

    def start(self, asked: Asked, arguments: Sequence[str]) -> None:
        """Nothing while another job runs: two would only share the processor."""
        with self._starting:
            if self.latest is None or not self.latest.running:
                self.latest = Job(asked, arguments)


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    return Jobs()


def evaluate_now(missing: Sequence[str], n: int | None = None) -> None:
    """A form in the sidebar that measures runs; ``missing`` are those without a score, n the images of those shown."""
    with st.sidebar.expander("Evaluate runs", icon=":material/calculate:", expanded=jobs().latest is not None):
        known = {run.name: run for run in runs(generates)}
        job = jobs().latest
        if job is not None and job.running:
            st.fragment(_follow, run_every=LOOK)(job)
            return
        if job is not None:
            _outcome(job)
        usual = EvaluationConfig()
        default = Asked(list(missing[:1]), list(usual.metrics), n or usual.n)
        if job is not None and (job.stopped or job.failed):
            default = job.asked  # to be gone on with
        asked = Asked(
            st.multiselect("Runs to measure", list(known), [name for name in default.names if name in known]),
            st.multiselect("Metrics to measure", list(GROUPS), default.metrics, format_func=group_label),
            st.select_slider("Images to generate", sorted({*COUNTS, default.n}), default.n, format_func="{:,}".format),
        )
        st.button(
            "Evaluate",
            icon=":material/play_circle:",
            disabled=not (asked.names and asked.metrics),
            on_click=lambda: _start(asked, [known[name] for name in asked.names]),
        )


def group_label(group: str) -> str:
    """ "prc" -> "Precision, recall"."""
    first, *others = (METRICS[name].label for name in GROUPS[group])
    return ", ".join([first, *map(str.lower, others)])


def _start(asked: Asked, chosen: Sequence[Run]) -> None:
    paths = [str(run.path.resolve()) for run in chosen]
    device = str(st.session_state.get("device", "auto"))
    jobs().start(asked, ["evaluate", *paths, "--metrics", *asked.metrics, "--n", str(asked.n), "--device", device])


def _follow(job: Job) -> None:
    if not job.running:
        st.rerun()
    share, words = job.progress
    st.progress(share, words)
    st.button("Stop", icon=":material/stop_circle:", on_click=job.stop, key="stop_job")
    st.caption("It goes on while you look at other pages.")


def _outcome(job: Job) -> None:
    what = ", ".join(job.asked.names)
    reasons = [line.removeprefix("ganlib: ") for line in job.lines() if line.startswith("ganlib: ")]
    if job.stopped:
        st.info(f"Stopped measuring {what}. Evaluated again, it goes on from there.")
    elif job.failed:
        counted = bool(reasons) and reasons[-1].startswith("Not evaluated")  # how evaluate ends after several runs
        each = reasons[:-1] if counted else reasons
        said = " ".join(each) or (job.lines() or ["It ended without a word."])[-1]
        st.error(said, icon=":material/error:")
        if counted and len(each) < len(job.asked.names):
            st.info("The other runs were measured.")
    else:
        st.success(f"Measured {what}.")
