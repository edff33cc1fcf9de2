"""Other images of the class of an image, by models that augment data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from ganlib.data import Split
from ganlib.models import ImageToImage, Trainable
from ganlib.sampling.transformation import transform_seeds

Images = NDArray[np.uint8]


def augments(model: Trainable) -> TypeGuard[ImageToImage]:
    return isinstance(model, ImageToImage) and model.task == "augmentation"


def vary(model: ImageToImage, picture: Images, seeds: Sequence[int]) -> Images:
    """(H, W, C) -> (n, H, W, C): one variation for each seed of the noise."""
    return transform_seeds(model, np.repeat(picture[None], len(seeds), axis=0), seeds)


def variations_of(model: ImageToImage, split: Split) -> Callable[[Sequence[int], Sequence[int]], Images]:
    """(seeds, labels) -> (n, H, W, C): variations of the split's images of each class, one after the other.

    Seeds decide on the image as well, so that each class needs one at least.
    """
    rows = [np.flatnonzero(np.asarray(split.labels) == label) for label in range(model.config.num_classes)]

    def draw(seeds: Sequence[int], labels: Sequence[int]) -> Images:
        turns = [seed // len(rows) for seed in seeds]
        chosen = [rows[label][turn % len(rows[label])] for turn, label in zip(turns, labels, strict=True)]
        return transform_seeds(model, np.stack([split.images[row] for row in chosen]), seeds)

    return draw
