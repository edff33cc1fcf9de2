"""Infinite batches, a pure function of (seed, step): a resumed run continues with exactly the same batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganlib.data.order import Blocks, epoch_order, generator
from ganlib.data.sets import Images, Split
from ganlib.errors import GanlibError
from ganlib.images import normalize

T = TypeVar("T")


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
    in_pairs: bool = False,
    rank: int = 0,
    world_size: int = 1,
    device: torch.device | str = "cpu",
) -> Iterator[tuple[Tensor, Tensor]]:
    """Infinite ((B, C, H, W) float32 in [-1, 1], channels_last; (B,) int64), beginning at step ``start``.

    Each step takes the next B indices of the concatenated orders of all epochs; B may exceed N, and may be a function
    of the images taken by earlier steps. An epoch's order is a permutation, of shards one by blocks. ``only``: use this
    many images, stratified by class. ``labels``: this many images keep their label, the others get -1; labelled images
    are a ``labelled_share`` of every batch, and the rest of it is drawn from all. ``in_pairs``: the second half of each
    batch, whose size is even, are random other images of the first half's classes, in the same order. ``rank`` of
    ``world_size`` processes gets every world_size-th image of each batch: dealt out, the batches are those of one
    process.
    """
    if not callable(batch_size) and batch_size < 1:
        raise GanlibError(f"A batch needs at least one image, not {batch_size}; set a positive batch size.")
    if not len(split):
        raise GanlibError("There are no images to draw batches from; choose a split with at least one image.")
    subset, labelled, targets = training_rows(split.labels, only=only, labels_kept=labels, in_pairs=in_pairs)

    def sizes() -> Iterator[int]:
        return (size // 2 if in_pairs else size for size in _batch_sizes(batch_size))

    indices = _selected(subset, split.blocks, sizes(), seed, start)
    if labels:
        quotas = (round(labelled_share * size) for size in sizes())
        others = (size - round(labelled_share * size) for size in sizes())
        from_labelled = _selected(labelled, split.blocks, quotas, seed, start, 2)
        from_all = _selected(subset, split.blocks, others, seed, start)
        indices = (np.concatenate(pair) for pair in zip(from_labelled, from_all, strict=False))
    if in_pairs:
        indices = _with_partners(indices, subset, targets, seed, start)
    dealt, stored = slice(rank, None, world_size), isinstance(split.images, np.ndarray)
    # Of an array a plain view: indexing np.memmap itself is slower.
    pixels: Images = np.asarray(split.images) if stored else split.images
    arrays = _arrays(pixels, targets, indices, seed, start, flip, dealt)
    return _tensors(arrays if stored else _ahead(arrays), torch.device(device))


def training_rows(
    labels: NDArray[np.int64], *, only: int, labels_kept: int, in_pairs: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Sorted rows to train on, those of them that keep their label, and all labels (N,) as training has them.

    In pairs an image needs another one of its class, or is left out. GanlibError where that leaves none.
    """
    rows = stratified_subset(labels, only) if only else np.arange(len(labels))
    kept, targets = rows, labels
    if labels_kept:
        kept = rows[labelled_subset(labels[rows], labels_kept)]
        targets = np.full_like(labels, -1)
        targets[kept] = labels[kept]
    if in_pairs:
        classes, counts = np.unique(targets[rows], return_counts=True)
        paired = np.isin(targets, classes[(counts > 1) & (classes >= 0)])
        rows, kept = rows[paired[rows]], kept[paired[kept]]
        if not len(rows):
            raise GanlibError(
                "No class has two images to make a pair of; choose a data set with more images of a class, or more of "
                "them by --only or --labels."
            )
    return rows, kept, targets


def random_subset(n: int, size: int) -> NDArray[np.int64]:
    """At most ``size`` of n indices, sorted, always the same. Not the first: folders list images class by class."""
    return np.sort(np.random.Generator(np.random.PCG64(0)).permutation(n)[:size])


def stratified_subset(labels: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Sorted indices of n images, stratified by class: independent of the seed, and nested for growing n."""
    order = generator(0, 0, 4).permutation(len(labels))
    return np.sort(order[stratified_indices(labels[order], n)])


def labelled_subset(labels: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Sorted indices of n labelled images, stratified by class: independent of the seed, and nested for growing n.

    GanlibError where the data set has no labels.
    """
    order = generator(0, 0, 3).permutation(len(labels))
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


def _with_partners(
    indices: Iterator[NDArray[np.int64]], rows: NDArray[np.int64], labels: NDArray[np.int64], seed: int, start: int
) -> Iterator[NDArray[np.int64]]:
    """Of each step the images (B,), then for each of them one of ``rows``, another of its class: (2 B,)."""
    by_class = rows[np.argsort(labels[rows], kind="stable")]
    classes = labels[by_class]
    place = np.zeros(len(labels), np.int64)
    place[by_class] = np.arange(len(by_class))
    for step, chosen in zip(count(start), indices, strict=False):
        first, end = (np.searchsorted(classes, labels[chosen], side) for side in ("left", "right"))
        further = generator(seed, step, 7).integers(1, end - first)  # by less than once around its class
        yield np.concatenate([chosen, by_class[first + (place[chosen] - first + further) % (end - first)]])


def _arrays(
    pixels: Images,
    targets: NDArray[np.int64],
    indices: Iterator[NDArray[np.int64]],
    seed: int,
    start: int,
    flip: bool,
    dealt: slice,
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """(B, H, W, C) and (B,) of each step."""
    for step, selected in zip(count(start), indices, strict=False):
        x = pixels[selected[dealt]]
        if flip:
            # the third number separates this stream from the permutations' [seed, epoch]
            flipped = generator(seed, step, 1).random(len(selected))[dealt] < 0.5
            x[flipped] = x[flipped, :, ::-1]
        yield x, targets[selected[dealt]]


def _ahead(items: Iterator[T]) -> Iterator[T]:
    """The next item is read while the caller works with this one."""
    with ThreadPoolExecutor(1, "ganlib-reading") as thread:
        pending = thread.submit(next, items)
        while True:
            item = pending.result()
            pending = thread.submit(next, items)
            yield item


def _tensors(
    arrays: Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]], device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    for x, targets in arrays:
        images, labels = torch.from_numpy(x), torch.from_numpy(targets)
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


def _selected(
    rows: NDArray[np.int64], blocks: Blocks | None, sizes: Iterator[int], seed: int, start: int, *stream: int
) -> Iterator[NDArray[np.int64]]:
    """Of the sorted ``rows``, those of steps start, start + 1, …; each stream has an order of its own."""
    n, own = len(rows), blocks and blocks.of(rows)
    epoch, position = divmod(sum(islice(sizes, start)), n)
    order = epoch_order(n, own, (seed, epoch, *stream))
    for remaining in sizes:
        parts = [rows[:0]]
        while remaining:
            if position == n:
                epoch, position = epoch + 1, 0
                order = epoch_order(n, own, (seed, epoch, *stream))
            parts.append(rows[order[position : position + remaining]])
            position += len(parts[-1])
            remaining -= len(parts[-1])
        yield np.concatenate(parts)
