"""Training sets with which a classifier sees every class as often: the methods of balancing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from ganlib.applications.balancing.config import FILLING, WITH_GENERATOR
from ganlib.augment import color, random_shift
from ganlib.balances import COPYING
from ganlib.data import DataSet, Split
from ganlib.images import from_uint8, to_uint8

CHUNK = 512
AUGMENTATION = "color, shift by up to 1/8 with reflected borders"  # for the protocol; see ``augmented``

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Treatment:
    """``ratio``: to how many times the largest class each is filled up; 0 where the method adds no image."""

    method: str
    ratio: float = 0.0

    @property
    def generates(self) -> bool:
        return self.method in WITH_GENERATOR

    @property
    def fills_up(self) -> bool:
        return self.method in FILLING

    def __str__(self) -> str:
        return f"{self.method}, ratio {self.ratio:g}" if self.fills_up else self.method


@dataclass(frozen=True)
class TrainingSet:
    data: DataSet
    class_weights: tuple[float, ...] = ()  # of the loss
    added: Counts = field(default_factory=lambda: np.zeros(0, np.int64))  # images of each class beside the real ones
    generated: int = 0  # of those added


def missing(counts: Counts, ratio: float = 1.0) -> Counts:
    """(K,) real images of each class -> (K,) how many each lacks to ``ratio`` times the largest class."""
    return np.maximum(0, np.rint(ratio * counts.max()).astype(np.int64) - counts)


def class_weights(counts: Counts) -> tuple[float, ...]:
    """n / (K n_c), as scikit-learn's "balanced"."""
    return tuple((counts.sum() / (len(counts) * counts)).tolist())


def treat(data: DataSet, treatment: Treatment, generated: tuple[Images, Labels], seed: int) -> TrainingSet:
    """``generated``: of each class as many as this treatment takes, or more. The seed chooses which are copied."""
    labels = np.asarray(data.train.labels)
    counts = np.bincount(labels, minlength=data.num_classes)
    if treatment.method == "none":
        return TrainingSet(data)
    if treatment.method == "reweighting":
        return TrainingSet(data, class_weights(counts))
    rng = np.random.default_rng(seed)
    lacking = missing(counts, treatment.ratio)
    if treatment.method in COPYING:
        images, targets = copies(data.train, lacking, rng)
        return _with(data, augmented(images, seed) if treatment.method == "augmentation" else images, targets)
    if treatment.method == "mixed":
        drawn = take(generated, lacking - lacking // 2)
        copied = copies(data.train, lacking // 2, rng)
        images, targets = np.concatenate([drawn[0], copied[0]]), np.concatenate([drawn[1], copied[1]])
        return _with(data, images, targets, generated=len(drawn[0]))
    images, targets = take(generated, lacking)
    return _with(data, images, targets, generated=len(images))


def copies(split: Split, counts: Counts, rng: np.random.Generator) -> tuple[Images, Labels]:
    """Images of each class drawn again: every one before any a second time."""
    labels = np.asarray(split.labels)
    rows = [_repeat(rng.permutation(np.flatnonzero(labels == label)), count) for label, count in enumerate(counts)]
    chosen = np.concatenate(rows)
    return np.asarray(split.images[np.sort(chosen)]), labels[np.sort(chosen)]


def _repeat(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    return np.resize(rows, count) if count else rows[:0]


def take(generated: tuple[Images, Labels], counts: Counts) -> tuple[Images, Labels]:
    """The first images of each class."""
    images, labels = generated
    rows = np.sort(np.concatenate([np.flatnonzero(labels == label)[:count] for label, count in enumerate(counts)]))
    return images[rows], labels[rows]


def augmented(images: Images, seed: int) -> Images:
    """(N, H, W, C) -> the same with other colours, as DiffAugment's, and moved by up to an eighth of the side."""

    def change(x: torch.Tensor) -> torch.Tensor:
        return random_shift(color(x), x.shape[-1] // 8).clamp(-1, 1)

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return _in_chunks(images, change)


def _in_chunks(images: Images, change: Callable[[torch.Tensor], torch.Tensor]) -> Images:
    parts = [to_uint8(change(from_uint8(images[i : i + CHUNK]))) for i in range(0, len(images), CHUNK)]
    return np.concatenate([images[:0], *parts])


def _with(data: DataSet, images: Images, labels: Labels, generated: int = 0) -> TrainingSet:
    together = Split(
        np.concatenate([np.asarray(data.train.images), images]),
        np.concatenate([np.asarray(data.train.labels), labels]),
        "balanced",
    )
    added = np.bincount(labels, minlength=data.num_classes)
    return TrainingSet(replace(data, train=together), (), added, generated)
