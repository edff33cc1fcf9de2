"""One run for many pictures: from the bytes of a file to the pictures that the run makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from ganlib.applications.classifier import choose_label, load_classifier, predicted_class
from ganlib.applications.inpainting import Inpainting, InpaintingConfig, Method, methods_of
from ganlib.applications.superresolution import LONGEST, TILE, enlarge, enlarges, input_sides
from ganlib.applications.translation import degraded_input, from_input, translate
from ganlib.applications.variation import augments, vary
from ganlib.data.pictures import decode_picture, decode_whole, read_picture
from ganlib.errors import GanlibError
from ganlib.images import from_uint8
from ganlib.models import GenerativeModel, ImageToImage, Trainable
from ganlib.nn.masks import HOLES, Hole, draw_masks
from ganlib.runs import Run
from ganlib.sampling.request import class_name

WHITE = 128  # the level from which a mask's pixel is of the hole, and a drawing's is paper


class Edited(NamedTuple):
    pictures: NDArray[np.uint8]  # (n, H, W, C)
    notes: tuple[str, ...]  # what became of the file's picture before, a sentence each


@dataclass(frozen=True)
class EditOptions:
    """What a person may say beside the run."""

    mask: str | None = None  # a kind of hole, or a file that is white in the hole
    domain: str | None = None  # of the pictures, in translation
    label: str | None = None  # class of the pictures
    drawing: bool = False  # whether the pictures are drawings already
    method: Method | None = None  # of filling holes; None is the first that the run can
    inpainting: InpaintingConfig = field(default_factory=InpaintingConfig)


Editor = Callable[[bytes, str], Edited]  # of a file's content and the name that errors call it


def build_editor(run: Run, model: Trainable, options: EditOptions) -> Editor:
    """GanlibError where the run edits no pictures, or an option does not go with it."""
    if options.drawing and not (isinstance(model, ImageToImage) and model.task == "edges"):
        raise GanlibError(f"{run.name} makes no pictures of drawings, so leave --drawing out.")
    if (options.mask or options.method) and not methods_of(model):
        flag = "--mask" if options.mask else "--method"
        raise GanlibError(f"{run.name} fills no holes, so leave {flag} out.")
    if isinstance(model, ImageToImage) and model.task == "translation":
        return _translator(run, model, options)
    if options.domain:
        raise GanlibError(f"{run.name} does not translate between domains, so leave --from out.")
    if methods_of(model) and (options.mask or options.method or not enlarges(model)):
        return _inpainter(run, model, options)
    if enlarges(model):
        return _enlarger(run, model, options)
    if augments(model):
        return _varier(run, model, options)
    if isinstance(model, ImageToImage):
        return _picturer(run, model, options)
    raise GanlibError(
        f"{run.name} is a {run.model_name}, which takes no picture as its condition; choose a run of srgan, cyclegan, "
        "pix2pix, dagan or context_encoder, or one that fills holes: a GAN, a VAE, DDPM or DiT."
    )


def _translator(run: Run, model: ImageToImage, options: EditOptions) -> Editor:
    names = [class_name(run, i) for i in (0, 1)]
    if options.domain not in names:
        given = f"not {options.domain!r}" if options.domain else "and the pictures' own is missing"
        raise GanlibError(f"{run.name} translates between {' and '.join(names)}, {given}; say it with --from.")
    domain = names.index(options.domain)

    def edit(data: bytes, name: str) -> Edited:
        pixels, notes = decode_picture(data, name, run.config.image_size, run.config.channels)
        return Edited(translate(model, pixels[None], domain), notes)

    return edit


def _enlarger(run: Run, model: Trainable, options: EditOptions) -> Editor:
    sides, c = input_sides(model), options.inpainting
    seeds = tuple(range(c.seed, c.seed + c.results)) if isinstance(model, GenerativeModel) else (c.seed,)

    def edit(data: bytes, name: str) -> Edited:
        if not sides:
            pixels, notes = decode_whole(data, name, run.config.channels, LONGEST)
            tiled = ("It was enlarged in tiles.",) * (max(pixels.shape[:2]) > TILE)
            return Edited(enlarge(model, pixels), (*notes, *tiled))
        pixels, notes = decode_whole(data, name, run.config.channels, LONGEST)
        if pixels.shape[:2] not in [(side, side) for side in sides]:
            pixels, notes = decode_picture(data, name, sides[-1], run.config.channels)
        label = choose_label(run, model, options.label, lambda: None)  # a small picture: no classifier knows its size
        return Edited(enlarge(model, pixels, label=label, seeds=seeds), notes)

    return edit


def _varier(run: Run, model: ImageToImage, options: EditOptions) -> Editor:
    c = options.inpainting
    seeds = range(c.seed, c.seed + c.results)

    def edit(data: bytes, name: str) -> Edited:
        pixels, notes = decode_picture(data, name, run.config.image_size, run.config.channels)
        return Edited(vary(model, pixels, seeds), notes)

    return edit


def _picturer(run: Run, model: ImageToImage, options: EditOptions) -> Editor:
    side = model.input_shape[1]

    def edit(data: bytes, name: str) -> Edited:
        if options.drawing:
            drawing, notes = decode_picture(data, name, side, 1)
            source = np.where(drawing < WHITE, 0, 255).astype(np.uint8)
        else:
            pixels, notes = decode_picture(data, name, run.config.image_size, run.config.channels)
            source = degraded_input(model, pixels)
        return Edited(from_input(model, source)[None], notes)

    return edit


def _inpainter(run: Run, model: Trainable, options: EditOptions) -> Editor:
    if not options.mask:
        raise GanlibError(f"{run.name} fills holes: say where with --mask, {', '.join(HOLES)} or a picture of it.")
    if options.method and options.method not in methods_of(model):
        known = " or ".join(methods_of(model))
        raise GanlibError(f"{run.name} fills no holes by {options.method}; choose {known}, or leave --method out.")
    size = run.config.image_size
    mask = read_mask(options.mask, size, options.inpainting.seed)

    def edit(data: bytes, name: str) -> Edited:
        pixels, notes = decode_picture(data, name, size, run.config.channels)
        target = from_uint8(pixels[None], model.device)
        label = choose_label(run, model, options.label, lambda: _seen_class(run, target))
        return Edited(Inpainting(model, target, mask, label, options.inpainting, options.method).finish(), notes)

    return edit


def read_mask(text: str, size: int, seed: int) -> Tensor:
    """(1, 1, size, size): a kind of hole, drawn from the seed, or a picture that is white in the hole."""
    if text in HOLES:
        kind: Hole = next(hole for hole in get_args(Hole) if hole == text)
        return draw_masks([kind], 1, size, Generator().manual_seed(seed))
    if not Path(text).exists():
        raise GanlibError(
            f"There is no mask {text}; give {', '.join(HOLES)} or the file of a picture, white in the hole."
        )
    pixels = read_picture(Path(text), size, 1)
    return torch.from_numpy((pixels[None, None, :, :, 0] >= WHITE).astype(np.float32))


def _seen_class(run: Run, image: Tensor) -> int | None:
    classifier = load_classifier(run, image.device)
    return None if classifier is None else predicted_class(classifier, image)
