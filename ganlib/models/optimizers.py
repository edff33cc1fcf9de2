"""Hooks on an optimiser's step. Their state is part of the optimiser's state, so that runs resume exactly.

Historical averaging: Salimans et al., arXiv:1606.03498, section 3.3. Cyclic rate: Smith, arXiv:1506.01186.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.optim import Optimizer

from ganlib.config import Config, option
from ganlib.errors import GanlibError
from ganlib.models.contract import MOST_IMAGES


@dataclass(frozen=True)
class CyclicRate(Config):
    """Config fields for architectures whose learning rate may go up and down."""

    cycle_steps: int = option(
        0, "an optimiser's steps in a cycle of its learning rate, 0 = constant", min=0, max=MOST_IMAGES
    )
    cycle_peak: float = option(10.0, "highest learning rate of a cycle, in multiples of the lowest", min=1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cycle_steps == 1:
            raise GanlibError("A cycle of one step never leaves its lowest learning rate; cycle_steps takes 2 or more.")


def average_history(optimizer: Optimizer, weight: float) -> None:
    """Adds ``weight`` · ||θ - mean of θ over all past steps||² to the loss that ``optimizer`` minimises."""

    @torch.no_grad()
    def add_gradient(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        for p, state in parameters_with_state(optimizer):
            if "mean" in state:
                p.grad.add_(p - state["mean"], alpha=2 * weight)

    @torch.no_grad()
    def update_mean(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        for p, state in parameters_with_state(optimizer):
            state["past"] = state.get("past", 0) + 1
            state.setdefault("mean", torch.zeros_like(p)).lerp_(p, 1 / state["past"])

    optimizer.register_step_pre_hook(add_gradient)
    optimizer.register_step_post_hook(update_mean)


def parameters_with_state(optimizer: Optimizer) -> list[tuple[Any, dict[str, Any]]]:
    """Parameters with a gradient, each with its optimiser state."""
    parameters = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    return [(p, optimizer.state[p]) for p in parameters]


def cycle_rate(optimizer: Optimizer, peak: float, steps: int) -> None:
    """The learning rate rises to ``peak`` times its value and falls back, linearly, once in so many ``steps``."""
    lowest = [group["lr"] for group in optimizer.param_groups]

    def set_rate(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        for group, low in zip(optimizer.param_groups, lowest, strict=True):
            group["turned"] = group.get("turned", -1) + 1
            group["lr"] = triangular_rate(low, peak * low, group["turned"] / steps)

    optimizer.register_step_pre_hook(set_rate)


def triangular_rate(low: float, high: float, cycles: float) -> float:
    """``low`` at whole numbers of cycles, ``high`` halfway between."""
    return low + (high - low) * (1 - abs(2 * (cycles % 1) - 1))
