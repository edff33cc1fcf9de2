"""python -m ganlib sheet RUN --rows guidance=1,2,4 --columns steps=5,10,20 --out sheet.png"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from ganlib.applications.sheets import Sheet, SheetRequest, default_axes, default_values, parse_axis
from ganlib.commands.progress import ProgressLine
from ganlib.commands.sample import parse_options
from ganlib.devices import pick_device
from ganlib.errors import GanlibError
from ganlib.files import write_atomically
from ganlib.images import labelled_sheet, png, zip_of_pngs
from ganlib.models import GenerativeModel
from ganlib.naming import counted
from ganlib.runs import Run, find_run
from ganlib.sampling import check_options
from ganlib.sampling.request import parse_class, parse_edits, parse_seeds


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.description = (
        "Rows are values of one option of the run, columns of another. Seeds, classes and directions are options, too: "
        "seed=0-5, class=cat,dog, sefa-1=-2,0,2; of styles, rows seed=… and columns mix_seed=… are style mixing."
    )
    parser.add_argument("name", metavar="RUN", help="name or folder of a run")
    parser.add_argument("--rows", metavar="NAME=VALUES", help="like guidance=1,2,4 (default: as suits the model)")
    parser.add_argument("--columns", metavar="NAME=VALUES", help="like steps=5,10,20 (default: as suits the model)")
    parser.add_argument("--seed", default="0", help="of all images, where no axis has it (default: 0)")
    parser.add_argument("--class", dest="label", help="likewise (default: the first)")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="of all images")
    parser.add_argument("--edit", default="", metavar="NAME=STRENGTH,…", help="of all images, like sefa-1=2")
    parser.add_argument(
        "--out", type=Path, default=Path("sheet.png"), help=".png: with captions; .zip: a PNG each (default: sheet.png)"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")


def run(args: argparse.Namespace) -> None:
    run = find_run(args.name)
    if args.out.suffix not in (".png", ".zip"):
        raise GanlibError(f"--out {args.out} is neither .png nor .zip.")
    model = run.load(pick_device(args.device))
    if not isinstance(model, GenerativeModel):
        raise GanlibError(f"{run.name} is a {run.model_name}, which makes no pictures; see python -m ganlib list.")
    request = _request(args, run, model)
    sheet = Sheet(model, request)
    start = time.monotonic()
    with closing(ProgressLine()) as line:
        while not sheet.done:
            sheet.step()
            line.update(f"{run.name}  sheet", fraction=sheet.fraction, seconds=time.monotonic() - start)
    if args.out.suffix == ".png":
        picture = labelled_sheet(sheet.images, request.rows.labels(run), request.columns.labels(run))
        content = png(picture, request.provenance())
    else:
        columns = len(request.columns.values)
        names = [f"{i // columns + 1:02}_{i % columns + 1:02}.png" for i in range(len(sheet.images))]
        content = zip_of_pngs(zip(names, sheet.images, strict=True), request.provenance())
    write_atomically(args.out, content)
    print(f"{counted(len(sheet.images), 'image')} of {run.name} in {args.out}")


def _request(args: argparse.Namespace, run: Run, model: GenerativeModel) -> SheetRequest:
    rows, columns = default_axes(run, model)
    row_axis, column_axis = (
        parse_axis(text or f"{name}={default_values(name, run, model)}", run, model)
        for text, name in ((args.rows, rows), (args.columns, columns))
    )
    (seed, *more) = parse_seeds(args.seed)
    if more:
        raise GanlibError(f"--seed is one seed, not {1 + len(more)}; several are --rows seed={args.seed}.")
    if args.label and not model.conditional:
        raise GanlibError(f"{run.name} is unconditional, so --class has no meaning; leave it out.")
    label = parse_class(args.label, run) if args.label else 0
    return SheetRequest(
        run,
        row_axis,
        column_axis,
        seed,
        label if model.conditional else None,
        check_options(model, parse_options(args.option)),
        parse_edits(args.edit),
    )
