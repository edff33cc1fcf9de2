"""Endless batches, a pure function of (seed, step): a resumed run sees what it would have seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count, islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganlib.data.sets import Split
from ganlib.errors import GanlibError
from ganlib.images import normalize


def batches(
    split: Split,
    batch_size: int | Callable[[int], int],
    *,
    seed: int,
    start: int = 0,
    flip: bool,
    only: int = 0,
    labels: int = 0,
    labelled_share: float = 0.5,
    device: torch.device | str = "cpu",
) -> Iterator[tuple[Tensor, Tensor]]:
    """Infinite ((B, C, H, W) float32 in [-1, 1], channels_last; (B,) int64), beginning at step ``start``.

    Each step takes the next B positions in the endless concatenation of the epochs' permutations; B may exceed N,
    and may be a function of the images taken by earlier steps. With ``only`` there are no more than so many images,
    evenly over the classes. With ``labels`` only so many images keep their label, the others get -1; those that keep
    it are a ``labelled_share`` of every batch, the rest of it is drawn from all.
    """
    if not callable(batch_size) and batch_size < 1:
        raise GanlibError(f"A batch needs at least one image, not {batch_size}; set a positive batch size.")
    if not len(split):
        raise GanlibError("There are no images to draw batches from; choose a split with at least one image.")
    there = few(split.labels, only) if only else np.arange(len(split))
    known, indices = split.labels, (there[i] for i in _indices(len(there), _sizes(batch_size), seed, start))
    if labels:
        kept = there[labelled(split.labels[there], labels)]
        known = np.full_like(split.labels, -1)
        known[kept] = split.labels[kept]
        quotas = (round(labelled_share * size) for size in _sizes(batch_size))
        others = (size - round(labelled_share * size) for size in _sizes(batch_size))
        of_kept = (kept[i] for i in _indices(len(kept), quotas, seed, start, 2))
        of_all = (there[i] for i in _indices(len(there), others, seed, start))
        indices = (np.concatenate(pair) for pair in zip(of_kept, of_all, strict=False))
    pixels = np.asarray(split.images)  # a plain view: indexing np.memmap itself pays for its subclass
    return _batches(pixels, known, indices, seed, start, flip, torch.device(device))


def few(labels: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Indices of n images, in turn from each class; the same for every seed, and among those of a larger n."""
    order = _generator(0, 0, 4).permutation(len(labels))
    return np.sort(order[spread(labels[order], n)])


def labelled(labels: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Indices of n images that keep their label, in turn from each class; the same for every seed.

    GanlibError where the data set has no labels to keep.
    """
    order = _generator(0, 0, 3).permutation(len(labels))
    order = order[labels[order] >= 0]
    if not len(order):
        raise GanlibError("The data set has no labels to choose from; leave --labels out.")
    return np.sort(order[spread(labels[order], n)])


def spread(labels: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Indices of the first n images, taken in turn from each class: its first, then its second, …"""
    order = np.argsort(labels, kind="stable")
    by_class = labels[order]
    place = np.arange(len(order)) - np.searchsorted(by_class, by_class)  # within the class
    return order[np.lexsort((by_class, place))][:n]


def _batches(
    pixels: NDArray[np.uint8],
    known: NDArray[np.int64],
    indices: Iterator[NDArray[np.int64]],
    seed: int,
    start: int,
    flip: bool,
    device: torch.device,
) -> Iterator[tuple[Tensor, Tensor]]:
    for step, chosen in zip(count(start), indices, strict=False):
        x = pixels[chosen]  # (B, H, W, C) uint8
        if flip:
            # the third word keeps this stream apart from the permutations' [seed, epoch]
            mirrored = _generator(seed, step, 1).random(len(chosen)) < 0.5
            x[mirrored] = x[mirrored, :, ::-1]
        images, labels = torch.from_numpy(x), torch.from_numpy(known[chosen])
        if device.type == "cuda":
            images = images.pin_memory().to(device, non_blocking=True)
            labels = labels.pin_memory().to(device, non_blocking=True)
        else:
            images, labels = images.to(device), labels.to(device)
        # NHWC seen as NCHW is channels_last already; bytes cross the bus, floats are made on the device
        yield normalize(images.permute(0, 3, 1, 2)), labels


def _sizes(batch_size: int | Callable[[int], int]) -> Iterator[int]:
    """Images of each step, from step 0."""
    taken = 0
    while True:
        size = batch_size(taken) if callable(batch_size) else batch_size
        yield size
        taken += size


def _indices(n: int, sizes: Iterator[int], seed: int, start: int, *stream: int) -> Iterator[NDArray[np.int64]]:
    """The indices of steps start, start + 1, …; another stream is another order."""
    epoch, used = divmod(sum(islice(sizes, start)), n)
    order = _generator(seed, epoch, *stream).permutation(n)
    for missing in sizes:
        parts: list[NDArray[np.int64]] = []
        while missing:
            if used == n:
                epoch, used = epoch + 1, 0
                order = _generator(seed, epoch, *stream).permutation(n)
            parts.append(order[used : used + missing])
            used += len(parts[-1])
            missing -= len(parts[-1])
        yield np.concatenate([*parts, order[:0]])


def _generator(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(list(key)))
