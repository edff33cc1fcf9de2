"""python -m ganlib compare REAL SYNTHETIC [--sections …] [--out DIR]"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ganlib.commands.progress import ProgressLine
from ganlib.commands.sample import parse_options
from ganlib.config import add_arguments, given
from ganlib.devices import pick_device
from ganlib.files import write_atomically
from ganlib.records import append_records
from ganlib.runs import find_run

if TYPE_CHECKING:  # it brings scikit-learn
    from ganlib.twosample.result import Comparison


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.description = (
        "Tests whether anything tells two sets of images apart. A side is a RUN, a PATH (folder or archive) or a DATA "
        "set; PATH#PART and DATA#PART take a split (train, test), a class, or SPLIT/CLASS."
    )
    parser.add_argument("real", metavar="REAL", help="like cifar10-jpeg#test")
    parser.add_argument("synthetic", metavar="SYNTHETIC", help="like cifar10-sngan")
    # A machine that only trains has no scikit-learn: other commands do not need it.
    from ganlib.twosample.config import ComparisonConfig

    add_arguments(parser, ComparisonConfig)
    for side in ("real", "synthetic"):
        parser.add_argument(
            f"--{side}-option",
            nargs="+",
            action="extend",
            default=[],
            metavar="NAME=VALUE",
            help=f"options of the model where {side.upper()} is a run, like steps=20",
        )
    parser.add_argument(
        "--out",
        type=Path,
        help="folder of the result (default: one in comparisons/ of the synthetic run, else of the real one, else of "
        "./runs)",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")


def run(args: argparse.Namespace) -> None:
    from ganlib.twosample.compare import compare
    from ganlib.twosample.config import ComparisonConfig
    from ganlib.twosample.folders import default_folder
    from ganlib.twosample.verdict import verdict

    config = ComparisonConfig.from_dict(given(args, ComparisonConfig))
    options = args.real_option, args.synthetic_option
    folder = args.out or default_folder(args.real, args.synthetic, options, config)
    with closing(ProgressLine()) as line:
        comparison = compare(
            args.real,
            args.synthetic,
            config,
            pick_device(args.device),
            options=(parse_options(options[0]), parse_options(options[1])),
            progress=partial(line.update_stage, f"{args.real} vs {args.synthetic}"),
            announce=lambda sentence: print(sentence, file=sys.stderr),
        )
    comparison.facts["verdict"] = verdict(comparison)
    comparison.write(folder)
    if comparison.records and not args.out:
        append_records(find_run(args.synthetic).folder.evaluation, comparison.records)
    write_report(comparison, folder)
    print(comparison.tests.to_string(index=False, na_rep="-", float_format=lambda value: f"{value:.4g}"))
    if "components" in comparison.frames:
        print(comparison.frames["components"].to_string(index=False, float_format=lambda value: f"{value:.1%}"))
    print(", ".join(f"{name} {seconds:.1f} s" for name, seconds in comparison.seconds.items()))
    print(comparison.facts["verdict"])
    print(f"{folder}: comparison.json, CSV, report.html, LaTeX")


def write_report(comparison: Comparison, folder: Path) -> None:
    """report.html, and tests.tex and components.tex where there are such tables."""
    from ganlib.figures.comparison import comparison_report, readable_components, readable_tests
    from ganlib.figures.report import latex

    report = comparison_report(
        f"{Path(comparison.real).name} vs {Path(comparison.synthetic).name}",
        comparison.frames,
        comparison.pictures,
        comparison.facts,
        [*comparison.giveaways, *comparison.warnings],
    )
    footer = f"ganlib compare, {comparison.provenance['date']}, protocol {json.dumps(comparison.protocol)}"
    write_atomically(folder / "report.html", report.html(footer).encode())
    for name, readable in (("tests", readable_tests), ("components", readable_components)):
        if name in comparison.frames:
            write_atomically(folder / f"{name}.tex", latex(readable(comparison.frames[name])).encode())
