"""Work of minutes: a process of its own, one at a time, that every session sees, follows and may stop.

It outlives a change of page and a closed browser; it ends with the server.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

import streamlit as st

from ganlib.files import make_scratch_folder
from ganlib.settings import child_environment, require_writable
from ganlib.ui.markup import plain

POLL_SECONDS = 1.0  # between two polls of a process
PERCENT = re.compile(r"  +(\d+)%(?:  |$)")  # of a progress line; a result may be a percentage too


class Job:
    """``python -m ganlib …`` and its output. ``request``: what was wanted, for the page that asked for it."""

    def __init__(self, request: Any, arguments: Sequence[str]) -> None:
        self.request, self.stopped = request, False
        self._folder, self._lock = make_scratch_folder(Path(tempfile.gettempdir()), "ganlib-job-")
        self._output = self._folder / "output.log"
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ganlib", *arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=child_environment(progress=POLL_SECONDS),
            )
        atexit.register(self.discard)

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

    def discard(self) -> None:
        """Ends it, and its output goes."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        atexit.unregister(self.discard)

    def lines(self) -> list[str]:
        return self._output.read_text(encoding="utf-8", errors="replace").splitlines()

    @property
    def errors(self) -> list[str]:
        """What ganlib said against it."""
        return [line.removeprefix("ganlib: ") for line in self.lines() if line.startswith("ganlib: ")]

    @property
    def failure(self) -> str:
        """Why it failed: what ganlib said, else its last line."""
        return " ".join(self.errors) or (self.lines() or ["It ended without any output."])[-1]

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

    def start(self, request: Any, arguments: Sequence[str]) -> None:
        """Nothing while another job runs: two would only share the processor. GanlibError on a read-only server."""
        require_writable()
        with self._starting:
            if self.latest is None or not self.latest.running:
                before, self.latest = self.latest, Job(request, arguments)
                if before:
                    before.discard()


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    return Jobs()


def draw_progress(job: Job) -> None:
    """Of a running job, with a button that stops it; the page is drawn again when it ends."""
    st.fragment(_draw_progress, run_every=POLL_SECONDS)(job)


def _draw_progress(job: Job) -> None:
    if not job.running:
        st.rerun()
    fraction, line = job.progress
    st.progress(fraction, plain(line))
    st.button("Stop", icon=":material/stop_circle:", on_click=job.stop, key="stop_job")
    st.caption("It goes on while you look at other pages.")
