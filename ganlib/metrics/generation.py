"""The images that an evaluation generates, and what its records say of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    """Seeds 0 … n-1. A conditional model gets class i % K with seed i, so that every block is balanced.

    Combinations of attributes may be rare in the data: such classes are drawn as often as they occur there.
    """

    run: Run
    model: GenerativeModel
    weights_hash: str
    options: dict[str, Any]  # as requested, parsed
    n: int
    batch: int
    _partials: list[Partial] = field(default_factory=list)

    @cached_property
    def labels(self) -> Tensor | None:
        """(n,) int64 requested classes."""
        if not self.model.conditional:
            return None
        if self.proportional:
            return proportional_labels(self.run.recipe.data.class_counts, self.n)
        return torch.arange(self.n) % self.model.config.num_classes

    @property
    def proportional(self) -> bool:
        return bool(self.run.recipe.data.attributes and self.run.recipe.data.class_counts)

    @cached_property
    def all_options(self) -> dict[str, Any]:
        return {o.name: o.default for o in self.model.options} | self.options

    @cached_property
    def changed_options(self) -> dict[str, Any]:
        """The options that are not at their default."""
        return select_changed_options(self.model, self.options)

    def chunks(self, start: int = 0) -> Iterator[NDArray[np.uint8]]:
        """(m, H, W, C) uint8 from that seed on."""
        labels = None if self.labels is None else self.labels[start:]
        yield from sample_chunks(self.model, range(start, self.n), labels, chunk=self.batch, **self.options)

    def images(self, progress: Progress) -> NDArray[np.uint8]:
        """(n, H, W, C) uint8, for a metric that needs them all at once. A killed call continues where it was."""
        c, partial = self.model.config, self.partial("images")
        shape = c.image_size, c.image_size, c.channels
        rows = torch.empty(self.n, int(np.prod(shape)), dtype=torch.uint8)
        cached = partial.rows(rows.shape[1])[: self.n]
        done = len(cached)
        rows[:done] = cached
        for chunk in self.chunks(done) if done < self.n else ():
            generated = torch.from_numpy(chunk).flatten(1)
            rows[done : done + len(generated)] = generated
            partial.write(generated, done)
            done += len(generated)
            progress("generated", done, self.n)
        return rows.numpy().reshape(self.n, *shape)

    def partial(self, kind: str, **depends_on: Any) -> Partial:
        """A file for "images" or for numbers of this ``kind``, until the evaluation is done."""
        dtype = torch.uint8 if kind == "images" else torch.float32
        depends_on |= {"weights": self.weights_hash, "options": self.all_options}
        depends_on |= {"versions": versions(), "commit": commit()}  # other code may make other images
        self._partials.append(Partial(self.run.path, depends_on, kind, dtype))
        return self._partials[-1]

    @property
    def kept(self) -> bool:
        """Whether an earlier evaluation kept its images."""
        return self.partial("images").path.exists()

    def remove_partial_results(self, *, keep_images: bool = False) -> None:
        for partial in self._partials:
            if not (keep_images and partial.dtype == torch.uint8):
                partial.remove()

    def record(self, metric: str, value: float, **fields: Any) -> Record:
        """A record of these images, with these other ``fields``."""
        return Record(
            metric=metric,
            value=value,
            labels="none" if self.labels is None else "proportional" if self.proportional else "balanced",
            seeds=f"0-{self.n - 1}",
            options=self.all_options,
            **fields,
        )


def proportional_labels(counts: Sequence[int], n: int) -> Tensor:
    """(n,) int64 classes in proportion to ``counts``, to one image in every leading part; of equal counts i % K."""
    shares = np.asarray(counts, np.float64) / sum(counts)
    missing = np.zeros_like(shares)
    labels = np.empty(n, np.int64)
    for i in range(n):
        missing += shares
        labels[i] = np.round(missing, 9).argmax()  # rounded: float error decides no tie
        missing[labels[i]] -= 1
    return torch.from_numpy(labels)


def select_changed_options(model: GenerativeModel, options: dict[str, Any]) -> dict[str, Any]:
    defaults = {o.name: o.default for o in model.options}
    return {k: v for k, v in options.items() if v != defaults[k]}
