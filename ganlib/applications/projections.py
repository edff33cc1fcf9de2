"""The layers that take the latent linearly: recognised by their input, so that no architecture has to name them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ganlib.models import GenerativeModel, Latents

PROBES = 16  # latents by which the layers that read a latent are recognised
CHUNK = 64


class Sample(NamedTuple):
    """Latents of one space with their labels: what directions are found on."""

    latents: Latents
    labels: Tensor | None


def draw(model: GenerativeModel, seeds: Sequence[int], space: str) -> Sample:
    """Latents of these seeds in ``space``, of all classes in turn."""
    labels = torch.arange(len(seeds)) % model.config.num_classes if model.conditional else None
    return Sample(model.map(model.latents(seeds), labels, space), labels)


class Projection(NamedTuple):
    """A layer that takes the latent linearly: ``matrix`` (outputs, D)."""

    name: str
    matrix: Tensor


@torch.inference_mode()
def projections(model: GenerativeModel, space: str) -> list[Projection]:
    """The layers whose input is, or contains, the latent of ``space`` itself, in the order of the forward pass.

    They are recognised by their input, so that no architecture has to name them: columns that equal a latent's
    coordinates (at the latent's own length where pixel norm sets it).
    """
    sample = draw(model, range(PROBES), space)
    z = sample.latents.z.flatten(1)
    found: list[Projection] = []

    def inspect(name: str, module: nn.Module, x: Tensor) -> None:
        if not isinstance(x, Tensor) or x.shape[0] != PROBES or x[0].numel() > z.shape[1] + 4096:
            return
        columns = x.flatten(1).float()
        pairs = _matches(columns, z)
        if len(pairs) >= 2:
            found.append(Projection(name, _linear_map(module, x, pairs, z.shape[1])))

    calls: list[tuple[str, nn.Module, Tensor]] = []
    with inputs_of_linear_layers(model, lambda *call: calls.append(call)):
        model.generate(sample.latents, sample.labels)
    for call in calls:
        inspect(*call)
    return found


def _matches(columns: Tensor, z: Tensor) -> list[tuple[int, int]]:
    """Pairs (column, coordinate) that are equal in every row, up to one factor a row."""

    def directions(rows: Tensor) -> Tensor:
        return rows / rows[:, :1]

    pairs = []
    for column in range(columns.shape[1]):
        equal = (columns[:, column, None] - z).abs().amax(0) < 1e-5
        if equal.any():
            pairs.append((column, int(equal.nonzero()[0])))
    if not pairs and columns.shape == z.shape and torch.allclose(directions(columns), directions(z), rtol=1e-3):
        pairs = [(i, i) for i in range(z.shape[1])]  # normalised
    return pairs


def _linear_map(module: nn.Module, x: Tensor, pairs: list[tuple[int, int]], dimension: int) -> Tensor:
    """(outputs, D): what the layer does to each coordinate, from its outputs for unit inputs."""
    zero = torch.zeros_like(x[:1])
    constant = module(zero).flatten(1)
    matrix = constant.new_zeros(constant.shape[1], dimension)
    for part in torch.arange(len(pairs)).split(CHUNK):
        unit = zero.expand(len(part), *x.shape[1:]).clone()
        for row, i in enumerate(part.tolist()):
            unit.view(len(part), -1)[row, pairs[i][0]] = 1
        outputs = module(unit).flatten(1) - constant
        for row, i in enumerate(part.tolist()):
            matrix[:, pairs[i][1]] += outputs[row]
    return matrix.float()


@contextmanager
def inputs_of_linear_layers(model: nn.Module, see: Callable[[str, nn.Module, Tensor], None]) -> Iterator[None]:
    """Calls ``see(name, layer, input)`` for each linear layer and convolution, as the model runs."""
    kinds = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
    layers = [(name, module) for name, module in model.named_modules() if isinstance(module, kinds)]
    handles = [
        module.register_forward_pre_hook(lambda m, args, name=name: see(name, m, args[0])) for name, module in layers
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
