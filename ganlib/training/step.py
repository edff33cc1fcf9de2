"""One optimizer step of one phase: what every training loop shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ganlib.errors import GanlibError
from ganlib.models import Batch, Phase, Trainable
from ganlib.training.shares import Loss, Shares

ONE_SHARE = Shares()


@dataclass(frozen=True)
class StepResult:
    """Scalars of one step, each a tensor of shape () on the model's device, without a graph."""

    loss: Tensor
    scalars: dict[str, Tensor]  # what the phase logs beside its loss
    gradient_norm: Tensor | None  # over all parameters of the optimizer, where requested


def step(
    model: Trainable,
    phase: Phase,
    optimizer: Optimizer,
    batch: Batch,
    *,
    bf16: bool = False,
    with_gradient_norm: bool = False,
    shares: Shares = ONE_SHARE,
    noise_key: Sequence[int] = (0, 0),
) -> StepResult:
    """Minimises the phase's loss on ``batch`` over the optimizer's parameters; all others are frozen.

    With ``bf16`` the loss is computed in mixed precision where the phase permits it. ``shares``: of which the batch is
    one process's part, with noise that follows from ``noise_key``, the numbers of the step and of the phase.
    """
    parameters = parameters_of(optimizer)
    # Gradients only where this phase trains: the other networks' cost half of a GAN's backward pass.
    model.requires_grad_(False)
    for p in parameters:
        p.requires_grad_(True)
    optimizer.zero_grad(set_to_none=True)
    losses: list[Loss] = []
    for part in shares.parts(model, batch, noise_key):
        with _second_derivatives_of(phase):
            with torch.autocast(batch.images.device.type, torch.bfloat16, enabled=bf16 and phase.autocast):
                loss, scalars = phase.loss(part)
            loss.backward()
        losses.append(Loss(loss.detach(), {tag: value.detach() for tag, value in scalars.items()}))
    joined = shares.join(model, parameters, losses)
    norm = None
    if with_gradient_norm:
        norm = nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
    optimizer.step()
    return StepResult(joined.value, joined.scalars, norm)


@contextmanager
def _second_derivatives_of(phase: Phase) -> Iterator[None]:
    """GanlibError in place of the compiler's, which has none."""
    try:
        yield
    except RuntimeError as error:
        if "double backward" not in str(error) and "donated buffers" not in str(error):
            raise
        raise GanlibError(
            f"The loss of phase {phase.name} has second derivatives, which compiled networks lack; train without "
            "--compile."
        ) from None


def parameters_of(optimizer: Optimizer) -> list[nn.Parameter]:
    return [p for group in optimizer.param_groups for p in group["params"]]


def select_phases(model: Trainable, pattern: str) -> list[Phase]:
    """The model's phases whose name matches ``pattern``, in order. GanlibError where none does."""
    phases = model.phases()
    selected = [p for p in phases if fnmatchcase(p.name, pattern)]
    if not selected:
        raise GanlibError(f"No phase matches {pattern!r}; this model has {', '.join(p.name for p in phases)}.")
    return selected
