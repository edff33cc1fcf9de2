"""Images as tensors, arrays and files: the one place that knows how pixel values become model inputs.

Models see (N, C, H, W) float in [-1, 1]; everything else (N, H, W, C) uint8 levels 0 … 255.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ganlib.errors import GanlibError

GIF_SIDE = 256  # frames are enlarged to about this many pixels, in whole steps so that pixels stay square


def normalize(levels: Tensor) -> Tensor:
    """Levels 0 … 255, of any dtype and shape -> float32 in [-1, 1], a copy."""
    return levels.to(torch.float32, copy=True).mul_(2 / 255).sub_(1)


def denormalize(images: Tensor) -> Tensor:
    """[-1, 1] -> levels 0 … 255, neither rounded nor clamped."""
    return (images + 1) * 127.5


def from_uint8(images: NDArray[np.uint8], device: torch.device | str = "cpu") -> Tensor:
    """(N, H, W, C) uint8 -> (N, C, H, W) float32 in [-1, 1], channels last in memory."""
    return normalize(torch.from_numpy(images).to(device).permute(0, 3, 1, 2))


def to_uint8(images: Tensor) -> NDArray[np.uint8]:
    """(N, C, H, W) in [-1, 1] -> (N, H, W, C) uint8, rounded to the nearest level. GanlibError where one is NaN."""
    if images.isnan().any():  # which has no nearest level
        raise GanlibError("Some pixels are not numbers: the weights or the options drive the model out of its range.")
    levels = denormalize(images).round_().clamp_(0, 255)
    return levels.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()


def to_pil(image: NDArray[np.uint8]) -> Image.Image:
    """(H, W, C) uint8 -> picture; one channel becomes greyscale."""
    return Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)


def resize_nearest(images: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """(N, h, w, C) -> (N, height, width, C): each pixel is the one under its middle."""
    rows, columns = _nearest(images.shape[1], height), _nearest(images.shape[2], width)
    return images[:, rows[:, None], columns]


def _nearest(old: int, new: int) -> NDArray[np.int64]:
    """(new,) which of ``old`` pixels in a row lies under the middle of each of ``new``."""
    return (2 * np.arange(new) + 1) * old // (2 * new)


def grid(images: NDArray[np.uint8], columns: int, gap: int = 2) -> Image.Image:
    """(N, H, W, C) uint8 -> one picture, row by row, on white."""
    n, h, w, c = images.shape
    rows = -(-n // columns)
    canvas = np.full((rows * (h + gap) - gap, columns * (w + gap) - gap, c), 255, np.uint8)
    for i, image in enumerate(images):
        y, x = i // columns * (h + gap), i % columns * (w + gap)
        canvas[y : y + h, x : x + w] = image
    return to_pil(canvas)


def strip(stages: Sequence[NDArray[np.uint8]], gap: int = 2) -> Image.Image:
    """(N, h, w, C) uint8 each -> one picture: a row an image, all stages at the last one's size, in square pixels."""
    height, width = stages[-1].shape[1:3]
    cells = np.stack([resize_nearest(stage, height, width) for stage in stages], axis=1)
    return grid(cells.reshape(-1, *cells.shape[2:]), len(stages), gap)


def png(image: NDArray[np.uint8] | Image.Image) -> bytes:
    """(H, W, C) uint8 or a picture -> PNG. Level 1: a third larger than level 6, and five times faster."""
    picture = image if isinstance(image, Image.Image) else to_pil(image)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def webp(picture: Image.Image, quality: int = 90) -> bytes:
    """A picture -> lossy WebP."""
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()


def zip_of_pngs(files: Iterable[tuple[str, NDArray[np.uint8]]], provenance: dict[str, Any]) -> bytes:
    """(name, (H, W, C) uint8) pairs as PNGs beside ``provenance.json``, which says how to make them again."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # PNGs are compressed already
        archive.writestr("provenance.json", json.dumps(provenance, indent=2))
        for name, image in files:
            archive.writestr(name, png(image))
    return buffer.getvalue()


def gif(frames: NDArray[np.uint8], *, frames_per_second: float = 12, boomerang: bool = True) -> bytes:
    """(F, H, W, C) uint8 -> endlessly looping GIF; with ``boomerang`` there and back, so that the loop has no jump."""
    scale = max(GIF_SIDE // frames.shape[1], 1)
    order = [*range(len(frames)), *range(len(frames) - 2, 0, -1)] if boomerang else range(len(frames))
    pictures = [
        to_pil(frames[i]).resize((frames.shape[2] * scale, frames.shape[1] * scale), Image.Resampling.NEAREST)
        for i in order
    ]
    buffer = io.BytesIO()
    pictures[0].save(
        buffer,
        "GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=round(1000 / frames_per_second),
        loop=0,
    )
    return buffer.getvalue()
