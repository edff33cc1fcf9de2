"""Directions of a latent space along which images change, and latents moved along several of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ganlib.errors import GanlibError
from ganlib.models import GenerativeModel, Latents


@dataclass(frozen=True)
class Direction:
    """``vector``, (D…) float32, is one deviation of the latents of seeds along it: strength 1 is that far.

    ``layers``: first and last layer, exclusive, that it moves, where the model has styles for each (w+); a vector of w
    then moves these alone.
    """

    vector: Tensor
    space: str
    method: str  # how it was found, as in ``discovery``
    layers: tuple[int, int] | None = None

    @property
    def target_space(self) -> str:
        """The space in which it is added."""
        return "w+" if self.layers else self.space


def edit(
    model: GenerativeModel,
    latents: Latents,
    labels: Tensor | None,
    edits: Sequence[tuple[Direction, float | Tensor]],
) -> Latents:
    """Latents moved by strength × vector of each direction; a strength is a number or (N,), one for each image.

    The result is in the latest space that an edit needs; no edits return the latents as they are. A direction of w
    moves the styles of all layers alike. GanlibError for any other of a space that comes before that of the latents,
    and for one of another shape.
    """
    order = list(model.spaces)
    for direction, _ in edits:
        if direction.target_space not in order:
            raise GanlibError(
                f"This direction is one of {direction.target_space}; the model's spaces are {', '.join(order)}."
            )
    for direction, strength in sorted(edits, key=lambda pair: order.index(pair[0].target_space)):
        space = direction.target_space
        if (space, latents.space) == ("w", "w+"):
            space = "w+"
        if order.index(space) < order.index(latents.space):
            raise GanlibError(
                f"A direction of {space} cannot move latents of {latents.space}: choose one of {latents.space}."
            )
        latents = model.map(latents, labels, space)
        _check_shape(direction, latents)
        latents = replace(latents, z=latents.z + _displacement(direction, strength, latents.z))
    return latents


def _check_shape(direction: Direction, latents: Latents) -> None:
    by_layer = (direction.space, latents.space) == ("w", "w+")
    expected = latents.z.shape[2:] if by_layer else latents.z.shape[1:]
    if direction.vector.shape != expected:
        raise GanlibError(
            f"This direction has {' x '.join(map(str, direction.vector.shape)) or 'no'} values, the model's latents of "
            f"{latents.space} {' x '.join(map(str, expected))}; find it again."
        )
    if direction.layers and not 0 <= direction.layers[0] < direction.layers[1] <= latents.z.shape[1]:
        first, end = direction.layers
        raise GanlibError(
            f"This direction moves the layers {first} to {end - 1}, the model has 0 to {latents.z.shape[1] - 1}; find "
            "it again."
        )


def _displacement(direction: Direction, strength: float | Tensor, like: Tensor) -> Tensor:
    """strength × vector as what is added to latents (N, D…), in layers where the direction has them."""
    vector = direction.vector.to(like)
    if direction.layers:
        first, end = direction.layers
        mask = like.new_zeros(like.shape[1], 1)
        mask[first:end] = 1
        vector = mask * vector
    strengths = torch.as_tensor(strength, dtype=like.dtype, device=like.device).expand(len(like))
    return strengths.reshape(-1, *[1] * (like.ndim - 1)) * vector
