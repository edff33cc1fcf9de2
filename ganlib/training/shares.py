"""One step's batch in shares: over the processes of a world, and in each over micro-batches one after the other.

Data parallelism as in Li et al., "PyTorch Distributed: Experiences on Accelerating Data Parallel Training", VLDB 2020,
arXiv:2006.15704, by torch.distributed's own all-reduce: DistributedDataParallel wraps a forward pass, and here losses
are methods of several networks. Every share starts from the same buffers and has noise of its own, a function of
(seed, step, phase, share), so that N processes and N micro-batches compute the same and no generator needs saving.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ganlib.distributed import World
from ganlib.errors import GanlibError
from ganlib.models import Batch, Trainable

COUNTER = "num_batches_tracked"  # of batch norm: the same in every share


class Loss(NamedTuple):
    """What one phase computed on one share."""

    value: Tensor  # ()
    scalars: dict[str, Tensor]


class Shares:
    """``count`` shares of each batch, of which this process has ``microbatches``; one alone leaves everything as it is.

    ``stop``: set where this process is to end; after a phase it says whether any process is.
    """

    def __init__(self, world: World | None = None, microbatches: int = 1, seed: int = 0) -> None:
        self.world, self.microbatches, self.seed = world or World(), microbatches, seed
        self.count = self.world.size * microbatches
        self.stop = False
        self._sums: list[Tensor] = []

    def check(self, batch_size: int, in_pairs: bool = False) -> None:
        """GanlibError where a global batch does not divide, into pairs where it has them."""
        if batch_size % self.count or batch_size < 2 * self.count > 2:
            raise GanlibError(
                f"A batch of {batch_size} images does not divide into {self.count} equal shares of at least 2 "
                f"({self.world.size} processes with {self.microbatches} micro-batches each); choose a --batch-size "
                f"that is a multiple of {self.count}."
            )
        if in_pairs and batch_size % (2 * self.count):
            raise GanlibError(
                "This model trains on pairs of images, as many in each process and micro-batch; choose a --batch-size "
                f"that is a multiple of {2 * self.count}, not {batch_size}."
            )

    def parts(self, model: Trainable, batch: Batch, noise_key: Sequence[int]) -> Iterator[Batch]:
        """This process's shares of its part of the batch. After each, gradients must have been accumulated.

        noise_key: numbers of the step and of the phase, from which the noise follows. At step 0 parameters count as
        buffers: some are set by their first batch (Glow's activation normalisation).
        """
        if self.count == 1:
            yield batch
            return
        self._tensors = _state(model, with_parameters=noise_key[0] == 0)
        self._adds = [t.is_floating_point() and name not in model.drawn_buffers for name, t in self._tensors.items()]
        self._start = [t.detach().clone() for t in self._tensors.values()]
        for i in range(self.microbatches):
            if i:
                _copy(self._start, self._tensors.values())
            share = self.world.rank + self.world.size * i
            torch.manual_seed(noise_seed(self.seed, *noise_key, share))
            yield _part(batch, i, self.microbatches)
            self._collect(first=i == 0)

    def _collect(self, *, first: bool) -> None:
        """Adds up what a share left in buffers that add up; of others the first share's are kept."""
        values = [t.detach().clone() for t in self._tensors.values()]
        if not first:
            values = [a + b if adds else a for a, b, adds in zip(self._sums, values, self._adds, strict=True)]
        self._sums = values

    @torch.no_grad()
    def join(self, model: Trainable, parameters: Sequence[nn.Parameter], losses: list[Loss]) -> Loss:
        """Means over all shares of gradients, buffers and the loss, in one flat all-reduce.

        Buffers of ``summed_buffers`` grow by the sum over the shares; those of whole numbers and ``drawn_buffers``
        become the first share's.
        Scalars are means over this process's shares: they are joined once a row of the log.
        """
        if self.count == 1:
            return losses[0]
        added = [i for i, adds in enumerate(self._adds) if adds]
        present = torch.tensor([p.grad is not None for p in parameters], dtype=torch.float32)
        parts = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
        parts += [self._sums[i] for i in added]
        parts += [sum_of(loss.value for loss in losses), torch.tensor(float(self.stop)), present]
        device = losses[0].value.device
        flat = torch.cat([t.detach().to(device, torch.float32).reshape(-1) for t in parts])
        self.world.add_up(flat)
        flat /= self.count
        means = [t.view(p.shape) for t, p in zip(flat.split([p.numel() for p in parts]), parts, strict=True)]
        gradients, buffers = means[: len(parameters)], means[len(parameters) : -3]
        loss, stop, present = means[-3:]
        has_gradient = (present > 0).tolist()
        self.stop = bool(stop > 0)
        for p, mean, some in zip(parameters, gradients, has_gradient, strict=True):
            if some and p.grad is None:
                p.grad = mean.clone()
            elif some and p.grad is not None:
                p.grad.copy_(mean)
        self._store(model, dict(zip(added, buffers, strict=True)))
        tags = dict.fromkeys(tag for part in losses for tag in part.scalars)
        return Loss(loss, {tag: _mean(part.scalars[tag] for part in losses if tag in part.scalars) for tag in tags})

    def _store(self, model: Trainable, means: dict[int, Tensor]) -> None:
        whole: list[Tensor] = []
        for i, (name, target) in enumerate(self._tensors.items()):
            if i not in means:
                target.copy_(self._sums[i])
                whole += [] if name.endswith(COUNTER) else [target]
            elif name in model.summed_buffers:
                target.copy_(self._start[i].add(means[i] - self._start[i], alpha=self.count))
            else:
                target.copy_(means[i])
        if whole and self.world.size > 1:
            flat = torch.cat([t.contiguous().reshape(-1).view(torch.uint8) for t in whole])
            self.world.copy_from_first(flat)
            for target, part in zip(whole, flat.split([t.nbytes for t in whole]), strict=True):
                target.copy_(part.clone().view(target.dtype).view(target.shape))


def noise_seed(*key: int) -> int:
    """0 … 2⁶³ - 1, of (seed, step, phase, share)."""
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> np.uint64(1))


def sum_of(tensors: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(tensors)).sum(0)


def _mean(tensors: Iterable[Tensor]) -> Tensor:
    return torch.stack([t.float() for t in tensors]).mean(0)


def _state(model: Trainable, *, with_parameters: bool) -> dict[str, Tensor]:
    """The buffers that a state holds, and the parameters where they are to be included."""
    stored = model.state_dict(keep_vars=True)
    buffers = {name: b for name, b in model.named_buffers() if name in stored}
    return buffers | (dict(model.named_parameters()) if with_parameters else {})


@torch.no_grad()
def _copy(values: Iterable[Tensor], targets: Iterable[Tensor]) -> None:
    for value, target in zip(values, targets, strict=True):
        target.copy_(value)


def _part(batch: Batch, i: int, n: int) -> Batch:
    """Every n-th image from the i-th on: each part has its share of whatever the batch's parts are."""
    if n == 1:
        return batch
    return Batch(batch.images[i::n].contiguous(memory_format=torch.channels_last), batch.labels[i::n])
