"""Paths through a latent space from one seed and class to another, by any number of key frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganlib.errors import GanlibError
from ganlib.images import to_uint8
from ganlib.models import GenerativeModel, Latents
from ganlib.sampling.generate import fill_up, in_chunks, options_of


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
ORDERS = ("together", "latent first", "class first")
"""Whether latent and class change at once between two key frames, or one after the other."""


@dataclass(frozen=True)
class KeyPath:
    """A path through M key frames. The position i + t is the fraction t of the way from key frame i to the next.

    ``closed``: from the last one back to the first. Noise beyond the latent is held still at ``seed``'s.
    """

    points: Tensor  # (M, D…) of ``space``
    weights: Tensor | None  # (M, K) of classes
    seed: int
    space: str
    path: str  # of PATHS
    closed: bool = False
    order: str = "together"  # of ORDERS
    values: dict[str, Tensor] = field(default_factory=dict)  # options of ``generate`` that change, (M,) each

    @property
    def segments(self) -> int:
        return len(self.points) - (not self.closed)

    def at(self, positions: Tensor) -> tuple[Latents, Tensor | None, dict[str, Tensor]]:
        """(F,) positions -> latents, (F, K) class weights and (F,) of each option; key frames are met exactly."""
        index = positions.floor().long().clamp(0, self.segments - 1)
        t = positions - index
        early, late = (2 * t).clamp(max=1), (2 * t - 1).clamp(min=0)
        latent_t = {"latent first": early, "class first": late}.get(self.order, t)
        class_t = {"latent first": late, "class first": early}.get(self.order, t)
        points = self._between(self.points, PATHS[self.path], index, latent_t)
        weights = None if self.weights is None else self._between(self.weights, lerp, index, class_t)
        values = {name: self._between(v, lerp, index, latent_t) for name, v in self.values.items()}
        return Latents(points, torch.full((len(positions),), self.seed), self.space), weights, values

    def _between(self, keys: Tensor, path: Any, index: Tensor, t: Tensor) -> Tensor:
        """(M, …) at key frames -> (F, …)."""
        result = keys.new_empty(len(index), *keys.shape[1:])
        for i in index.unique().tolist():
            a, b, rows = keys[i], keys[(i + 1) % len(keys)], index == i
            part = path(a, b, t[rows].to(keys))
            part[t[rows] == 0], part[t[rows] == 1] = a, b  # exactly, whatever the rounding
            result[rows] = part
        return result


def key_path(
    model: GenerativeModel,
    keys: Sequence[int] | Latents,
    labels: Sequence[int] | None,
    *,
    space: str = "z",
    path: str | None = None,
    closed: bool = False,
    order: str = "together",
    values: Mapping[str, Tensor] = {},
) -> KeyPath:
    """The path through the seeds or latents ``keys``, of the classes ``labels``.

    ``path`` is "slerp" or "lerp", by default the one that suits the space. ``values``: options that differ between key
    frames, (M,) each.
    """
    if len(keys) < 2:
        raise GanlibError(f"An interpolation needs at least 2 key frames, not {len(keys)}.")
    if order not in ORDERS:
        raise GanlibError(f"Latent and class change {', '.join(ORDERS)}; {order!r} is none of these.")
    weights = None if labels is None else model.class_weights(torch.tensor(labels))
    # A batch of four or more, as a sample is, so that key frames are the samples to the bit.
    rows = fill_up(slice(0, len(keys)), len(keys) + 4)
    latents = keys[rows] if isinstance(keys, Latents) else model.latents([keys[i] for i in rows.tolist()])
    points = model.map(latents, None if weights is None else weights[rows], space).z[: len(keys)]
    seed = int(latents.seeds[0])
    return KeyPath(points, weights, seed, space, path or model.spaces[space], closed, order, dict(values))


def even_positions(frames: int, keys: int, closed: bool = False) -> Tensor:
    """(frames,) float64 positions through ``keys`` key frames, each of which is one of them, at even steps between.

    A closed path's last frame stands one step before the first, so that it goes on without a halt.
    """
    if frames < 2:
        raise GanlibError(f"An interpolation needs at least 2 frames, not {frames}.")
    segments = keys if closed else keys - 1
    last = frames if closed else frames - 1
    if last < segments:
        raise GanlibError(f"{frames} frames are too few for {keys} key frames; each needs one of its own.")
    ends = [round(i * last / segments) for i in range(segments + 1)]
    parts = [i + torch.arange(b - a, dtype=torch.float64) / (b - a) for i, (a, b) in enumerate(pairwise(ends))]
    return torch.cat(parts if closed else [*parts, torch.tensor([segments], dtype=torch.float64)])


def equal_positions(positions: Tensor, steps: Tensor, frames: int, closed: bool = False) -> Tensor:
    """(frames,) positions between which equal distances lie.

    ``positions``: (P,) from the beginning of a path to its end; ``steps``: (P - 1,) the distances between them.
    """
    length = torch.cat([steps.new_zeros(1), steps.cumsum(0)]).double().numpy()
    if not length[-1] > 0:
        raise GanlibError("Nothing changes along this path, so that no speed can be equal; choose other key frames.")
    wanted = np.linspace(0, length[-1], frames + 1 if closed else frames)
    result = torch.from_numpy(np.interp(wanted, length, positions.double().numpy()))
    return result[:frames]


@torch.inference_mode()
def latent_path(
    model: GenerativeModel,
    keys: Sequence[int] | Latents,
    labels: Sequence[int] | None,
    frames: int,
    **path: Any,
) -> tuple[Latents, Tensor | None]:
    """``frames`` latents and (frames, K) class weights at even steps of the ``key_path``; key frames are exact."""
    positions = even_positions(frames, len(keys), bool(path.get("closed")))
    latents, weights, _ = key_path(model, keys, labels, **path).at(positions)
    return latents, weights


@torch.inference_mode()
def interpolate(
    model: GenerativeModel,
    keys: Sequence[int] | Latents,
    labels: Sequence[int] | None,
    frames: int,
    *,
    space: str = "z",
    path: str | None = None,
    closed: bool = False,
    order: str = "together",
    **options: Any,
) -> NDArray[np.uint8]:
    """(frames, H, W, C) uint8 along ``latent_path``; the key frames' are exactly the images of these seeds.

    Where images take noise besides the latent, all frames have the first seed's, and so do the key frames.
    """
    latents, weights = latent_path(model, keys, labels, frames, space=space, path=path, closed=closed, order=order)
    return images_along(model, latents, weights, **options)


def images_along(model: GenerativeModel, latents: Latents, weights: Tensor | None, **options: Any) -> NDArray[np.uint8]:
    """(F, H, W, C) uint8 of latents and (F, K) class weights; options are scalars or (F,) tensors."""

    def compute(rows: Tensor) -> NDArray[np.uint8]:
        y = None if weights is None else weights[rows]
        return to_uint8(model.generate(latents[rows], y, **options_of(options, rows)))

    return np.concatenate(list(in_chunks(model, len(latents), compute)))


def corner_path(corners: KeyPath, rows: int, columns: int) -> tuple[Latents, Tensor | None, dict[str, Tensor]]:
    """(rows · columns) latents, class weights and options between four corners, row by row.

    The corners are the path's key frames in reading order: top left, top right, bottom left, bottom right.
    """
    if len(corners.points) != 4:
        raise GanlibError(f"A sheet lies between 4 key frames, not {len(corners.points)}.")
    if rows < 2 or columns < 2:
        raise GanlibError(f"A sheet has at least 2 rows and 2 columns, not {rows} x {columns}.")
    across, down = (torch.linspace(0, 1, n, dtype=torch.float64) for n in (columns, rows))

    def fill(keys: Tensor, path: Any) -> Tensor:
        top, bottom = (path(a, b, across.to(keys)) for a, b in ((keys[0], keys[1]), (keys[2], keys[3])))
        top[0], top[-1], bottom[0], bottom[-1] = keys  # exactly
        lines = [path(a, b, down.to(keys)) for a, b in zip(top, bottom, strict=True)]
        for line, a, b in zip(lines, top, bottom, strict=True):
            line[0], line[-1] = a, b
        return torch.stack(lines, dim=1).flatten(0, 1)

    points = fill(corners.points, PATHS[corners.path])
    weights = None if corners.weights is None else fill(corners.weights, lerp)
    values = {name: fill(v, lerp) for name, v in corners.values.items()}
    return Latents(points, torch.full((len(points),), corners.seed), corners.space), weights, values
