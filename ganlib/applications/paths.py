"""Interpolations as they are requested: key frames of seeds and of saved latents, equal speed, sheets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganlib.applications.saved_latents import find_latents, stack_latents
from ganlib.applications.step_lengths import step_lengths
from ganlib.devices import on_device
from ganlib.errors import GanlibError
from ganlib.models import GenerativeModel, Latents
from ganlib.runs import Run
from ganlib.sampling.interpolation import (
    KeyPath,
    corner_path,
    equal_positions,
    even_positions,
    images_along,
    key_path,
)
from ganlib.sampling.keyframes import MARK, MOST_FRAMES, InterpolationRequest, KeyFrame, parse_key

DENSITY = 3  # images for each frame, by which the speed along a path is measured
DENSEST = 384


class Frames(NamedTuple):
    """What the frames of an interpolation are generated from."""

    latents: Latents
    weights: Tensor | None  # (F, K) of classes
    options: dict[str, Any]  # scalars, or (F,) where key frames differ


def parse_keys(texts: Sequence[str], run: Run, model: GenerativeModel) -> tuple[KeyFrame, ...]:
    """Key frames as ``parse_key`` reads them; saved latents have their own class unless another is given."""
    keys = []
    for text in texts:
        source, label, options = parse_key(text, run, model.options)
        if source.startswith(MARK):
            saved = find_latents(run, source.removeprefix(MARK))
            own = saved.label if label is None else label
            keys.append(KeyFrame(saved, own if model.conditional else None, options))
        else:
            default = 0 if model.conditional else None
            keys.append(KeyFrame(int(source), default if label is None else label, options))
    return tuple(keys)


def frames_of(model: GenerativeModel, request: InterpolationRequest) -> Frames:
    """The latents, classes and options of all frames, or of all cells of a sheet, row by row."""
    if request.frames > MOST_FRAMES:
        raise GanlibError(f"{request.frames:,} frames are more than {MOST_FRAMES:,}; make the film in parts.")
    path = path_of(model, request)
    if request.sheet:
        return _frames(request, *on_device(model.device, lambda: corner_path(path, *request.sheet or (0, 0))))
    positions = even_positions(request.frames, len(request.keys), request.closed)
    if request.equal_speed:
        positions = _equal_speed(model, request, path)
    return _frames(request, *on_device(model.device, partial(path.at, positions)))


def generate_frames(model: GenerativeModel, request: InterpolationRequest) -> NDArray[np.uint8]:
    """(F, H, W, C) uint8: all frames of a request, as its link and its command line give them."""
    frames = frames_of(model, request)
    return images_along(model, frames.latents, frames.weights, **frames.options)


def path_of(model: GenerativeModel, request: InterpolationRequest) -> KeyPath:
    """Through the request's space, or the first after it that all saved latents reach."""
    labels = [key.label for key in request.keys if key.label is not None] or None
    if labels and len(labels) < len(request.keys):
        raise GanlibError("Some key frames have a class and some have none; give each its own.")
    latents = stack_latents(request.run, model, [key.source for key in request.keys], labels, request.space)
    kind = "lerp" if model.spaces[latents.space] == "lerp" else request.path
    values = _option_values(model, request)

    def build() -> KeyPath:
        return key_path(
            model,
            latents,
            labels,
            space=latents.space,
            path=kind,
            closed=request.closed and not request.sheet,
            order=request.order,
            values=values,
        )

    return on_device(model.device, build)


def _option_values(model: GenerativeModel, request: InterpolationRequest) -> dict[str, Tensor]:
    """(M,) of each option that some key frame has a value of its own for."""
    defaults = {option.name: option.default for option in model.options} | request.options
    names = {name for key in request.keys for name, _ in key.options}
    return {
        name: torch.tensor([float(dict(key.options).get(name, defaults[name])) for key in request.keys])
        for name in sorted(names)
    }


def _frames(
    request: InterpolationRequest, latents: Latents, weights: Tensor | None, values: dict[str, Tensor]
) -> Frames:
    return Frames(latents, weights, {**request.options, **values})


def _equal_speed(model: GenerativeModel, request: InterpolationRequest, path: KeyPath) -> Tensor:
    """(F,) positions between whose images equal feature distances lie, by images much closer to each other."""
    count = min(DENSITY * request.frames, max(DENSEST, request.frames)) + 1
    positions = torch.linspace(0, path.segments, count, dtype=torch.float64)
    dense = _frames(request, *on_device(model.device, partial(path.at, positions)))
    images = images_along(model, dense.latents, dense.weights, **dense.options)
    steps = torch.from_numpy(step_lengths(images, model.device))
    return equal_positions(positions, steps, request.frames, request.closed)
