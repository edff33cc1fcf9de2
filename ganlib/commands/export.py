"""python -m ganlib export RUN --images 1000 --format webdataset --out FOLDER, or RUN --format onnx --out FILE.onnx"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ganlib.commands.progress import ProgressLine
from ganlib.commands.sample import parse_options
from ganlib.config import add_arguments, given
from ganlib.devices import pick_device
from ganlib.naming import counted
from ganlib.runs import find_run
from ganlib.settings import results_root

if TYPE_CHECKING:  # it brings scikit-learn
    from ganlib.twosample.result import Comparison


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.description = (
        "Writes a labelled set of generated images with a manifest and a data card; goes on if stopped."
    )
    parser.add_argument("name", metavar="RUN", help="name or folder of a run")
    onnx = _writes_onnx(argv)
    parser.set_defaults(onnx=onnx)
    if onnx:
        _add_onnx(parser)
        return
    parser.epilog = "--format onnx writes the generator itself: python -m ganlib export RUN --format onnx --help"
    # A machine that only trains has no scikit-learn: other commands do not need it.
    from ganlib.applications.export.config import ExportConfig

    add_arguments(parser, ExportConfig)
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one of the model's, like temperature=0.8; a wrong NAME lists them",
    )
    parser.add_argument("--out", type=Path, help="a new folder, or a ZIP (default: exports/RUN in ./runs)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")


def _writes_onnx(argv: Sequence[str]) -> bool:
    """The format decides which flags exist, so it is looked up before parsing."""
    early = argparse.ArgumentParser(add_help=False)
    early.add_argument("--format")
    return early.parse_known_args(argv)[0].format == "onnx"


def _add_onnx(parser: argparse.ArgumentParser) -> None:
    parser.description = "Writes the run's generator as an ONNX file and checks it against torch."
    parser.add_argument("--format", choices=["onnx"], help="of the file")
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one of the model's, fixed in the file; a wrong NAME lists them",
    )
    parser.add_argument("--opset", type=int, default=18, help="of ONNX's operators (default: 18)")
    parser.add_argument("--out", type=Path, help="a file .onnx (default: RUN.onnx)")


def _run_onnx(args: argparse.Namespace) -> None:
    from ganlib.applications.onnx_export import SEEDS, export_onnx

    chosen = find_run(args.name)
    result = export_onnx(chosen, args.out or Path(f"{chosen.path.name}.onnx"), parse_options(args.option), args.opset)
    print(
        f"{result.path}: {', '.join(result.inputs)} to images, opset {args.opset}; on {len(SEEDS)} seeds at most "
        f"{result.largest} of 255 levels from torch, {result.mean:.4f} on average"
    )


def run(args: argparse.Namespace) -> None:
    if args.onnx:
        return _run_onnx(args)
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
            _report,
        )
    resumed = f", {result.resumed:,} of them there already" if result.resumed else ""
    print(f"{result.path}: {counted(result.images, 'image')}{resumed}")


def _report(comparison: Comparison) -> bytes:
    """The page of the search for copies, without a date: the same export is the same bytes."""
    from ganlib.figures.comparison import comparison_report

    title = "Are generated images copies of training images?"
    report = comparison_report(title, comparison.frames, comparison.pictures, comparison.facts, comparison.warnings)
    return report.html(f"ganlib export, protocol {json.dumps(comparison.protocol)}").encode()
