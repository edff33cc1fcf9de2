"""python -m ganlib directions RUN --method sefa --out strips.png"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from ganlib.applications.catalogue import COUNT, MEASURED_ON, METHODS, measure_for, measured_directions
from ganlib.applications.edits import film_strip
from ganlib.applications.effects import STRENGTHS, Measured
from ganlib.applications.paths import parse_keys
from ganlib.applications.saved_latents import find_latents
from ganlib.applications.storage import save_direction, saved_directions
from ganlib.applications.two_sets import direction_between
from ganlib.commands.progress import ProgressLine
from ganlib.commands.sample import parse_options
from ganlib.devices import pick_device
from ganlib.errors import GanlibError
from ganlib.files import write_atomically
from ganlib.images import captioned_grid, png
from ganlib.models import GenerativeModel
from ganlib.naming import counted
from ganlib.runs import Run, find_run
from ganlib.sampling import check_options
from ganlib.sampling.request import SampleRequest, parse_class, parse_seeds


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    methods = "; ".join(f"{name}: {what}" for name, what in METHODS.items())
    parser.description = f"Each is measured on {len(MEASURED_ON)} seeds that it was not found on. Methods: {methods}."
    parser.add_argument("name", metavar="RUN", help="name or folder of a run")
    parser.add_argument("--method", default="sefa", choices=METHODS, help="how they are found (default: sefa)")
    parser.add_argument(
        "--count", type=int, default=COUNT, metavar="N", help=f"of sefa and pca, the first N (default: {COUNT})"
    )
    parser.add_argument("--layers", metavar="A-B", help="of sefa and pca: move only these layers' styles")
    parser.add_argument(
        "--save", metavar="DIRECTION=NAME", help="keep one by name in the run's folder, as sefa-1=sunny"
    )
    for flag, text in (("--more", "of the images that it leads to"), ("--less", "of those that it leads away from")):
        parser.add_argument(
            flag,
            action="append",
            default=[],
            metavar="KEY",
            help=f"a direction between two sets, kept by --save NAME: {text}, each like cat~7 or a seed alone",
        )
    parser.add_argument("--out", type=Path, help="a .png: a row for each direction, a column for each strength")
    parser.add_argument("--seed", default="0", help="of the pictures (default: 0)")
    parser.add_argument("--latents", metavar="NAME", help="of the pictures, in place of a seed: saved ones, or a file")
    parser.add_argument("--class", dest="label", help="of the pictures (default: the first)")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="of the pictures")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")


def run(args: argparse.Namespace) -> None:
    run = find_run(args.name)
    model = run.load(pick_device(args.device))
    if not isinstance(model, GenerativeModel):
        raise GanlibError(
            f"{run.name} is a {run.model_name}, which draws nothing from seeds; see python -m ganlib list."
        )
    if args.out and args.out.suffix != ".png":
        raise GanlibError(f"--out {args.out} is no .png.")
    if args.count < 1:
        raise GanlibError(f"--count is at least 1, not {args.count}.")
    if args.more or args.less:
        _save_between(run, model, args)
        return
    with closing(ProgressLine()) as line:
        found = measured_directions(
            run,
            model,
            args.method,
            measure_for(run, model.device),
            count=args.count,
            layers=_parse_layers(args.layers),
            progress=lambda done, total: line.update_stage(run.name, "directions measured", done, total),
        )
    if not found:
        raise GanlibError(
            f"{args.method} finds no direction in {run.name}, whose images do not differ in it; take another --method."
        )
    source, _, name = (args.save or "").partition("=")
    if args.save and (source not in found or not name):
        raise GanlibError(f"--save takes one of {', '.join(found)} and a name, like {next(iter(found))}=sunny.")
    file = save_direction(run, name, source, found[source]) if args.save else None
    saved, errors = saved_directions(run)
    _print_table(run, found | saved)
    for error in errors:
        print(f"  ! {error}")
    if file:
        print(f"\n{source} is kept as {name} in {file}")
    if args.out:
        _write_strips(run, model, found, args)


def _save_between(run: Run, model: GenerativeModel, args: argparse.Namespace) -> None:
    """The direction between two sets, into the run's folder by its name."""
    if not args.save:
        raise GanlibError("A direction between two sets is kept by name: add --save NAME.")
    more, less = (parse_keys(texts, run, model) for texts in (args.more, args.less))
    measured = direction_between(run, model, more, less, measure_for(run, model.device))
    source = f"from {', '.join(args.less)} to {', '.join(args.more)}"
    file = save_direction(run, args.save, source, measured)
    _print_table(run, {args.save: measured})
    print(f"\nIt is kept in {file}")


def _parse_layers(text: str | None) -> tuple[int, int] | None:
    """ "0-3" -> (0, 4)."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,3})-(\d{1,3})", text)
    if not match:
        raise GanlibError(f"--layers is a range like 0-3, not {text!r}.")
    return int(match[1]), int(match[2]) + 1


def _print_table(run: Run, directions: dict[str, Measured]) -> None:
    rows = [(name, measured.description(run.classes)) for name, measured in directions.items()]
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        print(f"  {name.ljust(width)}  {text}")


def _write_strips(run: Run, model: GenerativeModel, found: dict[str, Measured], args: argparse.Namespace) -> None:
    (seed, *more) = parse_seeds(args.seed)
    if more:
        raise GanlibError(f"--seed is one seed, not {1 + len(more)}.")
    latents = (find_latents(run, args.latents),) if args.latents else ()
    classes = (parse_class(args.label, run),) if args.label else () if latents else (0,)
    options = check_options(model, parse_options(args.option))
    seeds = () if latents else (seed,)
    request = SampleRequest(run, classes if model.conditional else (), seeds, options, latents=latents)
    captions = [f"{name} {strength:+g}" for name in found for strength in STRENGTHS]
    strips = [film_strip(model, request, measured.direction, STRENGTHS) for measured in found.values()]
    write_atomically(args.out, png(captioned_grid(np.concatenate(strips), captions, len(STRENGTHS))))
    print(f"\n{counted(len(found), 'direction')} at {len(STRENGTHS)} strengths in {args.out}")
