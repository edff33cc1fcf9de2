"""Which stage of which entry runs next. A stage is one process of the command line, ended and repeated at will.

A killed stage is repeated: training goes on from its saved state, halving begins anew, and so does the one evaluation,
of snapshots and weights each a process of its own, that was under way. A training holds
the lock of its run folder, so that one that outlived a killed queue is waited for, never run twice.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from ganlib.errors import GanlibError
from ganlib.files import remove_partial_files
from ganlib.queue.definition import Entry, read_queue
from ganlib.queue.gallery import in_gallery
from ganlib.queue.state import Stage, State, StateFolder
from ganlib.run_folder import RunFolder
from ganlib.runs import Run
from ganlib.settings import child_environment

POLL = 1.0  # seconds between two looks at the processes and the file
PROGRESS = 60.0  # seconds between two lines of a stage's output
ATTEMPTS = 5  # of a stage that makes no progress, before the entry counts as failed
USAGE = 2  # argparse's exit status: no later attempt reads the same arguments otherwise


class Scheduler:
    """Works through ``path`` with up to ``workers`` processes of ``threads`` threads each, runs in ``runs``."""

    def __init__(
        self,
        path: Path,
        runs: Path,
        *,
        workers: int = 1,
        threads: int = 1,
        options: Sequence[str] = (),
        report: Callable[[str], None] = print,
    ) -> None:
        self.path, self.runs, self.workers, self.threads = path, runs, workers, threads
        self.options, self.report = tuple(options), report
        self.states = StateFolder(runs)
        self._read()
        self._modified = path.stat().st_mtime_ns
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def _read(self) -> None:
        self.entries = read_queue(self.path)
        self._in_gallery = {entry.name for entry in self.entries if in_gallery(entry)}

    def run(self, should_stop: Callable[[], bool] = lambda: False) -> None:
        """Until all entries are done or failed. GanlibError where another process works through the same queue."""
        self.states.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.states.path / "queue.lock")
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise GanlibError(f"Another process works through the queue of {self.runs}; stop it first.") from None
        try:
            remove_partial_files(self.states.path)
            for entry in self.entries:  # a new start is a new chance
                if (state := self.state(entry)).failed:
                    self.states.write(entry.name, replace(state, failed=False, failures=0))
            while not should_stop():
                self._collect()
                self._reload()
                self._start()
                if not self._processes and not self._unfinished():
                    return
                time.sleep(POLL)
        finally:
            self._terminate()
            lock.release()

    def state(self, entry: Entry) -> State:
        """What the gallery holds is done, unless it has been begun here as well."""
        if self.from_gallery(entry):
            return State(Stage.DONE)
        state = self.states.read(entry.name).for_entry(entry)
        if state.stage is not Stage.TRAIN and not (self.runs / entry.name).exists():  # deleted, to be trained anew
            return State()
        return state.settled(entry, len(self._snapshots(entry, state)))  # the file may name fewer evaluations by now

    def _snapshots(self, entry: Entry, state: State) -> list[int]:
        """What is evaluated besides the weights; [] where that is not to be done now."""
        if not entry.at or state.stage not in (Stage.TRAIN, Stage.SNAPSHOTS):
            return []
        images, _ = self.progress(entry)
        return RunFolder(self.runs / entry.name).snapshots_near(entry.snapshot_points, images)

    def from_gallery(self, entry: Entry) -> bool:
        return entry.name in self._in_gallery and not (self.runs / entry.name).exists()

    def _unfinished(self) -> list[Entry]:
        """Entries that can still come to something."""
        hopeless = self.hopeless()
        return [e for e in self.entries if e.name not in hopeless and self.state(e).stage is not Stage.DONE]

    def hopeless(self) -> list[str]:
        """Names of the entries that failed, and of those that wait for one of them."""
        names: list[str] = []
        for entry in self.entries:
            state = self.state(entry)
            if state.failed or (state.stage is not Stage.DONE and not entry.prerequisites.isdisjoint(names)):
                names.append(entry.name)
        return names

    def _reload(self) -> None:
        """Entries that were added meanwhile; a file that became wrong is reported once, and the old entries stay."""
        with suppress(OSError):
            modified = self.path.stat().st_mtime_ns
            if modified != self._modified:
                self._modified = modified
                try:
                    self._read()
                except GanlibError as error:
                    self.report(f"{error} The entries read before stay.")

    def _start(self) -> None:
        for entry in self._unfinished():
            if len(self._processes) >= self.workers:
                return
            needed = [other for other in self.entries if other.name in entry.prerequisites]
            if entry.name in self._processes or any(self.state(other).stage is not Stage.DONE for other in needed):
                continue
            if RunFolder(self.runs / entry.name).in_training():  # by a training that outlived an earlier queue
                continue
            self._processes[entry.name] = self._spawn(entry, self.state(entry))

    def _spawn(self, entry: Entry, state: State) -> subprocess.Popen[bytes]:
        self.report(f"{entry.name}: {state.stage}")
        with self.states.output(entry.name).open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "ganlib", *self._arguments(entry, state)],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=child_environment(PROGRESS, self.runs) | {"OMP_NUM_THREADS": str(self.threads)},
                start_new_session=True,  # Ctrl-C goes to the queue, which ends its processes in order
            )
        pass_niceness_on(process.pid)
        return process

    def _arguments(self, entry: Entry, state: State) -> list[str]:
        folder = RunFolder(self.runs / entry.name)
        if state.stage is Stage.HALVE:
            return ["halve", str(folder.path), *self.options]
        if state.stage in (Stage.SNAPSHOTS, Stage.EVALUATE):
            snapshot, number = divmod(state.evaluated, len(entry.evaluations))
            at = str(self._snapshots(entry, state)[snapshot]) if state.stage is Stage.SNAPSHOTS else "final"
            evaluation = entry.evaluations[number]
            if number < len(entry.evaluations) - 1:  # diffusion takes longer to draw the images than to be measured
                evaluation = replace(evaluation, keep_images=True)
            return ["evaluate", str(folder.path), "--at", at, *flags(evaluation), *self.options]
        budget = ["--images", str(entry.images), "--max-minutes", str(entry.max_minutes)]
        if folder.config.exists() and folder.state.exists():
            return ["train", "--resume", str(folder.path), *budget, *self.options]
        if folder.config.exists():  # killed before its first state was saved: nothing is lost
            shutil.rmtree(folder.path)
        given = dict(entry.fields)
        if entry.at:
            given["snapshot_at"] = tuple(sorted({*given.get("snapshot_at", ()), *entry.snapshot_points}))
        values = [argument for key, value in given.items() for argument in flag(key, value)]
        out = ["--data", entry.data, "--out", str(folder.path)]
        start = ["--start", entry.start] if entry.start else []
        return ["train", entry.model, *start, *out, *budget, *values, *self.options]

    def _collect(self) -> None:
        """What the ended processes came to."""
        by_name = {entry.name: entry for entry in self.entries}
        for name, process in list(self._processes.items()):
            if process.poll() is None:
                continue
            del self._processes[name]
            if (entry := by_name.get(name)) is None:  # taken out of the file meanwhile
                continue
            state = self.state(entry)
            succeeded = process.returncode == 0 and (state.stage is not Stage.TRAIN or self._trained(entry))
            snapshots = len(self._snapshots(entry, state))
            state = state.next(entry, snapshots) if succeeded else self._failed(entry, state, process.returncode)
            self.states.write(name, state)
            self.report(f"{name}: {'failed: ' + state.error if state.failed else state.stage}")

    def _trained(self, entry: Entry) -> bool:
        """A training that was asked to stop ends without an error, too."""
        images, seconds = self.progress(entry)
        within_images = bool(entry.images) and images >= entry.images
        return within_images or (entry.max_minutes > 0 and seconds >= 60 * entry.max_minutes)

    def progress(self, entry: Entry) -> tuple[int, float]:
        """Images seen and seconds trained, as far as the run's folder knows."""
        try:
            run = Run(self.runs / entry.name)
            return run.images_seen, run.training_seconds
        except GanlibError:
            return 0, 0.0

    def _failed(self, entry: Entry, state: State, status: int) -> State:
        images, _ = self.progress(entry)
        failures = 1 if images > state.progress else state.failures + 1
        error = self._last_line(entry)
        failed = failures >= ATTEMPTS or status == USAGE
        return replace(state, failures=failures, failed=failed, progress=images, error=error)

    def _last_line(self, entry: Entry) -> str:
        lines = self.states.output(entry.name).read_text(encoding="utf-8", errors="replace").splitlines()
        return lines[-1][:300] if lines else ""

    def _terminate(self) -> None:
        """Ends all processes in order, so that trainings save their state."""
        for process in self._processes.values():
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            process.wait()


def pass_niceness_on(session: int) -> None:
    """To a session of its own: Linux divides processors among sessions first, then by niceness within each."""
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    for _ in range(10 * bool(niceness)):
        try:
            Path(f"/proc/{session}/autogroup").write_text(str(niceness), encoding="ascii")
        except BlockingIOError:  # a user may set one in a tenth of a second
            time.sleep(0.1)
        except OSError:  # a system without autogroups
            return
        else:
            return


def flag(name: str, value: Any) -> list[str]:
    """A field as the command line takes it."""
    dashed = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{dashed}" if value else f"--no-{dashed}"]
    if isinstance(value, tuple):
        return [f"--{dashed}", *map(_text, value)]
    return [f"--{dashed}", _text(value)]


def _text(value: Any) -> str:
    """Without an exponent: argparse takes -1e-05 for the name of an option."""
    return np.format_float_positional(value, trim="0") if isinstance(value, float) else str(value)


def flags(config: Any) -> list[str]:
    """All fields of a config that have a value, as flags."""
    values = ((f.name, getattr(config, f.name)) for f in fields(config))
    return [argument for name, value in values if value is not None for argument in flag(name, value)]
