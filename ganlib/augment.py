"""Differentiable random augmentation of D's real and fake images.

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

TRANSLATION_RATIO = 1 / 8  # maximal translation, as a fraction of the side
CUTOUT_RATIO = 1 / 2  # side of the square cut out, as a fraction of the side


def diffaugment(images: Tensor, policies: Iterable[Policy]) -> Tensor:
    """(N, C, H, W) -> (N, C, H, W): the policies in this order, independently per image."""
    for policy in policies:
        images = POLICIES[policy](images)
    return images


def color(x: Tensor, strength: float = 1.0) -> Tensor:
    """Brightness moved by up to a half, saturation times 0 … 2, contrast times 0.5 … 1.5; less by the ``strength``."""
    brightness, saturation, contrast = torch.rand(3, len(x), 1, 1, 1, device=x.device)
    x = x + strength * (brightness - 0.5)
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * (1 + strength * (2 * saturation - 1))
    mean = x.mean((1, 2, 3), keepdim=True)
    return mean + (x - mean) * (1 + strength * (contrast - 0.5))


def translation(x: Tensor) -> Tensor:
    """By up to an eighth of each side, zeros moving in."""
    n, c, h, w = x.shape
    rows, columns = shifted_indices(n, h, x.device), shifted_indices(n, w, x.device)
    image, channel = torch.arange(n, device=x.device), torch.arange(c, device=x.device)
    padded = pad(x, (1, 1, 1, 1))
    return padded[
        image[:, None, None, None], channel[None, :, None, None], rows[:, None, :, None], columns[:, None, None, :]
    ]


def shifted_indices(n: int, side: int, device: torch.device) -> Tensor:
    """(n, side): source index of each position, in an image padded by one zero on either side."""
    max_shift = int(side * TRANSLATION_RATIO + 0.5)
    offset = torch.randint(-max_shift, max_shift + 1, (n, 1), device=device)
    return (torch.arange(1, side + 1, device=device) + offset).clamp(0, side + 1)


def random_shift(images: Tensor, max_shift: int) -> Tensor:
    """Each image moved by up to ``max_shift`` pixels either way; borders are reflected."""
    n, _, h, w = images.shape
    padded = pad(images, (max_shift,) * 4, mode="reflect")
    dy, dx = torch.randint(0, 2 * max_shift + 1, (2, n, 1), device=images.device)
    rows, columns = dy + torch.arange(h, device=images.device), dx + torch.arange(w, device=images.device)
    shifted = padded.permute(0, 2, 3, 1)[torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]
    return shifted.permute(0, 3, 1, 2)  # channels last in memory, as the convolutions want it


def cutout(x: Tensor) -> Tensor:
    """A square of half the side becomes zero; its centre lies anywhere in the image."""
    n, _, h, w = x.shape
    hole = hole_mask(n, h, x.device)[:, None, :, None] & hole_mask(n, w, x.device)[:, None, None, :]
    return x.masked_fill(hole, 0)


def hole_mask(n: int, side: int, device: torch.device) -> Tensor:
    """(n, side): whether a position lies in the hole, along one axis."""
    length = int(side * CUTOUT_RATIO + 0.5)
    start = torch.randint(side + 1 - length % 2, (n, 1), device=device) - length // 2
    position = torch.arange(side, device=device)
    return (position >= start) & (position < start + length)


POLICIES: dict[Policy, Callable[[Tensor], Tensor]] = {"color": color, "translation": translation, "cutout": cutout}


def ada_augment(images: Tensor, p: float) -> Tensor:
    """(N, C, H, W) -> (N, C, H, W): ADA's pipeline, each transform with probability p, independently per image.

    ``grid_sample`` has a first derivative only: gradient penalties are computed on augmented images.
    """
    if p == 0:
        return images
    n, c, h, w = images.shape
    transform = geometric_transform(n, p, h).to(images.device)
    grid = affine_grid(transform[:, :2], [n, c, h, w], align_corners=False)
    x = grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    matrix = color_transform(n, p).to(images.device)
    if c != 3:  # the transform restricted to greys
        matrix = torch.cat([matrix[:, :1, :3].sum(2, keepdim=True), matrix[:, :1, 3:]], dim=2)
        return x * matrix[:, :, :1, None] + matrix[:, :, 1:, None]
    return torch.einsum("nij,njhw->nihw", matrix[:, :3, :3], x) + matrix[:, :3, 3, None, None]


def geometric_transform(n: int, p: float, side: int) -> Tensor:
    """(n, 3, 3): homogeneous transform of output to input positions in [-1, 1]²."""
    p_rot = 1 - sqrt(1 - p)  # before and after scaling: at least one of them with probability p
    steps = [
        scale(1 - 2 * bernoulli(n, p) * torch.randint(2, (n,)), torch.ones(n)),  # mirrored
        rotate(bernoulli(n, p) * torch.randint(4, (n,)) * (pi / 2)),
        translate(*(bernoulli(n, p) * (torch.rand(2, n) * 0.25 - 0.125).mul(side).round() * 2 / side)),  # whole pixels
        scale(*(bernoulli(n, p) * 0.2 * torch.randn(n)).exp2().expand(2, n)),
        rotate(bernoulli(n, p_rot) * (torch.rand(n) * 2 - 1) * pi),
        scale(*(bernoulli(n, p) * 0.2 * torch.randn(n) * torch.tensor([[1.0], [-1.0]])).exp2()),
        rotate(bernoulli(n, p_rot) * (torch.rand(n) * 2 - 1) * pi),
        translate(*(bernoulli(n, p) * 2 * 0.125 * torch.randn(2, n))),
    ]
    return compose(steps)


def color_transform(n: int, p: float) -> Tensor:
    """(n, 4, 4): affine transform of colours (r, g, b, 1) with values in [-1, 1]."""
    grey = torch.tensor([1.0, 1.0, 1.0]) / sqrt(3)
    along = torch.zeros(4, 4)
    along[:3, :3] = grey.outer(grey)
    apart = torch.diag(torch.tensor([1.0, 1.0, 1.0, 0.0])) - along
    corner = torch.zeros(4, 4)
    corner[3, 3] = 1

    def scaled(luma: Tensor, chroma: Tensor) -> Tensor:
        return luma[:, None, None] * along + chroma[:, None, None] * apart + corner

    brightness = torch.eye(4).repeat(n, 1, 1)
    brightness[:, :3, 3] = (bernoulli(n, p) * 0.2 * torch.randn(n))[:, None]
    contrast = (bernoulli(n, p) * 0.5 * torch.randn(n)).exp2()
    flip = 1 - 2 * bernoulli(n, p) * torch.randint(2, (n,))
    saturation = (bernoulli(n, p) * torch.randn(n)).exp2()
    ones = torch.ones(n)
    steps = [
        scaled(ones, saturation),
        rotate_hue(bernoulli(n, p) * (torch.rand(n) * 2 - 1) * pi),
        scaled(flip, ones),
        scaled(contrast, contrast),
        brightness,
    ]
    return compose(steps)


def bernoulli(n: int, p: float) -> Tensor:
    """(n,) 1 with probability p, else 0."""
    return (torch.rand(n) < p).float()


def compose(steps: list[Tensor]) -> Tensor:
    """(n, k, k) matrices -> their product, the last one applied first."""
    product = steps[0]
    for step in steps[1:]:
        product = product @ step
    return product


def scale(x: Tensor, y: Tensor) -> Tensor:
    """(n,), (n,) -> (n, 3, 3)."""
    return torch.diag_embed(torch.stack([x, y, torch.ones_like(x)], dim=1))


def translate(x: Tensor, y: Tensor) -> Tensor:
    """(n,), (n,) -> (n, 3, 3)."""
    matrix = torch.eye(3).repeat(len(x), 1, 1)
    matrix[:, 0, 2], matrix[:, 1, 2] = x, y
    return matrix


def rotate(angle: Tensor) -> Tensor:
    """(n,) radians -> (n, 3, 3)."""
    matrix = torch.eye(3).repeat(len(angle), 1, 1)
    cos, sin = angle.cos(), angle.sin()
    matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 1, 0], matrix[:, 1, 1] = cos, -sin, sin, cos
    return matrix


def rotate_hue(angle: Tensor) -> Tensor:
    """(n,) radians -> (n, 4, 4): colours turned around the axis of greys (Rodrigues' formula)."""
    axis = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / sqrt(3)
    sin, rest = angle.sin()[:, None, None], (1 - angle.cos())[:, None, None]
    matrix = torch.eye(4).repeat(len(angle), 1, 1)
    matrix[:, :3, :3] += sin * axis + rest * (axis @ axis)
    return matrix


AUGMENT_WIDTH = 9  # parameters of ``labelled_augment``


def labelled_augment(images: Tensor, p: float, *, mirror: bool) -> tuple[Tensor, Tensor]:
    """(N, C, H, W) -> the same shape, and (N, 9) parameters of what was done, all 0 where nothing was.

    Where ``mirror`` half of the images are mirrored, whatever p is; scaled, rotated, stretched and moved they are with
    probability p each, upside down with p / 2. A network that is told the parameters does not let them leak into what
    it generates. Karras et al., arXiv:2206.00364, section 5 and table 6.
    """
    n, c, h, w = images.shape
    flip_x = bernoulli(n, 0.5 * mirror)
    flip_y = bernoulli(n, p) * torch.randint(2, (n,))
    size, stretch = (bernoulli(n, p) * 0.2 * torch.randn(n) for _ in range(2))
    angle, direction = bernoulli(n, p) * (torch.rand(n) * 2 - 1) * pi, (torch.rand(n) * 2 - 1) * pi
    shift = bernoulli(n, p) * 0.125 * torch.randn(2, n)
    steps = [
        scale(1 - 2 * flip_x, 1 - 2 * flip_y),
        scale(*size.exp2().expand(2, n)),
        rotate(angle),
        rotate(direction),
        scale(stretch.exp2(), (-stretch).exp2()),
        rotate(-direction),
        translate(2 * shift[0], 2 * shift[1]),
    ]
    parameters = [
        flip_x, flip_y, size, angle.cos() - 1, angle.sin(),
        stretch * (2 * direction).cos(), stretch * (2 * direction).sin(), *shift,
    ]  # fmt: skip
    grid = affine_grid(compose(steps)[:, :2].to(images), [n, c, h, w], align_corners=False)
    moved = grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    return moved, torch.stack(parameters, dim=1).to(images)
