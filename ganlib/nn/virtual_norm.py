"""Virtual batch norm: an image is normalised by the statistics of a fixed reference batch and its own alone.

Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen, "Improved Techniques for Training GANs", NeurIPS 2016,
arXiv:1606.03498, section 3.5. Here the reference are inputs of G, so that no image of the data is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class VirtualBatchNorm2d(nn.Module):
    """Stands in for a batch norm. In training the first ``n`` images are the reference, later they are remembered."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, norm: nn.BatchNorm2d, n: int) -> None:
        super().__init__()
        self.weight, self.bias, self.eps, self.n = norm.weight, norm.bias, norm.eps, n
        # Batch norm's names: these are averaged like weights.
        self.register_buffer("running_mean", norm.running_mean)
        self.register_buffer("running_var", norm.running_var)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W), the reference included where it came first."""
        h = x.float()
        image_variance, image_mean = torch.var_mean(h, (2, 3), correction=0)  # (N, C)
        weight = h.new_full((len(h), 1), 1 / (self.n + 1))  # of an image in its own statistics
        if self.training:
            variance, mean = torch.var_mean(h[: self.n], (0, 2, 3), correction=0)  # (C,)
            self.running_mean.copy_(mean.detach())
            self.running_var.copy_(variance.detach())
            weight[: self.n] = 0
        else:
            mean, variance = self.running_mean, self.running_var
        difference = image_mean - mean
        variance = variance.lerp(image_variance, weight) + weight * (1 - weight) * difference**2
        h = (h - (mean + weight * difference)[:, :, None, None]) * torch.rsqrt(variance + self.eps)[:, :, None, None]
        if self.weight is not None:
            h = torch.addcmul(self.bias[:, None, None], h, self.weight[:, None, None])
        return h.to(x.dtype)


class VirtualBatch:
    """Hooks that prepend the reference batch to a network's training batches and strip it from the outputs."""

    def __init__(self, n: int, inputs: Callable[[int], tuple[Tensor | None, ...]]) -> None:
        self.n, self.inputs = n, inputs
        self.cached: tuple[Tensor | None, ...] = ()

    def prepend(self, net: nn.Module, batch: tuple[Any, ...]) -> tuple[Any, ...]:
        if not net.training:
            return batch
        self.cached = self.cached or self.inputs(self.n)
        return tuple(
            x if first is None else torch.cat([first.to(x.device), x])
            for first, x in zip(self.cached, batch, strict=True)
        )

    def strip(self, net: nn.Module, batch: tuple[Any, ...], out: Tensor) -> Tensor:
        return out[self.n :] if net.training else out


def normalize_virtually(net: nn.Module, n: int, inputs: Callable[[int], tuple[Tensor | None, ...]]) -> None:
    """Replaces every batch norm by virtual batch norm; ``inputs(n)`` gives the reference batch of ``net``.

    They are computed with the first training batch, since a network may be built on the meta device.
    """
    for parent in list(net.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(parent, name, VirtualBatchNorm2d(child, n))
    reference = VirtualBatch(n, inputs)
    net.register_forward_pre_hook(reference.prepend)
    net.register_forward_hook(reference.strip)
