"""python -m benchmarks.fuzzing: damaged and malicious files for every reader, in processes with limits.

    python -m benchmarks.fuzzing --inputs 1000                # of each target; exit status 1 where there is a fault
    python -m benchmarks.fuzzing --inputs 100000 --tally docs/fuzzing.json    # goes on where the last session ended
    python -m benchmarks.fuzzing --again --tally docs/fuzzing.json    # only the inputs with faults
    python -m benchmarks.fuzzing log-json --show 417          # the files of one input, to look into

A fault is what is neither read nor refused in one sentence (``GanlibError``), takes more than 5 s of processor time or
512 MB, opens a file outside the folder that it was given, connects, starts a process, or calls what a pickle names.
What libraries open without Python is not seen. Targets take turns, the one with the fewest inputs first.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from benchmarks.fuzzing.processes import fuzz
from benchmarks.fuzzing.tally import Tally
from benchmarks.fuzzing.targets import TARGETS

PART = 2000  # inputs of one process


def try_more(names: list[str], tally: Tally, inputs: int, seed: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        counts = {name: tally.total(name).inputs for name in names}
        name = min(counts, key=counts.__getitem__)
        if counts[name] >= inputs:
            break
        outcome = tally.of_seed(name, seed)
        first = outcome.inputs
        part = range(first, first + min(PART, inputs - counts[name]))
        outcome.merge(fuzz(TARGETS[name], part, seed, left))
        tally.save()


def try_again(names: list[str], tally: Tally) -> None:
    """Faults that are mended go from the tally."""
    for name in names:
        for seed, outcome in tally.outcomes.get(name, {}).items():
            numbers = sorted({number for numbers in outcome.faults.values() for number in numbers})
            outcome.faults = {}
            for number in numbers:
                for fault in fuzz(TARGETS[name], range(number, number + 1), seed, 60).faults:
                    outcome.add(fault, number)
            tally.save()


def print_table(names: list[str], tally: Tally) -> int:
    """The number of faults."""
    faults = 0
    print(f"{'target':18}{'inputs':>9}{'read':>9}{'refused':>9}{'faults':>8}{'slowest':>9}")
    for name in names:
        outcome = tally.total(name)
        faults += len(outcome.faults)
        counts = f"{outcome.inputs:9,}{outcome.read:9,}{outcome.refused:9,}{len(outcome.faults):8}"
        print(f"{name:18}{counts}{outcome.slowest:7.2f} s")
        for fault, numbers in outcome.faults.items():
            print(f"    {fault} (input {', '.join(map(str, numbers[:3]))})")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.fuzzing", description="Damaged files for every reader.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--inputs", type=int, default=1000, metavar="N", help="of each target (default: 1000)")
    parser.add_argument("--tally", type=Path, metavar="FILE", help="what was tried before counts, and is added to")
    parser.add_argument("--minutes", type=float, default=10**6, metavar="M", help="at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", action="store_true", help="only the inputs whose faults the tally lists")
    parser.add_argument("--show", type=int, metavar="N", help="print one input of one target")
    args = parser.parse_args()
    names = args.targets or list(TARGETS)
    if unknown := set(names) - TARGETS.keys():
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    if args.show is not None:
        for file, content in TARGETS[names[0]].files(args.show, args.seed).items():
            print(f"--- {file}\n{content!r}")
        return 0
    tally = Tally(args.tally)
    if args.again:
        try_again(names, tally)
    else:
        try_more(names, tally, args.inputs, args.seed, 60 * args.minutes)
    return int(print_table(names, tally) > 0)


if __name__ == "__main__":
    sys.exit(main())
