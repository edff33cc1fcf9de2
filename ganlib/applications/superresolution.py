"""Small pictures enlarged: by models trained to, in tiles where a picture is large, and by the levels of a LAPGAN."""

from __future__ import annotations

from functools import partial
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ganlib.devices import on_device
from ganlib.errors import GanlibError
from ganlib.images import from_uint8, to_pil, to_uint8
from ganlib.models import ImageToImage, Trainable
from ganlib.models.lapgan import LAPGAN

Filter = Literal["nearest", "bicubic", "lanczos"]
FILTERS: tuple[Filter, ...] = get_args(Filter)
TILE, OVERLAP = 128, 16  # pixels of an input that are enlarged at once, and of its neighbours that it sees
LONGEST = 1024  # pixels of a side of an input


def enlarges(model: Trainable) -> bool:
    return isinstance(model, LAPGAN) or (isinstance(model, ImageToImage) and model.task == "superresolution")


def input_sides(model: Trainable) -> tuple[int, ...]:
    """Sides of the square inputs that the model takes; () where it takes pictures of any shape."""
    if isinstance(model, LAPGAN):
        return tuple(model.config.sizes[:-1])
    assert isinstance(model, ImageToImage)
    return () if model.multiple else (model.input_shape[1],)


def scale_of(model: Trainable, side: int) -> int:
    """How many times larger an input of this side becomes."""
    return model.scale if isinstance(model, ImageToImage) else model.config.image_size // side


def enlarge(
    model: Trainable, picture: NDArray[np.uint8], *, label: int | None = None, seeds: tuple[int, ...] = (0,)
) -> NDArray[np.uint8]:
    """(h, w, C) uint8 -> (n, H, W, C): one result, of a LAPGAN one for each seed. GanlibError for a wrong size."""
    sides = input_sides(model)
    if sides and picture.shape[:2] not in [(side, side) for side in sides]:
        raise GanlibError(
            f"This model enlarges pictures of {' or '.join(f'{side} x {side}' for side in sides)} pixels, not "
            f"{picture.shape[1]} x {picture.shape[0]}; resize the picture first."
        )
    if isinstance(model, LAPGAN):
        return on_device(model.device, partial(_refined, model, picture, label, seeds))
    assert isinstance(model, ImageToImage)
    return _tiled(model, picture)[None]


def _refined(model: LAPGAN, picture: NDArray[np.uint8], label: int | None, seeds: tuple[int, ...]) -> NDArray[np.uint8]:
    if model.conditional and label is None:
        raise GanlibError("This model is conditional: give the class of the picture.")
    labels = torch.full((len(seeds),), label) if model.conditional and label is not None else None
    image = from_uint8(picture[None], model.device).expand(len(seeds), -1, -1, -1)
    *_, refined = model.refine(image, model.latents(seeds), labels)
    return to_uint8(refined)


def _tiled(model: ImageToImage, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Each tile is enlarged with some of what lies around it, so that no seam shows and memory is bounded."""
    height, width, channels = picture.shape
    scale = model.scale
    result = np.empty((height * scale, width * scale, channels), np.uint8)

    def compute(tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        inputs: Tensor = from_uint8(np.ascontiguousarray(tile)[None], model.device)
        return to_uint8(model.transform(inputs))[0]

    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            bottom, right = min(top + TILE, height), min(left + TILE, width)
            y, x = max(top - OVERLAP, 0), max(left - OVERLAP, 0)
            tile = picture[y : bottom + OVERLAP, x : right + OVERLAP]
            enlarged = on_device(model.device, partial(compute, tile))
            inner = enlarged[(top - y) * scale : (bottom - y) * scale, (left - x) * scale : (right - x) * scale]
            result[top * scale : bottom * scale, left * scale : right * scale] = inner
    return result


def filtered(picture: NDArray[np.uint8], scale: int, filter: Filter) -> NDArray[np.uint8]:
    """(h, w, C) uint8 -> (scale h, scale w, C) without any model."""
    height, width, channels = picture.shape
    resampling = {
        "nearest": Image.Resampling.NEAREST,
        "bicubic": Image.Resampling.BICUBIC,
        "lanczos": Image.Resampling.LANCZOS,
    }
    enlarged = to_pil(picture).resize((width * scale, height * scale), resampling[filter])
    return np.asarray(enlarged, np.uint8).reshape(height * scale, width * scale, channels)
