"""Images through image-to-image models: an image's output does not depend on the others of its batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from ganlib.images import from_uint8, to_uint8
from ganlib.models import ImageToImage
from ganlib.sampling.generate import CHUNK, in_chunks


class Transformed(NamedTuple):
    """(N, H, W, C) uint8 each."""

    inputs: NDArray[np.uint8]  # as images of the outputs' size
    outputs: NDArray[np.uint8]


def transform_chunks(
    model: ImageToImage,
    images: NDArray[np.uint8],
    labels: Sequence[int] | NDArray[np.int64],
    *,
    first: int = 0,
    chunk: int = CHUNK,
) -> Iterator[Transformed]:
    """Degrades whole images (N, H, W, C) and transforms what is left, a chunk at a time.

    Where inputs are drawn at random, as holes are, image i has those of seed ``first + i``. Labels (N,): classes.
    """
    classes = torch.as_tensor(np.asarray(labels))

    def compute(rows: Tensor) -> list[NDArray[np.uint8]]:
        inputs = degrade(model, np.array(images[rows.numpy()]), [first + int(row) for row in rows])
        return [to_uint8(model.visible(inputs)), to_uint8(model.transform(inputs, classes[rows]))]

    for pair in in_chunks(model, len(images), compute, chunk):
        yield Transformed(*pair)


def degrade(model: ImageToImage, images: NDArray[np.uint8], seeds: Sequence[int]) -> Tensor:
    """(N, H, W, C) uint8 -> the model's inputs, each drawn from a seed of its own."""
    x = from_uint8(images, model.device)
    parts = [model.degrade(x[i : i + 1], Generator().manual_seed(seed)) for i, seed in enumerate(seeds)]
    return torch.cat(parts)


def transform(
    model: ImageToImage, images: NDArray[np.uint8], labels: Sequence[int] | NDArray[np.int64], **settings: int
) -> Transformed:
    """``transform_chunks`` in one."""
    inputs, outputs = zip(*transform_chunks(model, images, labels, **settings), strict=True)
    return Transformed(np.concatenate(inputs), np.concatenate(outputs))


def transform_seeds(model: ImageToImage, images: NDArray[np.uint8], seeds: Sequence[int]) -> NDArray[np.uint8]:
    """Whole images (N, H, W, C) -> outputs of inputs that are each drawn from a seed of its own."""

    def compute(rows: Tensor) -> list[NDArray[np.uint8]]:
        inputs = degrade(model, np.array(images[rows.numpy()]), [seeds[int(row)] for row in rows])
        return [to_uint8(model.transform(inputs))]

    return np.concatenate([part for (part,) in in_chunks(model, len(images), compute, CHUNK)])
