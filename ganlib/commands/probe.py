"""python -m ganlib probe RUN… [--train N] [--data-root DIR] [--device DEVICE]"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial

from ganlib.commands.failures import Failures
from ganlib.commands.progress import ProgressLine
from ganlib.devices import pick_device
from ganlib.errors import GanlibError
from ganlib.records import METRICS, Record, append_records, read_records
from ganlib.runs import Run, find_run

TRAINED = 10_000  # a minute for CIFAR-10; the paper used all of its 50,000


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.description = "Adds a record of probe_accuracy, with its protocol, to the runs' evaluation.json."
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a run's name or folder")
    parser.add_argument(
        "--train", type=int, default=TRAINED, metavar="N", help=f"training images, 0 = all (default: {TRAINED})"
    )
    parser.add_argument("--data-root", metavar="DIR", help="where data sets lie, if not in $GANLIB_DATA")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")


def run(args: argparse.Namespace) -> None:
    if args.train < 0:
        raise GanlibError(f"--train must be at least 0, which means all images, not {args.train}.")
    runs = [find_run(name) for name in args.runs]
    failures = Failures(runs)
    for run in runs:
        with failures.collect(run):
            _probe(run, args)
    failures.raise_any("probed")


def _probe(run: Run, args: argparse.Namespace) -> None:
    # A machine that only trains has no scikit-learn.
    from ganlib.metrics.probe import probe

    read_records(run.folder.evaluation)  # a damaged file is better found before the work than after
    line = ProgressLine()
    try:
        record = probe(
            run,
            pick_device(args.device),
            train=args.train,
            root=args.data_root,
            progress=partial(line.update_stage, run.name),
        )
    finally:
        line.close()
    append_records(run.folder.evaluation, [record])
    print(f"{run.name}  {_describe(record)}")


def _describe(record: Record) -> str:
    assert record.interval
    details = record.extra
    return (
        f"{METRICS[record.metric].label} ({details['dimension']:,} features, {details['n_train']:,} train, "
        f"{details['n_test']:,} test images) {record.value:.1%} ± {record.interval.half_width:.1%}; "
        f"on pixels {details['pixels_accuracy']:.1%}"
    )
