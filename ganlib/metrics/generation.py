"""The images that an evaluation makes of a run, and what its records say of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganlib.metrics.partial import Partial
from ganlib.metrics.references import Progress
from ganlib.models import GenerativeModel
from ganlib.provenance import commit, versions
from ganlib.records import Record
from ganlib.runs import Run
from ganlib.sampling import sample_chunks


@dataclass(frozen=True)
class Generation:
    """Seeds 0 … n-1. A conditional model gets class i % K with seed i, so that every block is balanced."""

    run: Run
    model: GenerativeModel
    weights_hash: str
    options: dict[str, Any]  # that were asked for, parsed
    n: int
    batch: int
    _partials: list[Partial] = field(default_factory=list)

    @cached_property
    def labels(self) -> Tensor | None:
        """(n,) int64 classes that are asked for."""
        return torch.arange(self.n) % self.model.config.num_classes if self.model.conditional else None

    @cached_property
    def all_options(self) -> dict[str, Any]:
        return {o.name: o.default for o in self.model.options} | self.options

    @cached_property
    def changed(self) -> dict[str, Any]:
        """The options that are not at their default."""
        return changed_options(self.model, self.options)

    def chunks(self, start: int = 0) -> Iterator[NDArray[np.uint8]]:
        """(m, H, W, C) uint8 from that seed on."""
        asked = None if self.labels is None else self.labels[start:]
        yield from sample_chunks(self.model, range(start, self.n), asked, chunk=self.batch, **self.options)

    def images(self, progress: Progress) -> NDArray[np.uint8]:
        """(n, H, W, C) uint8: for a metric that needs them all at once. A killed call is gone on with."""
        c, kept = self.model.config, self.partial("images")
        shape = c.image_size, c.image_size, c.channels
        rows = torch.empty(self.n, int(np.prod(shape)), dtype=torch.uint8)
        there = kept.rows(rows.shape[1])[: self.n]
        done = len(there)
        rows[:done] = there
        for part in self.chunks(done) if done < self.n else ():
            found = torch.from_numpy(part).flatten(1)
            rows[done : done + len(found)] = found
            kept.write(found, done)
            done += len(found)
            progress("generated", done, self.n)
        return rows.numpy().reshape(self.n, *shape)

    def partial(self, what: str, **depends_on: Any) -> Partial:
        """Where ``what`` of these images is kept until the evaluation is done."""
        dtype = torch.uint8 if what == "images" else torch.float32
        depends_on |= {"weights": self.weights_hash, "options": self.all_options}
        depends_on |= {"versions": versions(), "commit": commit()}  # other code may make other images
        self._partials.append(Partial(self.run.path, depends_on, what, dtype))
        return self._partials[-1]

    def forget(self) -> None:
        """Removes what was kept."""
        for partial in self._partials:
            partial.remove()

    def record(self, metric: str, value: float, **fields: Any) -> Record:
        """A record of these images, with these other ``fields``."""
        return Record(
            metric=metric,
            value=value,
            labels="none" if self.labels is None else "balanced",
            seeds=f"0-{self.n - 1}",
            options=self.all_options,
            **fields,
        )


def changed_options(model: GenerativeModel, options: dict[str, Any]) -> dict[str, Any]:
    defaults = {o.name: o.default for o in model.options}
    return {k: v for k, v in options.items() if v != defaults[k]}
