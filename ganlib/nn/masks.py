"""Holes in images, as masks: 1 in the hole, 0 elsewhere, (N, 1, H, W)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Generator, Tensor

Hole = Literal["centre", "half", "box", "strokes"]
HOLES: tuple[Hole, ...] = get_args(Hole)
SEGMENTS = 6  # of the strokes in an image
STROKE_WIDTH = 0.05, 0.12  # of the image's side
BOX_SIDE = 0.25, 0.5


def draw_masks(
    holes: Sequence[Hole], n: int, size: int, generator: Generator | None = None, device: torch.device | None = None
) -> Tensor:
    """n masks of size x size pixels, each of one of the kinds, drawn with equal chances from the CPU ``generator``."""
    kinds = torch.randint(len(holes), (n,), generator=generator)
    masks = torch.stack([_MASKS[holes[kind]](size, generator) for kind in kinds.tolist()])
    return masks[:, None].float().to(device)


def _centre(size: int, generator: Generator | None) -> Tensor:
    """A quarter of the area, as in the context encoder's paper."""
    return _box(size, size // 4, size // 4, size // 2, size // 2)


def _half(size: int, generator: Generator | None) -> Tensor:
    """One of the four halves."""
    mask = _box(size, 0, 0, size, size // 2)
    return torch.rot90(mask, int(torch.randint(4, (), generator=generator)))


def _random_box(size: int, generator: Generator | None) -> Tensor:
    low, high = BOX_SIDE
    height, width, top, left = torch.rand(4, generator=generator).tolist()
    h, w = (max(round((low + (high - low) * t) * size), 1) for t in (height, width))
    return _box(size, round(top * (size - h)), round(left * (size - w)), h, w)


def _box(size: int, top: int, left: int, height: int, width: int) -> Tensor:
    mask = torch.zeros(size, size)
    mask[top : top + height, left : left + width] = 1
    return mask


def _strokes(size: int, generator: Generator | None) -> Tensor:
    """One line of a brush with corners at random places."""
    points = torch.rand(SEGMENTS + 1, 2, generator=generator) * (size - 1)
    low, high = STROKE_WIDTH
    radius = (low + (high - low) * torch.rand((), generator=generator)) * size / 2
    axis = torch.arange(size, dtype=torch.float32)
    pixels = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1)  # (H, W, 2)
    start, end = points[:-1, None, None], points[1:, None, None]
    along = end - start
    t = ((pixels - start) * along).sum(-1) / along.square().sum(-1).clamp(min=1e-6)
    distance = (pixels - start - t.clamp(0, 1)[..., None] * along).norm(dim=-1)  # (segments, H, W)
    return (distance.amin(0) <= radius).float()


_MASKS = {"centre": _centre, "half": _half, "box": _random_box, "strokes": _strokes}


def join_mask(images: Tensor, masks: Tensor) -> Tensor:
    """(N, C, H, W) in [-1, 1] and (N, 1, H, W) -> (N, C + 1, H, W): grey holes, and 1 in the hole, -1 elsewhere."""
    return torch.cat([images * (1 - masks), 2 * masks - 1], dim=1)


def split_mask(inputs: Tensor) -> tuple[Tensor, Tensor]:
    """The images with holes and the masks that ``join_mask`` joined."""
    return inputs[:, :-1], (inputs[:, -1:] + 1) / 2
