"""Batch norm conditioned on a vector, with standing statistics for each truncation of the latent.

Brock, Donahue, Simonyan, "Large Scale GAN Training for High Fidelity Natural Image Synthesis", ICLR 2019,
arXiv:1809.11096, appendices B and C.1: scale and shift are linear in the vector; a truncated latent changes what
the layers see, so the statistics are measured again for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ganlib.nn.residual import Wrap, no_wrap


class Condition(NamedTuple):
    vector: Tensor  # (N, W), W = 0 for none
    truncation: Tensor  # (N,), used in evaluation alone


class StandingBatchNorm2d(nn.Module):
    """``thresholds``: rising truncations with statistics of their own; beyond the last those of training count."""

    thresholds: Tensor
    means: Tensor
    variances: Tensor
    measured: Tensor

    def __init__(self, channels: int, width: int, thresholds: Sequence[float], wrap: Wrap = no_wrap) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=width == 0)
        if width:
            self.scale = wrap(nn.Linear(width, channels, bias=False))
            self.shift = wrap(nn.Linear(width, channels, bias=False))
        self.register_buffer("thresholds", torch.tensor(thresholds), persistent=False)
        self.register_buffer("means", torch.zeros(len(thresholds), channels))
        self.register_buffer("variances", torch.ones(len(thresholds), channels))
        self.register_buffer("measured", torch.zeros((), dtype=torch.bool))
        self.conditioned = width > 0
        self.measuring: int | None = None

    def forward(self, x: Tensor, condition: Condition) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        if self.measuring is None and (self.training or not self.measured):
            h = self.norm(x)
        else:
            mean, variance = self.measure(x) if self.measuring is not None else self.recall(condition.truncation)
            h = (x - mean[..., None, None]) * torch.rsqrt(variance + self.norm.eps)[..., None, None]
            if not self.conditioned:
                h = torch.addcmul(self.norm.bias[:, None, None], h, self.norm.weight[:, None, None])
        if not self.conditioned:
            return h.to(x.dtype)
        scale, shift = 1 + self.scale(condition.vector), self.shift(condition.vector)
        return torch.addcmul(shift[:, :, None, None], h, scale[:, :, None, None]).to(x.dtype)

    def measure(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance (C,) of this batch, which become those of the threshold that is being measured."""
        variance, mean = torch.var_mean(x.float(), (0, 2, 3), correction=0)
        self.means[self.measuring], self.variances[self.measuring] = mean, variance
        self.measured.fill_(True)
        return mean, variance

    def recall(self, truncation: Tensor) -> tuple[Tensor, Tensor]:
        """(N,) -> mean and variance (N, C), linear between neighbouring thresholds."""
        above = torch.bucketize(truncation.contiguous(), self.thresholds).clamp(1, len(self.thresholds) - 1)
        low, high = self.thresholds[above - 1], self.thresholds[above]
        fraction = ((truncation - low) / (high - low)).clamp(0, 1)[:, None]
        untruncated = (truncation > self.thresholds[-1])[:, None]

        def select(trained: Tensor, table: Tensor) -> Tensor:
            return torch.where(untruncated, trained, table[above - 1].lerp(table[above], fraction))

        mean, variance = self.norm.get_buffer("running_mean"), self.norm.get_buffer("running_var")
        return select(mean, self.means), select(variance, self.variances)
