"""Batch norm over the images of all processes. torch's own ``SyncBatchNorm`` does it on GPUs alone and has no second
derivative, which gradient penalties take.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn.modules.batchnorm import _BatchNorm

from ganlib.distributed import World


class AddUp(Function):
    """The sum over all processes of a tensor; its gradient is the sum over all processes of theirs."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, world: World) -> Tensor:
        ctx.world = world
        total = x.clone()
        world.add_up(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return AddUp.apply(gradient.contiguous(), ctx.world), None


class _Synchronised(_BatchNorm):
    world: World

    def forward(self, x: Tensor) -> Tensor:
        """(N, C) or (N, C, …) -> the same shape."""
        if not self.training or self.world.size == 1:
            return super().forward(x)
        axes = [axis for axis in range(x.ndim) if axis != 1]
        shape = [1, -1] + [1] * (x.ndim - 2)
        h = x if x.dtype == torch.float64 else x.float()
        count = h.numel() // h.shape[1] * self.world.size  # each process has as many images
        mean = AddUp.apply(h.sum(axes), self.world) / count
        h = h - mean.view(shape)
        variance = AddUp.apply(h.square().sum(axes), self.world) / count
        self._follow(mean.detach(), variance.detach() * count / max(count - 1, 1))
        scale = torch.rsqrt(variance + self.eps)
        if self.affine:
            return torch.addcmul(self.bias.view(shape), h, (scale * self.weight).view(shape)).to(x.dtype)
        return (h * scale.view(shape)).to(x.dtype)

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked += 1
        factor = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, factor)
        self.running_var.lerp_(variance, factor)


class SyncBatchNorm1d(_Synchronised, nn.BatchNorm1d):
    pass


class SyncBatchNorm2d(_Synchronised, nn.BatchNorm2d):
    pass


def synchronise_batch_norms(model: nn.Module, world: World) -> int:
    """Makes every batch norm one over all processes, in place, so that names and optimisers stay; their number."""
    kinds: dict[type[nn.Module], type[_Synchronised]] = {
        nn.BatchNorm1d: SyncBatchNorm1d,
        nn.BatchNorm2d: SyncBatchNorm2d,
    }
    norms = [module for module in model.modules() if type(module) in kinds]
    for norm in norms:
        norm.__class__ = kinds[type(norm)]
        norm.world = world  # type: ignore[assignment]
    return len(norms)
