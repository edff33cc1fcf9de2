"""python -m ganlib list [models | runs | data | RUN]"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from ganlib.data import list_data
from ganlib.models import MODELS
from ganlib.runs import find_run, run_roots, scan


def add(subparsers: Any, argv: Sequence[str]) -> None:
    parser = subparsers.add_parser("list", help="show models, runs and data sets, or one run's snapshots")
    parser.add_argument("what", nargs="?", metavar="WHAT", help="models, runs, data or a run's name (default: all)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    sections = {"models": list_models, "runs": list_runs, "data": list_data_sets}
    if args.what is None:
        for name, show in sections.items():
            print(f"{name}")
            show()
            print()
    elif args.what in sections:
        sections[args.what]()
    else:
        found = find_run(args.what)
        snapshots = found.folder.snapshot_images()
        print(f"{found.name}: {found.images_seen:,} images seen, weights {found.weights_hash}")
        print("snapshots: " + (", ".join(map(str, snapshots)) or "none kept"))


def list_models() -> None:
    table((name, (sys.modules[MODELS[name].__module__].__doc__ or "").splitlines()[0]) for name in MODELS)


def list_runs() -> None:
    runs, broken = scan(run_roots())
    table((r.name, r.model_name, r.data_name, f"{r.images_seen:,} images", str(r.path)) for r in runs)
    for error in broken:
        print(f"  ! {error}")


def list_data_sets() -> None:
    table((d.name, d.description) for d in list_data())


def table(rows: Iterable[Sequence[str]]) -> None:
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip())
