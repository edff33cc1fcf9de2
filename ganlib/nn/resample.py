"""Twice or half the resolution without aliasing, by the filter [1, 3, 3, 1] / 8 along each axis.

Karras, Laine, Aittala, Hellsten, Lehtinen, Aila, "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020,
arXiv:1912.04958, after Zhang, "Making Convolutional Networks Shift-Invariant Again", arXiv:1904.11486
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad


def blur(x: Tensor, padding: int) -> Tensor:
    """(N, C, H, W) -> (N, C, H + 2 padding - 3, …): the filter is [1, 1] / 2 three times over."""
    x = pad(x, (padding,) * 4)
    for _ in range(3):
        x = avg_pool2d(x, 2, 1)
    return x


def double(x: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, 2H, 2W): bilinear, which is the filter between zeros."""
    return interpolate(x, scale_factor=2, mode="bilinear")


def halve(x: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, H / 2, W / 2)."""
    return blur(x, 1)[:, :, ::2, ::2]
