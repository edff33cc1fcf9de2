"""Inputs of image-to-image models, made of the images that are wanted: smaller, without colour, lines alone.

Canny, "A Computational Approach to Edge Detection", PAMI 8 (1986): the gradient of the blurred image, its ridges alone.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate, pad

LUMA = 0.299, 0.587, 0.114  # of red, green and blue (ITU-R BT.601)
EDGE_THRESHOLD = 0.09  # of the gradient, in greys a pixel
BLUR_TAPS = 1.0, 4.0, 6.0, 4.0, 1.0


def shrink(images: Tensor, scale: int) -> Tensor:
    """(N, C, H, W) in [-1, 1] -> (N, C, H / scale, W / scale): bicubic, antialiased."""
    return interpolate(images, scale_factor=1 / scale, mode="bicubic", antialias=True).clamp(-1, 1)


def enlarge(images: Tensor, scale: int) -> Tensor:
    """(N, C, H, W) in [-1, 1] -> (N, C, scale H, scale W): bicubic."""
    return interpolate(images, scale_factor=scale, mode="bicubic").clamp(-1, 1)


def greyscale(images: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, 1, H, W): luma of RGB, the mean of any other channels."""
    if images.shape[1] != 3:
        return images.mean(1, keepdim=True)
    weights = images.new_tensor(LUMA).view(1, 3, 1, 1)
    return (images * weights).sum(1, keepdim=True)


def draw_edges(images: Tensor) -> Tensor:
    """(N, C, H, W) in [-1, 1] -> (N, 1, H, W): -1 on lines a pixel wide, 1 elsewhere, like a drawing in ink."""
    taps = images.new_tensor(BLUR_TAPS) / sum(BLUR_TAPS)
    grey = conv2d(pad(greyscale(images), (2, 2, 2, 2), mode="replicate"), torch.outer(taps, taps)[None, None])
    around = pad(grey, (1, 1, 1, 1), mode="replicate")
    dx = (around[..., 1:-1, 2:] - around[..., 1:-1, :-2]) / 2
    dy = (around[..., 2:, 1:-1] - around[..., :-2, 1:-1]) / 2
    strength = torch.hypot(dx, dy)
    ridge = (strength >= EDGE_THRESHOLD) & _is_ridge(strength, dx, dy)
    return 1 - 2 * ridge.to(images.dtype)


def _is_ridge(strength: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
    """Whether the gradient is at its highest along its own direction, the nearest of four."""
    h, w = strength.shape[2:]
    around = pad(strength, (1, 1, 1, 1))

    def shifted(y: int, x: int) -> Tensor:
        return around[..., 1 + y : 1 + y + h, 1 + x : 1 + x + w]

    # Strictly on one side alone: of two equal pixels across a line one stays.
    def highest(y: int, x: int) -> Tensor:
        return (strength > shifted(y, x)) & (strength >= shifted(-y, -x))

    octant = torch.round(torch.atan2(dy, dx) / (torch.pi / 4)).long() % 4
    ways = [highest(0, 1), highest(1, 1), highest(1, 0), highest(1, -1)]
    return torch.stack(ways).gather(0, octant[None])[0]
