"""Upsampling in the dtype of the input; up- and downsampling by 2 without aliasing, by the filter [1, 3, 3, 1] / 8.

Karras, Laine, Aittala, Hellsten, Lehtinen, Aila, "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020,
arXiv:1912.04958, after Zhang, "Making Convolutional Networks Shift-Invariant Again", arXiv:1904.11486
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate


def upsample(x: Tensor, size: int | None = None, mode: str = "nearest") -> Tensor:
    """(N, C, H, W) -> (N, C, 2H, 2W), or ``size`` pixels a side, in the dtype of ``x``.

    CUDA's autocast, unlike the CPU's, makes float32 of it, and of all that is added to it afterwards.
    """
    with torch.autocast(x.device.type, enabled=False):
        return interpolate(x, size, None if size else 2, mode)


class Upsample(nn.Module):
    """``upsample`` as a layer."""

    def __init__(self, size: int | None = None, mode: str = "nearest") -> None:
        super().__init__()
        self.size, self.mode = size, mode

    def forward(self, x: Tensor) -> Tensor:
        return upsample(x, self.size, self.mode)


def blur(x: Tensor, padding: int, stride: int = 1) -> Tensor:
    """(N, C, H, W) -> (N, C, (H + 2 padding - 4) // stride + 1, …)."""
    taps = x.new_tensor([1.0, 3.0, 3.0, 1.0], dtype=torch.float32) / 8
    kernel = torch.outer(taps, taps).expand(x.shape[1], 1, 4, 4)
    # The CPU has a fast backward pass for a strided filter of single channels in float32 alone: eight times as fast.
    wide = x.float() if stride > 1 else x
    with torch.autocast(x.device.type, enabled=False):
        y = conv2d(wide, kernel.to(wide.dtype), stride=stride, padding=padding, groups=x.shape[1])
    return y.to(x.dtype)


def upsample_2x(x: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, 2H, 2W): bilinear, which is the filter between zeros."""
    return upsample(x, mode="bilinear")


def downsample_2x(x: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, H / 2, W / 2)."""
    return blur(x, 1, stride=2)
