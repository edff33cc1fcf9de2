"""What D sees of a batch as a whole, so that images which are all alike give G away.

Minibatch discrimination: Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen, "Improved Techniques for
Training GANs", NeurIPS 2016, arXiv:1606.03498, section 3.2. Minibatch standard deviation: Karras, Aila, Laine,
Lehtinen, "Progressive Growing of GANs", ICLR 2018, arXiv:1710.10196, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class MinibatchDiscrimination(nn.Module):
    """o(x_i)_b = Σ_j exp(-||M_ib - M_jb||₁) with M_i = f(x_i) T, for B kernels of C dimensions each."""

    def __init__(self, in_features: int, kernels: int, dims: int) -> None:
        super().__init__()
        # Distances of order one: where they are large, the exponential and its gradient vanish.
        self.T = nn.Parameter(torch.randn(in_features, kernels, dims) / in_features**0.5)
        self.out_features = kernels

    def forward(self, x: Tensor) -> Tensor:
        """(N, …) with in_features an image -> (N, B), from 1 for an image apart to N for one like all others."""
        m = (x.flatten(1) @ self.T.flatten(1)).float().unflatten(1, self.T.shape[1:])  # (N, B, C)
        return (m[:, None] - m).abs().sum(3).neg().exp().sum(1)


class MinibatchStddev(nn.Module):
    """The standard deviation of each feature over the batch, averaged over all features: one number."""

    out_features = 1

    def forward(self, x: Tensor) -> Tensor:
        """(N, …) -> (N, 1), alike for all images."""
        variance = x.float().var(0, correction=0)
        # The root's slope is infinite at 0, where a collapsed generator stands.
        return variance.add(1e-8).sqrt().mean().sub(1e-4).expand(len(x), 1)


class JoinStatistics(nn.Module):
    """Features with the batch's statistics beside them, as constant maps where the features are maps."""

    def __init__(self, statistics: Sequence[MinibatchDiscrimination | MinibatchStddev] = ()) -> None:
        super().__init__()
        self.statistics = nn.ModuleList(statistics)
        self.extra = sum(s.out_features for s in statistics)

    def forward(self, x: Tensor) -> Tensor:
        """(N, F, …) -> (N, F + extra, …)."""
        joined = [s(x).to(x.dtype).reshape(len(x), -1, *[1] * (x.ndim - 2)) for s in self.statistics]
        return torch.cat([x, *(s.expand(-1, -1, *x.shape[2:]) for s in joined)], dim=1) if joined else x
