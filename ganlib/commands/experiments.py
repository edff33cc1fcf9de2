"""python -m ganlib experiments [--run | --entries] [--archive] [--format table|markdown|csv]"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from ganlib.archive import archive_run
from ganlib.commands.listing import table
from ganlib.commands.queue import require_done, work_through
from ganlib.errors import GanlibError
from ganlib.experiments import (
    MOMENTS,
    Experiment,
    Judgement,
    collect,
    decisive,
    judge,
    queue_entries,
    read_experiments,
)
from ganlib.files import write_atomically
from ganlib.runs import scan
from ganlib.settings import RUNS, experiments_folder, run_roots

TITLES = ("experiment", "source", "verdict", "answer")


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument(
        "--format", default="table", choices=("table", "markdown", "csv"), help="of what is printed (default: table)"
    )
    parser.add_argument(
        "--archive",
        action="store_true",
        help="keep what verdicts need of measured trainings, without weights, in the folder runs of the definitions",
    )
    parser.add_argument(
        "--definitions",
        type=Path,
        default=experiments_folder(),
        metavar="DIR",
        help="their files (default: $GANLIB_EXPERIMENTS, else the project's)",
    )
    add_training(parser)


def add_training(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", dest="train", action="store_true", help="train, halve and evaluate what is missing")
    parser.add_argument("--entries", action="store_true", help="print the recipes as entries of a queue file")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes at a time (default: 1)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads of each process (default: 1)")
    parser.add_argument("--runs", type=Path, default=RUNS, metavar="DIR", help="where runs go (default: runs)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")


def run(args: argparse.Namespace) -> None:
    experiments, errors = read_experiments(args.definitions)
    for error in errors:
        print(f"ganlib: {error}", file=sys.stderr)
    if not experiments:
        raise GanlibError(f"{args.definitions} has no experiments; name a folder of definitions by --definitions.")
    if args.entries:
        print(queue_entries(experiments), end="")
        return
    hopeless = work_through_entries("experiments", experiments, args) if args.train else []
    if args.archive:
        archive_measured(experiments, args.runs, args.definitions / "runs")
    rows = [_row(experiment, judgements) for experiment, judgements in judge_all(experiments, [args.runs])]
    if args.format == "csv":
        csv.writer(sys.stdout).writerows([TITLES, *rows])
    elif args.format == "markdown":
        for row in [TITLES, ["-"] * len(TITLES), *rows]:
            print(f"| {' | '.join(row)} |")
    else:
        table(rows)
    require_done(hopeless, args.runs)


def work_through_entries(name: str, experiments: Sequence[Experiment], args: argparse.Namespace) -> list[str]:
    """By a queue of its own; names of the entries that are not done. GanlibError where another one works in the same
    folder: it takes ``--entries`` as well.

    Archived runs are not trained again.
    """
    entries = queue_entries(experiments, without=[run.name for run in scan()[0] if run.archived])
    if not entries:
        return []
    path = args.runs / ".queue" / f"{name}.toml"
    write_atomically(path, entries.encode())
    return work_through(path, args.runs, workers=args.workers, threads=args.threads, device=args.device)


def archive_measured(experiments: Sequence[Experiment], runs: Path, folder: Path) -> None:
    """Trainings in ``runs`` of experiments that lack none and whose every claim has its numbers; pictures of the first
    seed of each variant.
    """
    everything = {run.name: run for run in scan([*run_roots(), runs])[0]}
    for experiment in experiments:
        collected = collect(experiment, everything)
        if collected.missing or any(data.problem and not data.measurements for data in collected.claims):
            continue
        for variant in experiment.variants:
            for name in variant.runs:
                if everything[name].path.parent == runs:
                    archive_run(everything[name], folder, MOMENTS if name == variant.runs[0] else ())
                    print(f"archived {name}", file=sys.stderr)


def judge_all(
    experiments: Sequence[Experiment], roots: Sequence[Path] = ()
) -> list[tuple[Experiment, list[Judgement]]]:
    """Of the runs in the usual roots and in ``roots``."""
    runs = {run.name: run for run in scan([*run_roots(), *roots])[0]}
    return [(e, [judge(data) for data in collect(e, runs).claims]) for e in experiments]


def _row(experiment: Experiment, judgements: list[Judgement]) -> tuple[str, ...]:
    judgement = decisive(judgements)
    return experiment.name, experiment.source, judgement.word, judgement.sentence
