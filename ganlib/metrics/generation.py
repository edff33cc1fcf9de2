"""The images that an evaluation generates, and what its records say of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganlib.data.sets import is_imbalanced
from ganlib.distributed import World
from ganlib.metrics.protocol import class_mix
from ganlib.metrics.references import Progress
from ganlib.models import GenerativeModel
from ganlib.partial import DealtRows, Partial, compute_rows, deal_rows
from ganlib.provenance import source_hash, versions
from ganlib.records import Protocol, Record
from ganlib.runs import Run
from ganlib.sampling import sample_chunks


@dataclass(frozen=True)
class Generation:
    """Seeds 0 … n-1. A conditional model gets class i % K with seed i, so that every block is balanced.

    Where the data set is imbalanced, or its classes are combinations of attributes, it gets each class as often as it
    occurs there: else a perfect generator, too, would be far from the data.
    """

    run: Run
    model: GenerativeModel
    weights_hash: str
    options: dict[str, Any]  # as requested, parsed
    n: int
    batch: int
    world: World = field(default_factory=World)
    keeps_images: bool = False  # for the run's next evaluation
    _partials: list[Partial] = field(default_factory=list)

    @cached_property
    def labels(self) -> Tensor | None:
        """(n,) int64 requested classes."""
        if not self.model.conditional:
            return None
        if self.proportional:
            return proportional_labels(self.run.recipe.data.class_counts, self.n)
        return torch.arange(self.n) % self.model.config.num_classes

    @cached_property
    def _code(self) -> str:
        """Not the commit: the record of an evaluation in the repository's gallery makes a checkout differ from it."""
        return source_hash()

    @property
    def proportional(self) -> bool:
        data = self.run.recipe.data
        return bool(data.class_counts) and (bool(data.attributes) or is_imbalanced(data.class_counts))

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

    def images(self, progress: Progress) -> DealtRows:
        """(n, H * W * C) uint8, for a metric that needs them all at once. A killed call continues where it was."""
        c = self.model.config

        def rows_from(start: int) -> Iterator[Tensor]:
            yield from (torch.from_numpy(chunk).flatten(1) for chunk in self.chunks(start))

        whole, width = self.partial("images"), c.image_size**2 * c.channels
        if self.world.size > 1 and self.kept:  # by one process, or put together by rank 0
            rows = self.world.agree(lambda: compute_rows(self.n, width, self.batch, whole, rows_from))
            return DealtRows(rows, 0, rows)
        dealt = self.rows("images", self.n, width, rows_from, partial(progress, "generated"))
        if self.world.size > 1 and self.keeps_images and dealt.all is not None:
            whole.write(dealt.all, 0)
        return dealt

    def rows(
        self,
        kind: str,
        n: int,
        width: int,
        rows_from: Callable[[int], Iterable[Tensor]],
        progress: Callable[[int, int], None],
        **depends_on: Any,
    ) -> DealtRows:
        """n rows of "images" or of numbers of this ``kind``, dealt over the processes; see ``deal_rows``."""
        return deal_rows(
            self.world,
            n,
            width,
            self.batch,
            lambda part: self.partial(kind, **depends_on, **part),
            rows_from,
            progress,
        )

    def partial(self, kind: str, **depends_on: Any) -> Partial:
        """A file for "images" or for numbers of this ``kind``, until the evaluation is done."""
        dtype = torch.uint8 if kind == "images" else torch.float32
        depends_on |= {"weights": self.weights_hash, "options": self.all_options}
        depends_on |= {"versions": versions(), "code": self._code}  # other code may make other images
        self._partials.append(Partial(self.run.path, depends_on, kind, dtype))
        return self._partials[-1]

    @property
    def kept(self) -> bool:
        """Whether an earlier evaluation kept its images."""
        return self.partial("images").path.exists()

    def remove_partial_results(self) -> None:
        kept = self.partial("images").path if self.keeps_images else None
        for file in self._partials:
            if file.path != kept:
                file.remove()

    def record(self, metric: str, value: float, protocol: Protocol, **fields: Any) -> Record:
        """A record of these images, with these other ``fields``."""
        of_images = replace(protocol, extra={**protocol.extra, **class_mix(self.run)})
        return Record(
            metric=metric,
            value=value,
            protocol=of_images,
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


def largest_in_proportion(available: Sequence[int], counts: Sequence[int]) -> int:
    """Images that a set with so many of each class has in proportion to ``counts``."""
    return min(a * sum(counts) // c for a, c in zip(available, counts, strict=True) if c)


def select_changed_options(model: GenerativeModel, options: dict[str, Any]) -> dict[str, Any]:
    defaults = {o.name: o.default for o in model.options}
    return {k: v for k, v in options.items() if v != defaults[k]}
