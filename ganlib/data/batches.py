"""Endless batches, a pure function of (seed, step): a resumed run sees what it would have seen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganlib.data.sets import Split
from ganlib.errors import GanlibError


def batches(
    split: Split,
    batch_size: int,
    *,
    seed: int,
    start: int = 0,
    flip: bool,
    device: torch.device | str = "cpu",
) -> Iterator[tuple[Tensor, Tensor]]:
    """Infinite ((B, C, H, W) float32 in [-1, 1], channels_last; (B,) int64), beginning at step ``start``.

    Step s is the positions [s B, (s + 1) B) in the endless concatenation of the epochs' permutations;
    B may exceed N.
    """
    if batch_size < 1:
        raise GanlibError(f"A batch needs at least one image, not {batch_size}; set a positive batch size.")
    if not len(split):
        raise GanlibError("There are no images to draw batches from; choose a split with at least one image.")
    return _batches(split, batch_size, seed, start, flip, torch.device(device))


def _batches(
    split: Split, batch_size: int, seed: int, start: int, flip: bool, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    pixels = np.asarray(split.images)  # a plain view: indexing np.memmap itself pays for its subclass
    for step, indices in zip(count(start), _indices(len(split), batch_size, seed, start), strict=False):
        x = pixels[indices]  # (B, H, W, C) uint8
        if flip:
            # the third word keeps this stream apart from the permutations' [seed, epoch]
            mirrored = _generator(seed, step, 1).random(batch_size) < 0.5
            x[mirrored] = x[mirrored, :, ::-1]
        images, labels = torch.from_numpy(x), torch.from_numpy(split.labels[indices])
        if device.type == "cuda":
            images = images.pin_memory().to(device, non_blocking=True)
            labels = labels.pin_memory().to(device, non_blocking=True)
        else:
            images, labels = images.to(device), labels.to(device)
        # NHWC seen as NCHW is channels_last already; bytes cross the bus, floats are made on the device
        yield images.permute(0, 3, 1, 2).float().mul_(2 / 255).sub_(1), labels


def _indices(n: int, batch_size: int, seed: int, start: int) -> Iterator[NDArray[np.int64]]:
    """The (B,) indices of steps start, start + 1, …"""
    epoch, used = divmod(start * batch_size, n)
    order = _generator(seed, epoch).permutation(n)
    while True:
        parts: list[NDArray[np.int64]] = []
        missing = batch_size
        while missing:
            if used == n:
                epoch, used = epoch + 1, 0
                order = _generator(seed, epoch).permutation(n)
            parts.append(order[used : used + missing])
            used += len(parts[-1])
            missing -= len(parts[-1])
        yield np.concatenate(parts)


def _generator(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(list(key)))
