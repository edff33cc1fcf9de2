"""python -m ganlib promote RUN SNAPSHOT"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ganlib.runs import find_run


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument("name", metavar="RUN", help="name or folder of a run")
    parser.add_argument("snapshot", type=int, help="images seen at the snapshot, as `list RUN` shows them")


def run(args: argparse.Namespace) -> None:
    run = find_run(args.name)
    run.promote(args.snapshot)
    print(f"{run.path}: the weights at {args.snapshot:,} images are now the run's; evaluate it again.")
