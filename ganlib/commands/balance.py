"""python -m ganlib balance DATA --generator RUN [--methods …] [--ratios …] [--out FOLDER]"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from ganlib.commands.progress import ProgressLine
from ganlib.commands.sample import parse_options
from ganlib.config import add_arguments, given
from ganlib.devices import pick_device
from ganlib.runs import find_run


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.description = (
        "Trains one classifier on a data set balanced in several ways, with and without generated images, and tests it "
        "on real images. DATA is mostly a subset, like subset:mnist@100:1."
    )
    parser.add_argument("data", metavar="DATA", help="data set, as of --data in training")
    parser.add_argument("--generator", metavar="RUN", help="conditional run that was trained on DATA")
    # A machine that only trains has no scikit-learn: other commands do not need it.
    from ganlib.applications.balancing.config import BalanceConfig

    add_arguments(parser, BalanceConfig)
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="of the generator")
    parser.add_argument(
        "--out", type=Path, help="folder of the result (default: balances/ in the generator's, or ./runs)"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")


def run(args: argparse.Namespace) -> None:
    from ganlib.applications.balancing import BalanceConfig, balance
    from ganlib.applications.balancing.place import default_folder
    from ganlib.applications.balancing.verdict import verdict

    generator = find_run(args.generator) if args.generator else None
    config = BalanceConfig.from_dict(given(args, BalanceConfig))
    folder = args.out or default_folder(args.data, generator, config, args.option)
    with closing(ProgressLine()) as line:
        result = balance(
            args.data,
            generator,
            config,
            pick_device(args.device),
            options=parse_options(args.option),
            folder=folder,
            progress=partial(line.update_stage, args.data),
        )
    result.write(folder)
    for warning in result.warnings:
        print(warning)
    shown = ["method", "ratio", "generated", "accuracy", "balanced_accuracy", "balanced_accuracy_half", "f1", "seconds"]
    print(result.summary()[shown].to_string(index=False, float_format=lambda value: f"{value:.4g}"))
    print(verdict(result))
    print(f"{folder}: balance.json, CSV")
