"""python -m ganlib sample RUN --classes cat,dog --seeds 0-63 --out grid.png

torchrun --nproc-per-node N -m ganlib sample … draws the same images in N processes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganlib.applications.edits import latents_of
from ganlib.applications.saved_latents import find_latents
from ganlib.commands.progress import ProgressLine
from ganlib.devices import pick_device
from ganlib.distributed import World, join_world
from ganlib.errors import GanlibError
from ganlib.files import write_atomically
from ganlib.images import captioned_grid, grid, png, zip_of_pngs
from ganlib.models import GenerativeModel
from ganlib.naming import counted
from ganlib.partial import Partial, deal_rows
from ganlib.provenance import source_hash
from ganlib.runs import find_run
from ganlib.sampling import Growing, check_options, sample_chunks
from ganlib.sampling.generate import CHUNK
from ganlib.sampling.request import SampleRequest, parse_classes, parse_edits, parse_seeds


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument("name", metavar="RUN", help="name or folder of a run")
    parser.add_argument("--classes", help="names or numbers, like cat,dog (default: all); each with every seed")
    parser.add_argument("--seeds", help="like 0,3,8-11, up to 4294967295 (default: 0-7)")
    parser.add_argument(
        "--latents",
        action="append",
        default=[],
        metavar="NAME",
        help="saved with the run by invert --save, or their file; in place of seeds, each in its own class",
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one of the model's, like temperature=0.8; a wrong NAME lists them",
    )
    parser.add_argument(
        "--edit",
        default="",
        metavar="NAME=STRENGTH,…",
        help="move along directions, like sefa-1=2,brightness=-1; see python -m ganlib directions",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("grid.png"), help=".png: one grid; .zip; else a folder (default: grid.png)"
    )
    parser.add_argument("--columns", type=int, metavar="N", help="of the grid (default: as makes it nearly square)")
    parser.add_argument("--captions", action="store_true", help="write class and seed below each image of the grid")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")


def run(args: argparse.Namespace) -> None:
    with join_world("the same command goes on where each process was") as world:
        model, request = world.agree(lambda: _parse(args))
        world.require_equal(code=source_hash(), torch_version=str(torch.__version__), command=request.provenance())
        images = _sample(model, request) if world.size == 1 else _sample_shared(model, request, args.out, world)
        world.agree(lambda: _write(args, request, images))
        if world.size > 1:
            _partial(request, args.out, world).remove()


def _parse(args: argparse.Namespace) -> tuple[GenerativeModel, SampleRequest]:
    """What to draw with which model; GanlibError for what makes no sense."""
    run = find_run(args.name)
    model = run.load(pick_device(args.device))
    if not isinstance(model, GenerativeModel):
        raise GanlibError(
            f"{run.name} is a {run.model_name}, which draws nothing from seeds; see python -m ganlib list."
        )
    if args.classes and not model.conditional:
        raise GanlibError(f"{run.name} is unconditional, so --classes has no meaning; leave it out.")
    if args.out.suffix not in ("", ".png", ".zip"):
        raise GanlibError(f"--out {args.out} is neither .png, .zip nor a folder (a name without an ending).")
    if args.seeds is not None and args.latents:
        raise GanlibError("--latents stand in place of seeds; leave out one of the two.")
    latents = tuple(find_latents(run, name) for name in args.latents)
    every = () if latents else tuple(range(len(run.classes)))
    classes = parse_classes(args.classes, run) if args.classes else every
    request = SampleRequest(
        run,
        classes if model.conditional else (),
        () if latents else parse_seeds("0-7" if args.seeds is None else args.seeds),
        check_options(model, parse_options(args.option)),
        parse_edits(args.edit),
        latents,
    )
    if args.columns is not None and args.columns < 1:
        raise GanlibError(f"--columns is at least 1, not {args.columns}.")
    return model, request


def _write(args: argparse.Namespace, request: SampleRequest, images: NDArray[np.uint8] | None) -> None:
    """None of images: another process has them."""
    if images is None:
        return
    if args.out.suffix == ".png":
        layout = args.columns or request.columns, len(request.sources)
        picture = captioned_grid(images, request.captions, *layout) if args.captions else grid(images, *layout)
        write_atomically(args.out, png(picture, request.provenance()))
    elif args.out.suffix == ".zip":
        write_atomically(args.out, zip_of_pngs(zip(request.file_names, images, strict=True), request.provenance()))
    else:
        for name, single, image in zip(request.file_names, request.singles, images, strict=True):
            write_atomically(args.out / name, png(image, single.provenance()))
    print(f"{counted(len(images), 'image')} of {request.run.name} in {args.out}")


def _sample(model: GenerativeModel, request: SampleRequest) -> NDArray[np.uint8]:
    """(N, H, W, C) uint8, with a line of progress: a diffusion model takes its time."""
    start = time.monotonic()
    growing = Growing(model, latents_of(model, request), request.image_labels, **request.options)
    with closing(ProgressLine()) as line:
        while not growing.done:
            growing.step()
            text = f"{request.run.name}  {counted(len(growing.images), 'image')}"
            line.update(text, fraction=growing.fraction, seconds=time.monotonic() - start)
    return growing.images


def _sample_shared(model: GenerativeModel, request: SampleRequest, out: Path, world: World) -> NDArray[np.uint8] | None:
    """The same at rank 0, None at the others: each draws a part, and goes on with it where it was killed."""
    c, latents, labels = model.config, latents_of(model, request), request.image_labels
    n, start = len(request.image_sources), time.monotonic()
    world.agree(lambda: out.parent.mkdir(parents=True, exist_ok=True))

    def rows_from(first: int) -> Iterator[Tensor]:
        rest = None if labels is None else labels[first:]
        for images in sample_chunks(model, latents[first:], rest, **request.options):
            yield torch.from_numpy(images).flatten(1)

    with closing(ProgressLine()) as line:

        def report(done: int, total: int) -> None:
            text = f"{request.run.name}  {done} of {total} images of each process"
            if world.rank == 0:
                line.update(text, fraction=done / total, seconds=time.monotonic() - start)

        width = c.image_size**2 * c.channels
        rows = deal_rows(world, n, width, CHUNK, lambda part: _partial(request, out, world), rows_from, report).all
    return None if rows is None else rows.numpy().reshape(n, c.image_size, c.image_size, c.channels)


def _partial(request: SampleRequest, out: Path, world: World) -> Partial:
    """This process's part, beside what is to be written."""
    depends_on: dict[str, Any] = {"images": request.provenance(), "weights": request.run.weights_hash}
    depends_on |= {"code": source_hash(), "rank": world.rank, "size": world.size}
    return Partial(out.parent, depends_on, "images", torch.uint8)


def parse_options(pairs: Sequence[str]) -> dict[str, str]:
    """["temperature=0.8"] -> {"temperature": "0.8"}."""
    for pair in pairs:
        if "=" not in pair:
            raise GanlibError(f"Write options as NAME=VALUE, not {pair!r}.")
    return dict(pair.split("=", 1) for pair in pairs)
