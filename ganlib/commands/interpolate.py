"""python -m ganlib interpolate RUN --key cat~7 --key dog~12 --frames 60 --out walk.mp4"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganlib.applications.animation import KINDS, check_film, default_side, film
from ganlib.applications.paths import frames_of, parse_keys
from ganlib.commands.progress import ProgressLine
from ganlib.commands.sample import parse_options
from ganlib.devices import pick_device
from ganlib.errors import GanlibError
from ganlib.files import write_atomically
from ganlib.images import grid, png, zip_of_pngs
from ganlib.models import GenerativeModel
from ganlib.runs import Run, find_run
from ganlib.sampling import ORDERS, PATHS, Growing, check_options
from ganlib.sampling.keyframes import InterpolationRequest

COLUMNS = 8  # of the picture of a path's frames


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.description = (
        "A film through latent space by key frames, or a sheet between four corners. A key frame is a class and a "
        "seed, cat~7; a seed alone where the model has no classes; @NAME or @FILE are saved latents. Options of its "
        "own follow, cat~7~temperature=0.5."
    )
    parser.add_argument("name", metavar="RUN", help="name or folder of a run")
    parser.add_argument("--key", action="append", default=[], metavar="KEY", help="a key frame, in order; two or more")
    parser.add_argument("--frames", type=int, default=60, metavar="N", help="in all (default: 60)")
    parser.add_argument("--space", help="latent space, as z or w (default: the first through which lines are straight)")
    parser.add_argument("--path", choices=PATHS, help="between key frames (default: as suits the space)")
    parser.add_argument("--closed", action="store_true", help="from the last key frame back to the first")
    parser.add_argument(
        "--order", choices=ORDERS, default=ORDERS[0], help=f"how latent and class change (default: {ORDERS[0]})"
    )
    parser.add_argument("--equal-speed", action="store_true", help="frames at equal steps of feature distance")
    parser.add_argument("--sheet", metavar="ROWSxCOLUMNS", help="between four key frames, the corners, as 6x6")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="of all frames")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("walk.mp4"),
        help=".mp4, .webp, .gif: a film; .png: all frames in one picture; .zip: a PNG a frame (default: walk.mp4)",
    )
    parser.add_argument("--frames-per-second", type=float, default=24.0, metavar="F", help="of a film (default: 24)")
    parser.add_argument("--side", type=int, metavar="PIXELS", help="of a film: a multiple of the images' side")
    parser.add_argument("--boomerang", action="store_true", help="of a film: there and back")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")


def run(args: argparse.Namespace) -> None:
    run = find_run(args.name)
    kind = args.out.suffix.removeprefix(".")
    _check_output(args, run, kind)
    model = run.load(pick_device(args.device))
    if not isinstance(model, GenerativeModel):
        raise GanlibError(
            f"{run.name} is a {run.model_name}, which draws nothing from seeds; see python -m ganlib list."
        )
    request = _request(args, run, model)
    frames = _generate(model, request)
    if kind in KINDS:
        rate = args.frames_per_second
        content = film(frames, kind, frames_per_second=rate, side=args.side, boomerang=args.boomerang)
    elif kind == "png":
        columns = request.sheet[1] if request.sheet else min(COLUMNS, len(frames))
        content = png(grid(frames, columns), request.provenance())
    else:
        digits = len(str(len(frames)))
        names = [f"{i:0{digits}}.png" for i in range(1, len(frames) + 1)]
        content = zip_of_pngs(zip(names, frames, strict=True), request.provenance())
    write_atomically(args.out, content)
    print(f"{len(frames)} frames of {run.name} in {args.out}")


def _check_output(args: argparse.Namespace, run: Run, kind: str) -> None:
    """Before anything is computed."""
    if kind not in (*KINDS, "png", "zip"):
        raise GanlibError(f"--out {args.out} is neither {', '.join(f'.{k}' for k in KINDS)}, .png nor .zip.")
    if args.sheet and kind in KINDS:
        raise GanlibError("A sheet is a picture, not a film: write --out sheet.png.")
    if kind in KINDS:
        width = run.config.image_size
        check_film(kind, width, args.frames_per_second, default_side(width) if args.side is None else args.side)


def _request(args: argparse.Namespace, run: Run, model: GenerativeModel) -> InterpolationRequest:
    if args.space and args.space not in model.spaces:
        raise GanlibError(f"{run.name} has no latent space {args.space!r}; it has {', '.join(model.spaces)}.")
    straight = (name for name, path in model.spaces.items() if path == "lerp")
    space = args.space or next(straight, next(iter(model.spaces)))
    return InterpolationRequest(
        run,
        parse_keys(args.key, run, model),
        args.frames,
        args.path or model.spaces[space],
        space,
        args.closed,
        args.order,
        args.equal_speed,
        check_options(model, parse_options(args.option)),
        _parse_sheet(args.sheet),
    )


def _parse_sheet(text: str | None) -> tuple[int, int] | None:
    """ "6x8" -> (6, 8)."""
    if text is None:
        return None
    rows, x, columns = text.lower().partition("x")
    if not (x and rows.isdecimal() and columns.isdecimal() and len(text) < 10):
        raise GanlibError(f"--sheet is rows x columns, like 6x6, not {text!r}.")
    return int(rows), int(columns)


def _generate(model: GenerativeModel, request: InterpolationRequest) -> NDArray[np.uint8]:
    """(F, H, W, C) uint8, with a line of progress."""
    start = time.monotonic()
    frames = frames_of(model, request)
    growing = Growing(model, frames.latents, frames.weights, **frames.options)
    with closing(ProgressLine()) as line:
        while not growing.done:
            growing.step()
            text = f"{request.run.name}  {len(growing.images)} frames"
            line.update(text, fraction=growing.fraction, seconds=time.monotonic() - start)
    return growing.images
