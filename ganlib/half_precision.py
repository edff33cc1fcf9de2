"""Weights as float16, for shipping: half the bytes, where nobody sees a difference in the images."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from ganlib.errors import GanlibError
from ganlib.images import to_uint8
from ganlib.models import GenerativeModel, ImageToImage, Trainable
from ganlib.naming import counted
from ganlib.runs import Run, read_tensors
from ganlib.sampling import sample, transform

SEEDS = range(64)
SMOOTH = 8  # random values of a side of an image
# Nobody sees 8 of 255 levels in one pixel. On average less than half a level, which is what rounding an image to
# levels costs anyway, so that no area gets brighter or darker.
MAX_LEVELS, MAX_MEAN = 8, 0.5


class ImageChange(NamedTuple):
    """By how many of 255 levels the images of ``SEEDS`` changed, or the outputs of as many smooth random images."""

    largest: int
    mean: float

    def __str__(self) -> str:
        return f"largest difference {counted(self.largest, 'level')}, mean {self.mean:.2f}"


class Halving(NamedTuple):
    bytes_before: int
    bytes_after: int
    change: ImageChange | None  # None for what generates no images


def halve(run: Run, device: torch.device) -> Halving | None:
    """None where the weights are halved already. GanlibError where it would show, and nothing is written."""
    model = run.load(device)
    tensors = read_tensors(run.folder.weights)
    if all(v.dtype == torch.float16 for v in tensors.values() if v.is_floating_point()):
        return None
    try:
        half = to_half(tensors)
        makes_images = isinstance(model, (GenerativeModel, ImageToImage))
        change = measure_change(model, half) if makes_images else None
    except GanlibError as error:
        raise GanlibError(f"{run.name} cannot be halved: {error}; ship it as it is.") from None
    before = run.folder.weights.stat().st_size
    run.store(half)
    return Halving(before, run.folder.weights.stat().st_size, change)


def to_half(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Floating tensors as float16, which loading makes float32 again; the rest as it is."""
    half = {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}
    for name, tensor in half.items():
        if not tensor.isfinite().all():
            limit = torch.finfo(torch.half).max
            raise GanlibError(f"{name} holds values beyond those of float16, at most {limit:,.0f}")
    return half


def measure_change(model: Trainable, half: dict[str, Tensor]) -> ImageChange:
    """Loads the half weights into the model. GanlibError where people could see the change."""
    before = _draw(model).astype(int)
    model.load_state_dict(half)
    difference = np.abs(_draw(model) - before)
    change = ImageChange(int(difference.max()), float(difference.mean()))
    if change.largest > MAX_LEVELS or change.mean >= MAX_MEAN:
        raise GanlibError(
            f"its pictures would visibly change ({change}; allowed are {MAX_LEVELS} and less than {MAX_MEAN})"
        )
    return change


def _draw(model: Trainable) -> NDArray[np.uint8]:
    """Images of ``SEEDS``, or outputs of as many images that need no data set."""
    classes = [i % max(model.config.num_classes, 1) for i in SEEDS]
    if isinstance(model, GenerativeModel):
        return sample(model, SEEDS, classes if model.conditional else None)
    assert isinstance(model, ImageToImage)
    c = model.config
    coarse = torch.rand(len(SEEDS), c.channels, SMOOTH, SMOOTH, generator=torch.Generator().manual_seed(0))
    images = interpolate(2 * coarse - 1, size=(c.image_size, c.image_size), mode="bicubic").clamp(-1, 1)
    return transform(model, to_uint8(images), classes).outputs
