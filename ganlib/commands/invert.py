"""python -m ganlib invert RUN PICTURE --class cat --out inverted.png"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from ganlib.applications.classifier import choose_label, load_classifier, predicted_class
from ganlib.applications.edits import edited_image, resolve
from ganlib.applications.inversion import Inversion, InversionConfig
from ganlib.applications.saved_latents import check_latents_name, save_latents
from ganlib.commands.progress import ProgressLine
from ganlib.config import add_arguments, given
from ganlib.data.pictures import read_picture
from ganlib.devices import pick_device
from ganlib.errors import GanlibError
from ganlib.files import write_atomically
from ganlib.images import captioned_grid, from_uint8, png, to_uint8
from ganlib.models import GenerativeModel
from ganlib.runs import find_run
from ganlib.sampling.request import class_name, parse_edits


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.description = (
        "Finds the latents whose image is the picture: by the model's encoder where it has one, else by optimisation."
    )
    parser.add_argument("name", metavar="RUN", help="name or folder of a run")
    parser.add_argument("picture", type=Path, metavar="PICTURE", help="an image file; its middle square is taken")
    parser.add_argument("--class", dest="label", help="its class (default: what the classifier of the data set sees)")
    parser.add_argument("--out", type=Path, help="a .png of the picture beside its inversion")
    parser.add_argument(
        "--edit", default="", metavar="NAME=STRENGTH,…", help="move the inversion along directions, like sefa-1=2"
    )
    parser.add_argument("--save", metavar="NAME", help="keep the latents in the run's folder")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")
    add_arguments(parser, InversionConfig)


def run(args: argparse.Namespace) -> None:
    config = InversionConfig.from_dict(given(args, InversionConfig))
    run = find_run(args.name)
    if args.out and args.out.suffix != ".png":
        raise GanlibError(f"--out {args.out} is no .png.")
    if args.save:
        check_latents_name(args.save)
    if args.save and config.tuning_steps:
        raise GanlibError("--save keeps latents for the run's own weights; leave out it or --tuning-steps.")
    edits = parse_edits(args.edit)
    device = pick_device(args.device)
    model = run.load(device)
    if not isinstance(model, GenerativeModel):
        raise GanlibError(
            f"{run.name} is a {run.model_name}, which draws nothing from seeds; see python -m ganlib list."
        )
    picture = read_picture(args.picture, run.config.image_size, run.config.channels)
    target = from_uint8(picture[None], device)
    classifier = load_classifier(run, device)
    seen = None if classifier is None else predicted_class(classifier, target)
    moves = resolve(run, model, edits)
    label = choose_label(run, model, args.label, lambda: seen)
    inversion = Inversion(model, target, label, config)
    start = time.monotonic()
    with closing(ProgressLine()) as line:
        while not inversion.done:
            inversion.step()
            line.update(f"{run.name}  inversion", fraction=inversion.fraction, seconds=time.monotonic() - start)
    assert inversion.image is not None
    assert inversion.latents is not None
    print(f"{args.picture}: distance {inversion.distance:.3f}, {inversion.losses[0]:.3f} at the start")
    if classifier is not None and seen is not None:
        after = predicted_class(classifier, inversion.image)
        verb = "still" if after == seen else f"{class_name(run, seen)} before, now"
        print(f"The classifier sees {verb} {class_name(run, after)}.")
    if args.save:
        print(f"Latents in {save_latents(run, args.save, inversion.latents, label)}")
    if args.out:
        images, captions = [picture, to_uint8(inversion.image)[0]], ["picture", "inversion"]
        if moves:
            images.append(edited_image(inversion.model, inversion.latents, inversion.label, moves))
            captions.append("edited")
        write_atomically(args.out, png(captioned_grid(np.stack(images), captions, len(images))))
        print(f"{', '.join(captions).capitalize()} in {args.out}")
