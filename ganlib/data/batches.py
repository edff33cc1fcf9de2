"""Infinite batches, a pure function of (seed, step): a resumed run continues with exactly the same batches."""

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
    rank: int = 0,
    world_size: int = 1,
    device: torch.device | str = "cpu",
) -> Iterator[tuple[Tensor, Tensor]]:
    """Infinite ((B, C, H, W) float32 in [-1, 1], channels_last; (B,) int64), beginning at step ``start``.

    Each step takes the next B indices of the concatenated permutations of all epochs; B may exceed N, and may be a
    function of the images taken by earlier steps. ``only``: use this many images, stratified by class. ``labels``:
    this many images keep their label, the others get -1; labelled images are a ``labelled_share`` of every batch,
    and the rest of it is drawn from all. ``rank`` of ``world_size`` processes gets every world_size-th image of each
    batch: dealt out, the batches are those of one process.
    """
    if not callable(batch_size) and batch_size < 1:
        raise GanlibError(f"A batch needs at least one image, not {batch_size}; set a positive batch size.")
    if not len(split):
        raise GanlibError("There are no images to draw batches from; choose a split with at least one image.")
    subset = stratified_subset(split.labels, only) if only else np.arange(len(split))
    targets = split.labels
    indices = (subset[i] for i in _batch_indices(len(subset), _batch_sizes(batch_size), seed, start))
    if labels:
        labelled = subset[labelled_subset(split.labels[subset], labels)]
        targets = np.full_like(split.labels, -1)
        targets[labelled] = split.labels[labelled]
        quotas = (round(labelled_share * size) for size in _batch_sizes(batch_size))
        others = (size - round(labelled_share * size) for size in _batch_sizes(batch_size))
        from_labelled = (labelled[i] for i in _batch_indices(len(labelled), quotas, seed, start, 2))
        from_all = (subset[i] for i in _batch_indices(len(subset), others, seed, start))
        indices = (np.concatenate(pair) for pair in zip(from_labelled, from_all, strict=False))
    pixels = np.asarray(split.images)  # a plain view: indexing np.memmap itself is slower
    return _batches(pixels, targets, indices, seed, start, flip, torch.device(device), slice(rank, None, world_size))


def stratified_subset(labels: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Sorted indices of n images, stratified by class: independent of the seed, and nested for growing n."""
    order = _generator(0, 0, 4).permutation(len(labels))
    return np.sort(order[stratified_indices(labels[order], n)])


def labelled_subset(labels: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Sorted indices of n labelled images, stratified by class: independent of the seed, and nested for growing n.

    GanlibError where the data set has no labels.
    """
    order = _generator(0, 0, 3).permutation(len(labels))
    order = order[labels[order] >= 0]
    if not len(order):
        raise GanlibError("The data set has no labels to choose from; leave --labels out.")
    return np.sort(order[stratified_indices(labels[order], n)])


def stratified_indices(labels: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Indices of the first n images, one class after the other in turn: the first of each, the second of each, …"""
    order = np.argsort(labels, kind="stable")
    by_class = labels[order]
    rank = np.arange(len(order)) - np.searchsorted(by_class, by_class)  # within the class
    return order[np.lexsort((by_class, rank))][:n]


def _batches(
    pixels: NDArray[np.uint8],
    targets: NDArray[np.int64],
    indices: Iterator[NDArray[np.int64]],
    seed: int,
    start: int,
    flip: bool,
    device: torch.device,
    dealt: slice,
) -> Iterator[tuple[Tensor, Tensor]]:
    for step, selected in zip(count(start), indices, strict=False):
        x = pixels[selected[dealt]]  # (B, H, W, C) uint8
        if flip:
            # the third number separates this stream from the permutations' [seed, epoch]
            flipped = _generator(seed, step, 1).random(len(selected))[dealt] < 0.5
            x[flipped] = x[flipped, :, ::-1]
        images, labels = torch.from_numpy(x), torch.from_numpy(targets[selected[dealt]])
        if device.type == "cuda":
            images = images.pin_memory().to(device, non_blocking=True)
            labels = labels.pin_memory().to(device, non_blocking=True)
        else:
            images, labels = images.to(device), labels.to(device)
        # NHWC seen as NCHW is channels_last already; bytes cross the bus, floats are made on the device
        yield normalize(images.permute(0, 3, 1, 2)), labels


def _batch_sizes(batch_size: int | Callable[[int], int]) -> Iterator[int]:
    """Images of each step, from step 0."""
    taken = 0
    while True:
        size = batch_size(taken) if callable(batch_size) else batch_size
        yield size
        taken += size


def _batch_indices(n: int, sizes: Iterator[int], seed: int, start: int, *stream: int) -> Iterator[NDArray[np.int64]]:
    """Indices of the batches of steps start, start + 1, …; each stream has an order of its own."""
    epoch, position = divmod(sum(islice(sizes, start)), n)
    order = _generator(seed, epoch, *stream).permutation(n)
    for remaining in sizes:
        parts: list[NDArray[np.int64]] = []
        while remaining:
            if position == n:
                epoch, position = epoch + 1, 0
                order = _generator(seed, epoch, *stream).permutation(n)
            parts.append(order[position : position + remaining])
            position += len(parts[-1])
            remaining -= len(parts[-1])
        yield np.concatenate([*parts, order[:0]])


def _generator(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(list(key)))
