"""python -m benchmarks.fuzzing: damaged and malicious files for every reader, each target in a process of its own.

    python -m benchmarks.fuzzing --inputs 100000             # all targets; exit status 1 where there is a fault
    python -m benchmarks.fuzzing log-json --inputs 5000 --seed 1
    python -m benchmarks.fuzzing log-json --show 417          # the files of one input, to look into

A fault is what is neither read nor refused in one sentence (``GanlibError``), takes more than 5 s of processor time or
512 MB, opens a file outside the folder that it was given, connects, starts a process, or calls what a pickle names.
What libraries open without Python is not seen.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.fuzzing.worker import MAIN

HANGS = 30.0  # seconds of processor time without progress
STARTS = 600.0  # seconds in which a process has loaded what it needs, or gone on, on a machine that may be busy


@dataclass
class Outcome:
    inputs: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    seconds: float = 0.0
    faults: dict[str, list[int]] = field(default_factory=dict)

    def add(self, fault: str, number: int) -> None:
        """Faults that differ in a name or a number count as one."""
        kind = re.sub(r"'[^']*'|\btmp\w+|(?<!:)\d+", "…", fault)
        self.faults.setdefault(kind, []).append(number)


def fuzz(name: str, inputs: range, seed: int, seconds: float) -> Outcome:
    """All inputs of a target; a process that dies or hangs is a fault of its input, and the next goes on behind it."""
    outcome, first, start = Outcome(), inputs.start, time.monotonic()
    while first < inputs.stop and time.monotonic() - start < seconds:
        first = _run(name, range(first, inputs.stop), seed, seconds - (time.monotonic() - start), outcome)
    outcome.inputs, outcome.seconds = first - inputs.start, time.monotonic() - start
    return outcome


def _run(name: str, inputs: range, seed: int, seconds: float, outcome: Outcome) -> int:
    """The input to go on with."""
    none = 2**64 - 1
    with (
        tempfile.NamedTemporaryFile(prefix="ganlib-fuzzing-") as progress,
        tempfile.TemporaryFile("w+b") as output,
        tempfile.TemporaryFile("w+b") as errors,
    ):
        progress.write(none.to_bytes(8, "little"))
        progress.flush()
        numbers = map(str, (inputs.start, inputs.stop, seed, int(seconds)))
        command = [sys.executable, "-m", MAIN, name, *numbers, progress.name]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        process = subprocess.Popen(command, stdout=output, stderr=errors, env=environment)
        number, since, used = none, time.monotonic(), 0.0
        while process.poll() is None:
            time.sleep(0.2)
            now = int.from_bytes(Path(progress.name).read_bytes(), "little")
            if now != number:
                number, since, used = now, time.monotonic(), _processor_seconds(process.pid)
            elif _processor_seconds(process.pid) - used > HANGS or time.monotonic() - since > STARTS:
                process.kill()
        number = int.from_bytes(Path(progress.name).read_bytes(), "little")
        output.seek(0)
        errors.seek(0)
        error = errors.read().decode(errors="replace")
        for line in output.read().splitlines():
            entry = json.loads(line)
            if "fault" in entry:
                outcome.add(entry["fault"], entry["number"])
            else:
                outcome.counts.update(entry["counts"])
                outcome.slowest = max(outcome.slowest, entry["slowest"])
    if process.returncode == 0:
        return number + 1
    if number == none:
        outcome.add(f"it did not start: {' '.join(error.split())[-160:]}", inputs.start)
        return inputs.stop
    killed = -process.returncode
    reason = f"died by {signal.Signals(killed).name}" if killed > 0 else f"ended with status {process.returncode}"
    outcome.add(f"{reason}: {' '.join(error.split())[-160:]}", number)
    return number + 1


def _processor_seconds(process: int) -> float:
    """That a process has used so far; 0 where it has ended, or the system does not say."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    from benchmarks.fuzzing.targets import TARGETS

    parser = argparse.ArgumentParser("python -m benchmarks.fuzzing", description="Damaged files for every reader.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--inputs", type=int, default=1000, metavar="N", help="of each target (default: 1000)")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="number of the first input (default: 0)")
    parser.add_argument("--seconds", type=float, default=10**9, metavar="S", help="for each target, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, metavar="N", help="print one input of one target")
    args = parser.parse_args()
    if unknown := set(args.targets) - TARGETS.keys():
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    if args.show is not None:
        for file, content in TARGETS[args.targets[0]].files(args.show, args.seed).items():
            print(f"--- {file}\n{content!r}")
        return 0
    faults = 0
    print(f"{'target':18}{'inputs':>9}{'read':>9}{'refused':>9}{'faults':>8}{'slowest':>9}{'rate':>8}")
    for name in args.targets or TARGETS:
        outcome = fuzz(name, range(args.first, args.first + args.inputs), args.seed, args.seconds)
        faults += len(outcome.faults)
        counts, rate = outcome.counts, outcome.inputs / outcome.seconds
        print(
            f"{name:18}{outcome.inputs:9,}{counts['read']:9,}{counts['refused']:9,}{len(outcome.faults):8}"
            f"{outcome.slowest:7.2f} s{rate:6.0f}/s",
            flush=True,
        )
        for fault, numbers in outcome.faults.items():
            print(f"    {len(numbers)} × {fault} (input {', '.join(map(str, numbers[:3]))})", flush=True)
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
