"""python -m ganlib promote RUN SNAPSHOT"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from ganlib.runs import find_run


def add(subparsers: Any, argv: Sequence[str]) -> None:
    parser = subparsers.add_parser("promote", help="make a snapshot the run's weights")
    parser.add_argument("name", metavar="RUN", help="name or folder of a run")
    parser.add_argument("snapshot", type=int, help="images seen at the snapshot, as `list RUN` shows them")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    run = find_run(args.name)
    run.promote(args.snapshot)
    print(f"{run.path}: the weights at {args.snapshot:,} images are now the run's; evaluate it again.")
