"""Paths through a latent space from one seed and class to another."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganlib.errors import GanlibError
from ganlib.images import to_uint8
from ganlib.models import GenerativeModel, Latents
from ganlib.sampling.generate import in_chunks, options_of


def lerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """(D…), (D…), (F,) -> (F, D…): straight lines."""
    t = t.reshape(-1, *[1] * a.ndim)
    return a + (b - a) * t


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """(D…), (D…), (F,) -> (F, D…): along the great circle, so that norms stay typical of a Gaussian.

    White, "Sampling Generative Networks", arXiv:1609.04468. Falls back to ``lerp`` for (anti)parallel ends,
    where the circle is not defined.
    """
    unit_a, unit_b = a / a.norm(), b / b.norm()
    angle = torch.arccos((unit_a * unit_b).sum().clamp(-1, 1))
    if angle.sin().abs() < 1e-4:
        return lerp(a, b, t)
    t = t.reshape(-1, *[1] * a.ndim)
    return (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()


PATHS = {"slerp": slerp, "lerp": lerp}


@torch.inference_mode()
def latent_path(
    model: GenerativeModel,
    seeds: tuple[int, int],
    labels: tuple[int, int] | None,
    frames: int,
    *,
    space: str = "z",
    path: str | None = None,
) -> tuple[Latents, Tensor | None]:
    """The latents from one seed to another and (frames, K) class weights; both ends are exactly those of the seeds.

    ``path`` is "slerp" or "lerp", by default the one that suits the space. Classes morph by their weights. Noise
    beyond the latent is held still at the first seed's.
    """
    if frames < 2:
        raise GanlibError(f"An interpolation needs at least 2 frames, not {frames}.")
    t = torch.linspace(0, 1, frames, device=model.device)
    ends = weights = None
    if labels is not None:
        ends = model.class_weights(torch.tensor(labels))
        weights = lerp(ends[0], ends[1], t)
    # Twice: a batch of four, as a sample is at least, so that both ends are that to the bit.
    first, last, *_ = model.map(model.latents(seeds * 2), None if ends is None else ends.repeat(2, 1), space).z
    points = PATHS[path or model.spaces[space]](first, last, t)
    points[0], points[-1] = first, last  # exactly, whatever the rounding of t
    return Latents(points, torch.full((frames,), seeds[0], dtype=torch.int64), space), weights


@torch.inference_mode()
def interpolate(
    model: GenerativeModel,
    seeds: tuple[int, int],
    labels: tuple[int, int] | None,
    frames: int,
    *,
    space: str = "z",
    path: str | None = None,
    **options: Any,
) -> NDArray[np.uint8]:
    """(frames, H, W, C) uint8 along ``latent_path``; both ends are exactly the images of these seeds and classes."""
    latents, weights = latent_path(model, seeds, labels, frames, space=space, path=path)

    def compute(rows: Tensor) -> NDArray[np.uint8]:
        y = None if weights is None else weights[rows]
        return to_uint8(model.generate(latents[rows], y, **options_of(options, rows)))

    return np.concatenate(list(in_chunks(model, frames, compute)))
