"""Exponential moving average of the weights that generate."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn

from ganlib.models import Trainable

STATISTICS = ("running_mean", "running_var")


class EMA:
    """A copy of the model whose ``ema_modules`` follow the trained ones with a half-life in images.

    The half-life is ramped up with the images seen (Karras et al., arXiv:1912.04958), or the first average
    would be mostly the random start. Batch norm's statistics are averaged like weights; other buffers are
    copied, since a mean of counters or of spectral norm's vectors means nothing.
    """

    def __init__(self, model: Trainable, half_life: int, ramp: float) -> None:
        self.half_life, self.ramp = half_life, ramp
        self.model = deepcopy(model).eval().requires_grad_(False)
        self._averages: list[Tensor] = []
        self._sources: list[Tensor] = []
        self._copies: list[tuple[Tensor, Tensor]] = []
        for name in model.ema_modules:
            self._pair(self.model.get_submodule(name), model.get_submodule(name))

    def _pair(self, average: nn.Module, source: nn.Module) -> None:
        for mean, p in zip(average.parameters(), source.parameters(), strict=True):
            self._averages.append(mean)
            self._sources.append(p)
        for (name, copy), buffer in zip(average.named_buffers(), source.buffers(), strict=True):
            if name.endswith(STATISTICS):
                self._averages.append(copy)
                self._sources.append(buffer)
            else:
                self._copies.append((copy, buffer))

    @torch.no_grad()
    def update(self, batch_size: int, images_seen: int) -> None:
        half_life = min(self.half_life, self.ramp * images_seen)
        decay = 0.5 ** (batch_size / half_life) if half_life > 0 else 0.0
        if self._averages:
            torch._foreach_lerp_(self._averages, self._sources, 1 - decay)
        for copy, buffer in self._copies:
            copy.copy_(buffer)
