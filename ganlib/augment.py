"""DiffAugment: what D sees, real and fake alike, is altered at random and differentiably.

Zhao, Liu, Lin, Zhu, Han, "Differentiable Augmentation for Data-Efficient GAN Training", NeurIPS 2020,
arXiv:2006.10738, section 3.2
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import pad

Policy = Literal["color", "translation", "cutout"]

SHIFT = 1 / 8  # furthest translation, of the side
HOLE = 1 / 2  # side of the square cut out, of the side


def diffaugment(images: Tensor, policies: Iterable[Policy]) -> Tensor:
    """(N, C, H, W) -> (N, C, H, W): the policies in this order, each image with numbers of its own."""
    for policy in policies:
        images = POLICIES[policy](images)
    return images


def color(x: Tensor) -> Tensor:
    """Brightness moved by up to a half, saturation times 0 … 2, contrast times 0.5 … 1.5."""
    brightness, saturation, contrast = torch.rand(3, len(x), 1, 1, 1, device=x.device)
    x = x + brightness - 0.5
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * 2 * saturation
    mean = x.mean((1, 2, 3), keepdim=True)
    return mean + (x - mean) * (contrast + 0.5)


def translation(x: Tensor) -> Tensor:
    """By up to an eighth of each side, zeros moving in."""
    n, c, h, w = x.shape
    rows, columns = shifted(n, h, x.device), shifted(n, w, x.device)
    image, channel = torch.arange(n, device=x.device), torch.arange(c, device=x.device)
    bordered = pad(x, (1, 1, 1, 1))
    return bordered[
        image[:, None, None, None], channel[None, :, None, None], rows[:, None, :, None], columns[:, None, None, :]
    ]


def shifted(n: int, side: int, device: torch.device) -> Tensor:
    """(n, side): where each place comes from within a border of one zero on either side."""
    furthest = int(side * SHIFT + 0.5)
    by = torch.randint(-furthest, furthest + 1, (n, 1), device=device)
    return (torch.arange(1, side + 1, device=device) + by).clamp(0, side + 1)


def cutout(x: Tensor) -> Tensor:
    """A square of half the side becomes zero; its centre lies anywhere in the image."""
    n, _, h, w = x.shape
    hole = in_hole(n, h, x.device)[:, None, :, None] & in_hole(n, w, x.device)[:, None, None, :]
    return x.masked_fill(hole, 0)


def in_hole(n: int, side: int, device: torch.device) -> Tensor:
    """(n, side): whether a place lies in the hole's extent along one axis."""
    length = int(side * HOLE + 0.5)
    start = torch.randint(side + 1 - length % 2, (n, 1), device=device) - length // 2
    place = torch.arange(side, device=device)
    return (place >= start) & (place < start + length)


POLICIES: dict[Policy, Callable[[Tensor], Tensor]] = {"color": color, "translation": translation, "cutout": cutout}
