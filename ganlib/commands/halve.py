"""python -m ganlib halve RUN… [--device DEVICE]"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ganlib.commands.failures import Failures
from ganlib.devices import pick_device
from ganlib.half_precision import MAX_LEVELS, MAX_MEAN, SEEDS, Halving, halve
from ganlib.runs import Run, find_run


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.description = (
        f"Stores the weights as float16. Refused where that changes images of seeds 0-{SEEDS[-1]} by more "
        f"than {MAX_LEVELS} of 255 levels anywhere, or by {MAX_MEAN} levels on average."
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a run's name or folder")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")


def run(args: argparse.Namespace) -> None:
    device = pick_device(args.device)
    runs = [find_run(name) for name in args.runs]
    failures = Failures(runs)
    for run in runs:
        with failures.collect(run):
            print(f"{run.path}: {_describe(run, halve(run, device))}")
    failures.raise_any("halved")


def _describe(run: Run, halving: Halving | None) -> str:
    if halving is None:
        return "halved already"
    change = f"{halving.change}, " if halving.change else ""
    references = " and what was measured with it" if (run.path / "references").exists() else ""
    before, after = halving.bytes_before / 1e6, halving.bytes_after / 1e6
    return f"{change}{before:.1f} MB -> {after:.1f} MB; evaluate it{references} again"
