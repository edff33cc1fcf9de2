"""python -m ganlib experiment NAME [--run | --entries]"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from pathlib import Path

from ganlib.commands.experiments import add_training, judge_all, work_through_entries
from ganlib.commands.queue import require_done
from ganlib.errors import GanlibError
from ganlib.experiments import Experiment, queue_entries, read_experiment
from ganlib.naming import nearest_names
from ganlib.settings import experiments_folder


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument("name", metavar="NAME", help="name of an experiment, or the path of its file")
    add_training(parser)


def run(args: argparse.Namespace) -> None:
    experiment = find_experiment(args.name)
    if args.entries:
        print(queue_entries([experiment]), end="")
        return
    hopeless = work_through_entries(f"experiment-{experiment.name}", [experiment], args) if args.train else []
    print(f"{experiment.title} ({experiment.source})\n{experiment.question}\n")
    print(textwrap.fill(f"Reported: {experiment.reported}", 100, subsequent_indent="  "))
    for _, judgements in judge_all([experiment], [args.runs]):
        for judgement in judgements:
            print(textwrap.fill(f"{judgement.word}: {judgement.claim.statement}", 100, subsequent_indent="  "))
            print(textwrap.fill(judgement.sentence, 100, initial_indent="  ", subsequent_indent="  "))
    if experiment.limits:
        print(textwrap.fill(f"Limits: {experiment.limits}", 100, subsequent_indent="  "))
    require_done(hopeless, args.runs)


def find_experiment(name: str) -> Experiment:
    """By the path of its file, or by its name among the project's."""
    if name.endswith(".toml"):
        return read_experiment(Path(name))
    folder = experiments_folder()
    names = [path.stem for path in sorted(folder.glob("*.toml"))]
    if name not in names:
        nearest = nearest_names(name, names)
        hint = f"the nearest are {', '.join(nearest)}; " if nearest else ""
        raise GanlibError(f"There is no experiment {name!r}; {hint}`python -m ganlib experiments` shows all.")
    return read_experiment(folder / f"{name}.toml")
