"""python -m ganlib sample RUN --classes cat,dog --seeds 0-63 --out grid.png"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ganlib.devices import pick_device
from ganlib.errors import GanlibError
from ganlib.files import write_atomically
from ganlib.images import grid, png, zip_of_pngs
from ganlib.models import GenerativeModel
from ganlib.runs import find_run
from ganlib.sampling import check_options, sample
from ganlib.sampling.request import SampleRequest, parse_classes, parse_seeds

COLUMNS = 8  # where there is one class only


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument("name", metavar="RUN", help="name or folder of a run")
    parser.add_argument("--classes", help="names or numbers, like cat,dog (default: all); each with every seed")
    parser.add_argument("--seeds", default="0-7", help="like 0,3,8-11 (default: 0-7)")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="as on the page")
    parser.add_argument("--out", type=Path, default=Path("grid.png"), help=".png: one grid; .zip; else a folder")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps (default: auto)")


def run(args: argparse.Namespace) -> None:
    run = find_run(args.name)
    model = run.load(pick_device(args.device))
    if not isinstance(model, GenerativeModel):
        raise GanlibError(f"{run.name} is a {run.model_name}, which makes no pictures; see python -m ganlib list.")
    if args.classes and not model.conditional:
        raise GanlibError(f"{run.name} is unconditional, so --classes has no meaning; leave it out.")
    if args.out.suffix not in ("", ".png", ".zip"):
        raise GanlibError(f"--out {args.out} is neither .png, .zip nor a folder (a name without an ending).")
    classes = parse_classes(args.classes, run) if args.classes else tuple(range(len(run.classes)))
    request = SampleRequest(
        run,
        classes if model.conditional else (),
        parse_seeds(args.seeds),
        check_options(model, parse_options(args.option)),
    )
    images = sample(model, request.image_seeds, request.image_labels, **request.options)
    named = zip(request.file_names, images, strict=True)
    if args.out.suffix == ".png":
        columns = len(request.seeds) if len(request.classes) > 1 else min(COLUMNS, len(images))
        write_atomically(args.out, png(grid(images, columns)))
    elif args.out.suffix == ".zip":
        write_atomically(args.out, zip_of_pngs(named, request.provenance()))
    else:
        for name, image in named:
            write_atomically(args.out / name, png(image))
    print(f"{len(images)} images of {run.name} in {args.out}")


def parse_options(pairs: Sequence[str]) -> dict[str, str]:
    """["temperature=0.8"] -> {"temperature": "0.8"}."""
    for pair in pairs:
        if "=" not in pair:
            raise GanlibError(f"Write options as NAME=VALUE, not {pair!r}.")
    return dict(pair.split("=", 1) for pair in pairs)
