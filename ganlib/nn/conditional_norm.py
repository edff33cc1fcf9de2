"""Conditional batch norm: scale and shift depend on the class.

De Vries et al., arXiv:1707.00683; for GANs Miyato & Koyama, arXiv:1802.05637.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConditionalBatchNorm2d(nn.Module):
    """Batch norm whose affine part is mixed from one row per class or attribute; plain batch norm when K = 0."""

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.norm: nn.Module = nn.BatchNorm2d(channels, affine=False)
        rows = max(num_classes, 1)
        self.scale = nn.Parameter(torch.ones(rows, channels))
        self.shift = nn.Parameter(torch.zeros(rows, channels))

    def forward(self, x: Tensor, weights: Tensor | None) -> Tensor:
        """(N, C, H, W), (N, K) class weights or None -> (N, C, H, W)."""
        scale = self.scale if weights is None else weights @ self.scale  # (N, C)
        shift = self.shift if weights is None else weights @ self.shift
        if self.training or not isinstance(self.norm, nn.BatchNorm2d):
            x = self.norm(x)
        else:  # the stored statistics join the affine part: one pass over x instead of two
            mean, variance = self.norm.get_buffer("running_mean"), self.norm.get_buffer("running_var")
            scale = scale * torch.rsqrt(variance + self.norm.eps)
            shift = shift - mean * scale
        return torch.addcmul(shift[:, :, None, None].to(x.dtype), x, scale[:, :, None, None].to(x.dtype))
