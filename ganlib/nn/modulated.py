"""Modulated convolution: each image's style scales the weights.

Karras, Laine, Aittala, Hellsten, Lehtinen, Aila, "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020,
arXiv:1912.04958, section 2.2
"""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d

from ganlib.nn.equalized import equalize
from ganlib.nn.resample import blur


class ModulatedConv2d(nn.Module):
    """w'_ijk = s_i w_ijk, then each output map's filter at norm 1; ``upsample`` doubles the resolution."""

    def __init__(
        self, cin: int, cout: int, kernel: int, w_dim: int, *, demodulate: bool = True, upsample: bool = False
    ) -> None:
        super().__init__()
        linear = nn.Linear(w_dim, cin)
        self.style = equalize(linear, gain=1)
        nn.init.ones_(linear.bias)
        self.weight = nn.Parameter(torch.randn(cout, cin, kernel, kernel))
        self.scale = 1 / sqrt(cin * kernel**2)
        self.demodulate, self.upsample = demodulate, upsample

    def scales(self, w: Tensor) -> tuple[Tensor, Tensor | None]:
        """(N, w_dim) -> what multiplies the inputs (N, cin), and the outputs (N, cout) where it demodulates."""
        style = self.style(w).float()
        if not self.demodulate:
            return style, None
        squares = (self.weight.float() * self.scale).square().sum((2, 3))  # (cout, cin)
        return style, (style.square() @ squares.T + 1e-8).rsqrt()

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """(N, cin, H, W), (N, w_dim) -> (N, cout, H, W), twice as high and wide with ``upsample``.

        Scaling the maps before and after one convolution that all images share is scaling its weights.
        """
        before, after = self.scales(w)
        x, weight = x * before[:, :, None, None].to(x.dtype), self.weight * self.scale
        if self.upsample:
            x = 4 * blur(conv_transpose2d(x, weight.transpose(0, 1), stride=2), 1)
        else:
            x = conv2d(x, weight, padding=weight.shape[2] // 2)
        return x if after is None else x * after[:, :, None, None].to(x.dtype)
