"""Equalised learning rate and pixel norm, which keep signals of one size without looking at the batch.

Karras, Aila, Laine, Lehtinen, "Progressive Growing of GANs for Improved Quality, Stability, and Variation", ICLR
2018, arXiv:1710.10196, section 4
"""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization


class Scale(nn.Module):
    """A weight that is stored without its scale."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, weight: Tensor) -> Tensor:
        return weight * self.scale


def equalize(layer: nn.Module, gain: float = sqrt(2), rate: float = 1.0) -> nn.Module:
    """Weights from N(0, 1), scaled to He's deviation, gain / √fan_in, at run time: Adam's step then fits them all.

    ``rate`` multiplies the learning rate of weights and bias.
    """
    if not isinstance(layer, (nn.Linear, nn.Conv2d)):
        raise TypeError(f"equalize takes a linear layer or a convolution, not {type(layer).__name__}")
    nn.init.normal_(layer.weight, std=1 / rate)
    register_parametrization(layer, "weight", Scale(rate * gain / sqrt(layer.weight[0].numel())))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
        if rate != 1:
            register_parametrization(layer, "bias", Scale(rate))
    return layer


class PixelNorm(nn.Module):
    """Each pixel's feature vector at a mean square of 1."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, …) -> (N, C, …)."""
        return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)
