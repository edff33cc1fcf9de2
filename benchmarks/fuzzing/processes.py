"""A part of a target's inputs in a forked process, watched from outside: what kills it, or takes too long, is known.

The parent has imported and built everything before it forks, so that a part costs no start.
"""

from __future__ import annotations

import gc
import mmap
import os
import re
import signal
import tempfile
import time
import traceback
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import torch

from benchmarks.fuzzing.guard import Guard, limit_memory
from benchmarks.fuzzing.targets import Target
from benchmarks.fuzzing.worker import Worker, sandbox
from ganlib.files import scratch_folder

HANGS = 30.0  # seconds of processor time without progress
STARTS = 600.0  # seconds in which a process goes on at all, on a machine that may be busy
POLL = 0.05  # seconds
NONE = 2**64 - 1  # no input was begun
LISTED = 20  # inputs of one fault
MEMORY_FOLDER = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else Path(tempfile.gettempdir())


@dataclass
class Outcome:
    """Of a range of inputs; ``faults``: the first inputs of each kind."""

    inputs: int = 0
    read: int = 0
    refused: int = 0
    slowest: float = 0.0  # seconds of processor time
    faults: dict[str, list[int]] = field(default_factory=dict)

    def add(self, fault: str, number: int) -> None:
        """Faults that differ in a name or a number count as one."""
        numbers = self.faults.setdefault(re.sub(r"'[^']*'|\btmp\w+|(?<!:)\d+", "…", fault), [])
        if number not in numbers and len(numbers) < LISTED:
            numbers.append(number)

    def merge(self, other: Outcome) -> None:
        self.inputs += other.inputs
        self.read += other.read
        self.refused += other.refused
        self.slowest = max(self.slowest, other.slowest)
        for fault, numbers in other.faults.items():
            for number in numbers:
                self.add(fault, number)


class Progress:
    """Numbers that two processes see."""

    def __init__(self) -> None:
        self._values = memoryview(mmap.mmap(-1, 4 * 8)).cast("Q")
        self._values[0] = NONE

    def write(self, number: int, worker: Worker) -> None:
        counts = worker.counts
        self._values[:] = memoryview(
            b"".join(
                value.to_bytes(8, "little")
                for value in (number, counts["read"], counts["refused"], int(worker.slowest * 1e6))
            )
        ).cast("Q")

    def read(self) -> tuple[int, int, int, float]:
        number, read, refused, slowest = self._values
        return number, read, refused, slowest / 1e6


def fuzz(target: Target, inputs: range, seed: int, seconds: float) -> Outcome:
    """A process that dies or hangs is a fault of its input, and the next goes on behind it."""
    torch.set_num_threads(1)  # several would not survive a fork
    _ = target.undamaged
    outcome, first, end = Outcome(), inputs.start, time.monotonic() + seconds
    while first < inputs.stop and (left := end - time.monotonic()) > 0:
        with scratch_folder(MEMORY_FOLDER, "ganlib-fuzzing-") as folder:
            first = _run(target, range(first, inputs.stop), seed, left, folder, outcome)
    outcome.inputs = first - inputs.start
    return outcome


def _run(target: Target, inputs: range, seed: int, seconds: float, folder: Path, outcome: Outcome) -> int:
    """The input to go on with."""
    progress = Progress()
    with tempfile.TemporaryFile("w+b") as faults, tempfile.TemporaryFile("w+b") as errors:
        child = os.fork()
        if not child:
            _work(target, inputs, seed, seconds, folder, progress, faults, errors)
        status = _wait(child, progress)
        number, read, refused, slowest = progress.read()
        faults.seek(0)
        for line in faults.read().decode().splitlines():
            at, _, fault = line.partition(" ")
            outcome.add(fault, int(at))
        errors.seek(0)
        error = " ".join(errors.read().decode(errors="replace").split())[-160:]
    outcome.merge(Outcome(0, read, refused, slowest))
    if status == 0:
        return number + 1 if number != NONE else inputs.start
    if number == NONE:
        outcome.add(f"it did not start: {error}", inputs.start)
        return inputs.stop
    reason = f"died by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    outcome.add(f"{reason}: {error}", number)
    return number + 1


def _work(
    target: Target,
    inputs: range,
    seed: int,
    seconds: float,
    folder: Path,
    progress: Progress,
    faults: BinaryIO,
    errors: BinaryIO,
) -> None:
    """In the child, which it ends."""
    code = 1
    try:
        for stream in (1, 2):
            os.dup2(errors.fileno(), stream)
        sandbox(folder)
        worker = Worker(target, seed, folder, Guard(folder))
        warnings.simplefilter("ignore")
        worker.warm_up()
        limit_memory()
        gc.collect()
        gc.freeze()
        end = time.monotonic() + seconds
        for number in inputs:
            if time.monotonic() > end:
                break
            progress.write(number, worker)
            if fault := worker.try_input(number):
                faults.write(f"{number} {fault}\n".encode(errors="replace"))
                faults.flush()
            progress.write(number, worker)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _wait(child: int, progress: Progress) -> int:
    """Its exit status; negative the signal that ended it."""
    number, since, used = NONE, time.monotonic(), 0.0
    try:
        while True:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                child = 0
                return os.waitstatus_to_exitcode(status)
            time.sleep(POLL)
            if (now := progress.read()[0]) != number:
                number, since, used = now, time.monotonic(), _processor_seconds(child)
            elif _processor_seconds(child) - used > HANGS or time.monotonic() - since > STARTS:
                os.kill(child, signal.SIGKILL)
    finally:
        if child:  # interrupted
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _processor_seconds(process: int) -> float:
    """That a process has used so far; 0 where it has ended, or the system does not say."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
