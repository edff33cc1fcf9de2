"""Pictures through image-to-image models: other domains and back, drawings and greys to pictures, what changed."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from ganlib.devices import on_device
from ganlib.images import from_uint8, to_uint8
from ganlib.models import ImageToImage


def translate(model: ImageToImage, pictures: NDArray[np.uint8], domain: int) -> NDArray[np.uint8]:
    """(N, H, W, C) uint8 of one domain, 0 or 1 -> the same in the other."""
    labels = torch.full((len(pictures),), domain)

    def compute() -> NDArray[np.uint8]:
        return to_uint8(model.transform(from_uint8(pictures, model.device), labels))

    return on_device(model.device, compute)


def change_map(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, C) each -> (H, W, 1): how far each pixel went, the largest of all white."""
    distance = np.sqrt(np.square(after.astype(np.float64) - before).mean(axis=2, keepdims=True))
    return np.round(255 * distance / max(distance.max(), 1e-9)).astype(np.uint8)


def degraded_input(model: ImageToImage, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, C) uint8 -> (h, w, c) uint8: the input that the model makes of a whole picture, as lines or greys."""
    return on_device(model.device, partial(_degraded, model, picture))


def _degraded(model: ImageToImage, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return to_uint8(model.degrade(from_uint8(picture[None], model.device)))[0]


def from_input(model: ImageToImage, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w, c) uint8 of the model's input shape -> (H, W, C): a drawing, a grey or small picture made a picture."""

    def compute() -> NDArray[np.uint8]:
        return to_uint8(model.transform(from_uint8(picture[None], model.device)))[0]

    return on_device(model.device, compute)
