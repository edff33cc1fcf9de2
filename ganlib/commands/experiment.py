"""python -m ganlib experiment NAME [--run | --entries]"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from pathlib import Path

from ganlib.commands.experiments import judge_all
from ganlib.errors import GanlibError
from ganlib.experiments import Experiment, queue_entries, read_experiment
from ganlib.files import write_atomically
from ganlib.naming import nearest_names
from ganlib.settings import EXPERIMENTS, RUNS


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument("name", metavar="NAME", help="name of an experiment, or the path of its file")
    parser.add_argument("--run", dest="train", action="store_true", help="train, halve and evaluate what is missing")
    parser.add_argument("--entries", action="store_true", help="print its recipes as entries of a queue file")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes at a time (default: 1)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads of each process (default: 1)")
    parser.add_argument("--runs", type=Path, default=RUNS, metavar="DIR", help="where runs go (default: runs)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")


def run(args: argparse.Namespace) -> None:
    experiment = find_experiment(args.name)
    entries = queue_entries(experiment)
    if args.entries:
        print(entries, end="")
        return
    if args.train and entries:
        _work_through(experiment, entries, args)
    print(f"{experiment.title} ({experiment.source})\n{experiment.question}\n")
    print(textwrap.fill(f"Reported: {experiment.reported}", 100, subsequent_indent="  "))
    for _, judgements in judge_all([experiment], [args.runs]):
        for judgement in judgements:
            print(textwrap.fill(f"{judgement.verdict}: {judgement.claim.statement}", 100, subsequent_indent="  "))
            print(textwrap.fill(judgement.sentence, 100, initial_indent="  ", subsequent_indent="  "))
    if experiment.limits:
        print(textwrap.fill(f"Limits: {experiment.limits}", 100, subsequent_indent="  "))


def find_experiment(name: str) -> Experiment:
    """By the path of its file, or by its name among the project's."""
    if name.endswith(".toml"):
        return read_experiment(Path(name))
    names = [path.stem for path in sorted(EXPERIMENTS.glob("*.toml"))]
    if name not in names:
        nearest = nearest_names(name, names)
        hint = f"the nearest are {', '.join(nearest)}; " if nearest else ""
        raise GanlibError(f"There is no experiment {name!r}; {hint}`python -m ganlib experiments` shows all.")
    return read_experiment(EXPERIMENTS / f"{name}.toml")


def _work_through(experiment: Experiment, entries: str, args: argparse.Namespace) -> None:
    """By a queue of its own. GanlibError where another one works in the same folder: it takes ``--entries`` as well."""
    from ganlib.commands.queue import work_through

    path = args.runs / ".queue" / f"experiment-{experiment.name}.toml"
    write_atomically(path, entries.encode())
    work_through(path, args.runs, workers=args.workers, threads=args.threads, device=args.device)
