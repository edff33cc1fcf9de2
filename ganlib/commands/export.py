"""python -m ganlib export RUN --images 1000 --format webdataset --out FOLDER"""

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
from ganlib.settings import results_root


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.description = (
        "Writes a labelled set of generated images with a manifest and a data card; goes on if stopped."
    )
    parser.add_argument("name", metavar="RUN", help="name or folder of a run")
    # A machine that only trains has no scikit-learn: other commands do not need it.
    from ganlib.applications.export.config import ExportConfig

    add_arguments(parser, ExportConfig)
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="as on the page")
    parser.add_argument("--out", type=Path, help="a new folder, or a ZIP (default: exports/RUN in ./runs)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")


def run(args: argparse.Namespace) -> None:
    from ganlib.applications.export import ExportConfig, export

    chosen = find_run(args.name)
    config = ExportConfig.from_dict(given(args, ExportConfig))
    path = args.out or results_root() / "exports" / f"{chosen.path.name}{'.zip' if config.format == 'zip' else ''}"
    with closing(ProgressLine()) as line:
        result = export(
            chosen,
            path,
            config,
            pick_device(args.device),
            parse_options(args.option),
            partial(line.update_stage, chosen.name),
        )
    resumed = f", {result.resumed:,} of them there already" if result.resumed else ""
    print(f"{result.path}: {result.images:,} images{resumed}")
