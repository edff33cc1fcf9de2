"""Means of what the steps between two rows of the log computed."""

from __future__ import annotations

from collections import defaultdict
from math import isfinite

import torch
from torch import Tensor

from ganlib.errors import GanlibError
from ganlib.training.step import StepResult


class Diverged(GanlibError):
    """A loss or a weight is infinite or NaN."""


class ScalarMeans:
    """Collects the results of steps and gives their means by tag.

    Values stay on the device until the mean is taken: one synchronisation per row, not per step.
    """

    def __init__(self) -> None:
        self._losses: list[tuple[str, int, Tensor]] = []
        self._values: dict[str, list[Tensor]] = defaultdict(list)

    def __contains__(self, tag: str) -> bool:
        return tag in self._values

    def add(self, phase: str, step: int, result: StepResult) -> None:
        self._losses.append((phase, step, result.loss))
        if result.gradient_norm is not None:
            self._values[f"grad/{phase}"].append(result.gradient_norm)
        for tag, value in result.scalars.items():
            self._values[tag].append(value)

    def pop_means(self) -> dict[str, float]:
        """Means since the last call. Diverged where a loss is not finite."""
        values = self._pop_losses()
        for tag, tensors in self._values.items():
            values[tag] = torch.stack(tensors).float().cpu().tolist()
        self._values.clear()
        return {tag: sum(numbers) / len(numbers) for tag, numbers in values.items()}

    def _pop_losses(self) -> dict[str, list[float]]:
        if not self._losses:
            return {}
        losses = torch.stack([loss for _, _, loss in self._losses]).float().cpu().tolist()
        values: dict[str, list[float]] = defaultdict(list)
        for (phase, step, _), loss in zip(self._losses, losses, strict=True):
            if not isfinite(loss):
                raise Diverged(f"The loss of phase {phase} became {loss} at step {step}")
            values[f"loss/{phase}"].append(loss)
        self._losses.clear()
        return values


def mean_by_tag(rows: list[dict[str, float]]) -> dict[str, float]:
    """Of each tag the mean over those rows that have it."""
    if len(rows) == 1:
        return rows[0]
    values = {
        tag: [row[tag] for row in rows if tag in row] for tag in dict.fromkeys(tag for row in rows for tag in row)
    }
    return {tag: sum(numbers) / len(numbers) for tag, numbers in values.items()}
