"""Images on their way, for models that make them in many steps: shown as they grow, stopped, gone on with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from threading import Lock
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganlib.devices import is_out_of_memory, on_device
from ganlib.images import resize_nearest, to_uint8
from ganlib.models import GenerativeModel, Latents
from ganlib.sampling.generate import CHUNK, fill_up, latents_at, options_of


class Growing:
    """Images of ``sample``, or of given latents, as far as they are done, and the fraction of the work that is.

    ``images``: (N, H, W, C) uint8, mid-grey where nothing is there yet; stages smaller than the image are enlarged.
    ``step()`` goes on by one stage of one chunk, from any thread; it does nothing once ``done``. An array is never
    changed once it was ``images``: who has one keeps that state, whoever goes on.
    """

    def __init__(
        self,
        model: GenerativeModel,
        seeds: Sequence[int] | Latents,
        labels: Sequence[int] | Tensor | None = None,
        **options: Any,
    ) -> None:
        c = model.config
        self.state = np.full((len(seeds), c.image_size, c.image_size, c.channels), 128, np.uint8), 0.0
        y = None if labels is None else torch.as_tensor(labels)
        self._start = partial(self._grow, model, seeds, y, options)
        self._stages = self._start()
        self._stepping, self._device = Lock(), model.device

    @property
    def images(self) -> NDArray[np.uint8]:
        return self.state[0]

    @property
    def fraction(self) -> float:
        return self.state[1]

    @property
    def done(self) -> bool:
        return self.fraction >= 1

    def step(self) -> None:
        with self._stepping:
            if self.done:
                return
            try:
                on_device(self._device, self._advance, long=True)
            except Exception:  # a generator that raised would seem to have ended
                self.state, self._stages = (self.images, 0.0), self._start()
                raise

    def _advance(self) -> None:
        """In the device's thread, also where whoever asked for the step has left meanwhile."""
        if not self.done:
            self.state = next(self._stages)

    def finish(self) -> NDArray[np.uint8]:
        while not self.done:
            self.step()
        return self.images

    def _grow(
        self, model: GenerativeModel, seeds: Sequence[int] | Latents, labels: Tensor | None, options: dict[str, Any]
    ) -> Iterator[tuple[NDArray[np.uint8], float]]:
        n, stages, side = len(seeds), model.stages(**options), self.images.shape[1]
        start, chunk = 0, CHUNK
        while start < n:
            part = slice(start, min(start + chunk, n))
            rows = fill_up(part, chunk)
            y = None if labels is None else labels[rows]
            try:
                latents = latents_at(model, seeds, rows)
                trace = model.trace(latents, y, **options_of(options, rows))
                for stage, images in enumerate(trace, 1):
                    grown = self.images.copy()
                    grown[part] = resize_nearest(to_uint8(images[: part.stop - start]), side, side)
                    yield grown, (start + (part.stop - start) * stage / stages) / n
            except RuntimeError as error:
                if not is_out_of_memory(error) or chunk == 1:
                    raise
                chunk //= 2
                continue
            start = part.stop
