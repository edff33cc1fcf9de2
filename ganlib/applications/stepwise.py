"""Work on a device that goes on step by step, from any thread, and whose result can be looked at meanwhile."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from threading import Lock

import torch

from ganlib.devices import on_device


class Stepwise(ABC):
    """``step()`` until ``done``. What fails begins anew: a generator that raised would seem to have ended."""

    def __init__(self, device: torch.device) -> None:
        self._device, self._stepping = device, Lock()
        self._restart()

    def _restart(self) -> None:
        self.fraction = 0.0
        self._begin()
        self._steps = self._run()

    @abstractmethod
    def _begin(self) -> None:
        """The state before the first step."""

    @abstractmethod
    def _run(self) -> Iterator[float]:
        """The work, in the device's thread with gradients on; yields the fraction that is done, 1 at last."""

    @property
    def done(self) -> bool:
        return self.fraction >= 1

    def step(self) -> None:
        with self._stepping:
            if self.done:
                return
            try:
                on_device(self._device, self._advance, gradients=True, long=True)
            except Exception:
                self._restart()
                raise

    def _advance(self) -> None:
        """In the device's thread, also where whoever asked for the step has left meanwhile."""
        if not self.done:
            self.fraction = next(self._steps)


def warmed_and_cooled(t: float, *, up: float = 0.05, down: float = 0.25) -> float:
    """Of a learning rate at the fraction t of the steps: it rises, stays, falls (StyleGAN2, appendix D)."""
    return min(1.0, t / up + 0.1, (1 - t) / down)
