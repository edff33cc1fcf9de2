"""Inputs of one target, one after the other, in this process."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import traceback
from collections import Counter
from contextlib import suppress
from pathlib import Path

from benchmarks.fuzzing.corpus import Files
from benchmarks.fuzzing.guard import MEMORY, Guard
from benchmarks.fuzzing.targets import Target
from ganlib.errors import GanlibError

SECONDS = 5.0  # of processor time for one input
PROJECT = str(Path(__file__).parents[2])


class Worker:
    def __init__(self, target: Target, seed: int, folder: Path, guard: Guard) -> None:
        self.target, self.seed, self.root, self.guard = target, seed, folder, guard
        self.counts: Counter[str] = Counter()
        self.slowest = 0.0
        self._written: Files = {}  # what lies in the folder

    def warm_up(self) -> None:
        """Reads the undamaged files: what libraries load or look up once is of no input."""
        for files in self.target.undamaged:
            folder = self._write(files)
            with self.guard.watching(), suppress(GanlibError):
                self.target.read(folder)

    def _write(self, files: Files) -> Path:
        """Only what differs from the input before, unless its reader has written, too."""
        folder = self.root / "input" / ("run" if self.target.name != "queue-state" else ".queue")
        if self.guard.wrote or self._written.keys() != files.keys():
            for path in (folder.parent, self.root / "cache"):
                shutil.rmtree(path, ignore_errors=True)
            self._written = {}
        for name, content in files.items():
            if self._written.get(name) is not content:
                _replace(folder / name, content)
        self._written = files
        return folder

    def try_input(self, number: int) -> str:
        """The fault that an input brings to light, or ""."""
        folder = self._write(self.target.files(number, self.seed))
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
        return fault


def _replace(path: Path, content: bytes) -> None:
    """By a new file: the old one may still be mapped into memory."""
    try:
        path.unlink(missing_ok=True)
        path.write_bytes(content)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


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
