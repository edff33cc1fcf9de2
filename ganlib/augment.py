"""What D sees, real and fake alike, is altered at random and differentiably.

DiffAugment: Zhao, Liu, Lin, Zhu, Han, "Differentiable Augmentation for Data-Efficient GAN Training", NeurIPS 2020,
arXiv:2006.10738, section 3.2. Adaptive augmentation: Karras, Aittala, Hellsten, Laine, Lehtinen, Aila, "Training
Generative Adversarial Networks with Limited Data", NeurIPS 2020, arXiv:2006.06676, appendix B: pixel blitting,
geometry and colour, each with probability p; resampled bilinearly, without the paper's wavelet filter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import pi, sqrt
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, pad

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


def adaptive(images: Tensor, p: float) -> Tensor:
    """(N, C, H, W) -> (N, C, H, W): each alteration with probability p, each image with numbers of its own.

    ``grid_sample`` has a first derivative only: penalties on gradients are taken on images already altered.
    """
    if p == 0:
        return images
    n, c, h, w = images.shape
    motion = geometry(n, p, h).to(images.device)
    moved = affine_grid(motion[:, :2], [n, c, h, w], align_corners=False)
    x = grid_sample(images, moved, padding_mode="reflection", align_corners=False)
    change = colours(n, p).to(images.device)
    if c != 3:  # what happens to greys, which have no hue
        change = torch.cat([change[:, :1, :3].sum(2, keepdim=True), change[:, :1, 3:]], dim=2)
        return x * change[:, :, :1, None] + change[:, :, 1:, None]
    return torch.einsum("nij,njhw->nihw", change[:, :3, :3], x) + change[:, :3, 3, None, None]


def geometry(n: int, p: float, side: int) -> Tensor:
    """(n, 3, 3): from where in [-1, 1]² each place of the altered image comes."""
    turned = 1 - sqrt(1 - p)  # before and after stretching: at least one of them with probability p
    steps = [
        stretch(1 - 2 * happens(n, p) * torch.randint(2, (n,)), torch.ones(n)),  # mirrored
        rotation(happens(n, p) * torch.randint(4, (n,)) * (pi / 2)),
        shift(*(happens(n, p) * (torch.rand(2, n) * 0.25 - 0.125).mul(side).round() * 2 / side)),  # whole pixels
        stretch(*(happens(n, p) * 0.2 * torch.randn(n)).exp2().expand(2, n)),
        rotation(happens(n, turned) * (torch.rand(n) * 2 - 1) * pi),
        stretch(*(happens(n, p) * 0.2 * torch.randn(n) * torch.tensor([[1.0], [-1.0]])).exp2()),
        rotation(happens(n, turned) * (torch.rand(n) * 2 - 1) * pi),
        shift(*(happens(n, p) * 2 * 0.125 * torch.randn(2, n))),
    ]
    return product(steps)


def colours(n: int, p: float) -> Tensor:
    """(n, 4, 4): what becomes of a colour (r, g, b, 1) with values in [-1, 1]."""
    grey = torch.tensor([1.0, 1.0, 1.0]) / sqrt(3)
    along = torch.zeros(4, 4)
    along[:3, :3] = grey.outer(grey)
    apart = torch.diag(torch.tensor([1.0, 1.0, 1.0, 0.0])) - along
    corner = torch.zeros(4, 4)
    corner[3, 3] = 1

    def scaled(luma: Tensor, chroma: Tensor) -> Tensor:
        return luma[:, None, None] * along + chroma[:, None, None] * apart + corner

    brightness = torch.eye(4).repeat(n, 1, 1)
    brightness[:, :3, 3] = (happens(n, p) * 0.2 * torch.randn(n))[:, None]
    contrast = (happens(n, p) * 0.5 * torch.randn(n)).exp2()
    flip = 1 - 2 * happens(n, p) * torch.randint(2, (n,))
    saturation = (happens(n, p) * torch.randn(n)).exp2()
    ones = torch.ones(n)
    steps = [
        scaled(ones, saturation),
        hue(happens(n, p) * (torch.rand(n) * 2 - 1) * pi),
        scaled(flip, ones),
        scaled(contrast, contrast),
        brightness,
    ]
    return product(steps)


def happens(n: int, p: float) -> Tensor:
    """(n,) 1 with probability p, else 0."""
    return (torch.rand(n) < p).float()


def product(steps: list[Tensor]) -> Tensor:
    """(n, k, k) matrices -> their product, the last one applied first."""
    whole = steps[0]
    for step in steps[1:]:
        whole = whole @ step
    return whole


def stretch(x: Tensor, y: Tensor) -> Tensor:
    """(n,), (n,) -> (n, 3, 3)."""
    return torch.diag_embed(torch.stack([x, y, torch.ones_like(x)], dim=1))


def shift(x: Tensor, y: Tensor) -> Tensor:
    """(n,), (n,) -> (n, 3, 3)."""
    matrix = torch.eye(3).repeat(len(x), 1, 1)
    matrix[:, 0, 2], matrix[:, 1, 2] = x, y
    return matrix


def rotation(angle: Tensor) -> Tensor:
    """(n,) radians -> (n, 3, 3)."""
    matrix = torch.eye(3).repeat(len(angle), 1, 1)
    cos, sin = angle.cos(), angle.sin()
    matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 1, 0], matrix[:, 1, 1] = cos, -sin, sin, cos
    return matrix


def hue(angle: Tensor) -> Tensor:
    """(n,) radians -> (n, 4, 4): colours turned around the axis of greys (Rodrigues' formula)."""
    axis = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / sqrt(3)
    sin, rest = angle.sin()[:, None, None], (1 - angle.cos())[:, None, None]
    matrix = torch.eye(4).repeat(len(angle), 1, 1)
    matrix[:, :3, :3] += sin * axis + rest * (axis @ axis)
    return matrix
