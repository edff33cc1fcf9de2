"""python -m ganlib experiments [--format table|markdown|csv]"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from ganlib.commands.listing import table
from ganlib.errors import GanlibError
from ganlib.experiments import Experiment, Judgement, collect, judge, overall, read_experiments
from ganlib.runs import scan
from ganlib.settings import EXPERIMENTS, run_roots

TITLES = ("experiment", "source", "verdict", "answer")


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument(
        "--format", default="table", choices=("table", "markdown", "csv"), help="of what is printed (default: table)"
    )
    parser.add_argument(
        "--definitions", type=Path, default=EXPERIMENTS, metavar="DIR", help="their files (default: the project's)"
    )


def run(args: argparse.Namespace) -> None:
    experiments, errors = read_experiments(args.definitions)
    for error in errors:
        print(f"ganlib: {error}", file=sys.stderr)
    if not experiments:
        raise GanlibError(f"{args.definitions} has no experiments; name a folder of definitions by --definitions.")
    rows = [_row(experiment, judgements) for experiment, judgements in judge_all(experiments)]
    if args.format == "csv":
        csv.writer(sys.stdout).writerows([TITLES, *rows])
    elif args.format == "markdown":
        for row in [TITLES, ["-"] * len(TITLES), *rows]:
            print(f"| {' | '.join(row)} |")
    else:
        table(rows)


def judge_all(
    experiments: Sequence[Experiment], roots: Sequence[Path] = ()
) -> list[tuple[Experiment, list[Judgement]]]:
    """Of the runs in the usual roots and in ``roots``."""
    runs = {run.name: run for run in scan([*run_roots(), *roots])[0]}
    return [(e, [judge(data) for data in collect(e, runs).claims]) for e in experiments]


def _row(experiment: Experiment, judgements: list[Judgement]) -> tuple[str, ...]:
    return experiment.name, experiment.source, str(overall(judgements)), judgements[0].sentence
