"""Inputs of one target, in a process of its own: ``worker TARGET FIRST LAST SEED SECONDS FILE``.

After each input it writes into FILE how far it is: what kills it, or takes too long, is known by that. A fault is one
line of JSON on the standard output, the sums of all the last one.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.fuzzing.corpus import Files
from benchmarks.fuzzing.guard import MEMORY, Guard, limit_memory
from benchmarks.fuzzing.targets import TARGETS, Target, write_files
from ganlib.errors import GanlibError

SECONDS = 5.0  # of processor time for one input
MAIN = "benchmarks.fuzzing.worker"
PROJECT = str(Path(__file__).parents[2])


class Worker:
    def __init__(self, target: Target, seed: int, folder: Path, guard: Guard) -> None:
        self.target, self.seed, self.root, self.guard = target, seed, folder, guard
        self.counts: Counter[str] = Counter()
        self.slowest = 0.0

    def warm_up(self) -> None:
        """Reads the undamaged files: what libraries load or look up once is of no input."""
        for files in self.target.undamaged:
            folder = self._write(files)
            with suppress(GanlibError):
                self.target.read(folder)

    def _write(self, files: Files) -> Path:
        """OSError for a name that no file can have."""
        folder = self.root / "input" / ("run" if self.target.name != "queue-state" else ".queue")
        shutil.rmtree(folder.parent, ignore_errors=True)
        write_files(folder, files)
        return folder

    def try_input(self, number: int) -> dict[str, Any] | None:
        """The fault that an input brings to light, if any."""
        try:
            folder = self._write(self.target.files(number, self.seed))
        except OSError:
            return None
        fault, start = "", time.process_time()
        with self.guard.watching():
            try:
                self.target.read(folder)
                self.counts["read"] += 1
            except GanlibError as error:
                self.counts["refused"] += 1
                fault = _fault_of_sentence(error)
            except BaseException as error:
                if isinstance(error, (KeyboardInterrupt, SystemExit)):
                    raise
                fault = _describe(error)
        seconds = time.process_time() - start
        self.slowest = max(self.slowest, seconds)
        if seconds > SECONDS:
            fault = f"took {seconds:.1f} seconds"
        if self.guard.violations:
            fault = f"not allowed: {self.guard.violations[0].replace(str(self.root), 'ROOT')}"
        return {"number": number, "fault": fault} if fault else None


def sandbox(folder: Path) -> None:
    """Caches and temporary files, too, belong into the folder."""
    os.environ["GANLIB_CACHE"] = str(folder / "cache")
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)


def _fault_of_sentence(error: GanlibError) -> str:
    """Of an answer that is none: several lines, or out of memory below."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, MemoryError) or "allocate memory" in str(inner):
            return f"took more than {MEMORY >> 20} MB: {_describe(inner)}"
        inner = inner.__cause__ or inner.__context__
    return f"several lines: {error!r}"[:300] if "\n" in str(error) else ""


def _describe(error: BaseException) -> str:
    """Type and message, and the innermost line of this project that it came through."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(PROJECT)]
    own = [frame for frame in frames if "/ganlib/" in frame.filename] or frames
    place = f" at {os.path.relpath(own[-1].filename, PROJECT)}:{own[-1].lineno}" if own else ""
    return f"{type(error).__name__}{place}: {' '.join(str(error).split())[:160]}"


def main(name: str, first: int, last: int, seed: int, seconds: int, progress: Path) -> None:
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="ganlib-fuzzing-", dir=base))
    sandbox(folder)
    worker = Worker(TARGETS[name], seed, folder, Guard(folder))
    warnings.simplefilter("ignore")
    try:
        worker.warm_up()
        limit_memory()
        end = time.monotonic() + seconds
        with progress.open("r+b", buffering=0) as file:
            for number in range(first, last):
                if time.monotonic() > end:
                    break
                file.seek(0)
                file.write(number.to_bytes(8, "little"))
                if fault := worker.try_input(number):
                    print(json.dumps(fault), flush=True)
        print(json.dumps({"counts": worker.counts, "slowest": worker.slowest}), flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    first, last, seed, seconds = map(int, sys.argv[2:6])
    main(sys.argv[1], first, last, seed, seconds, Path(sys.argv[6]))
