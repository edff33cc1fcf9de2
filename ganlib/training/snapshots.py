"""When a run in training is saved, and the images that show it: always the same seeds, classes and test images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganlib.data import Split
from ganlib.data.batches import stratified_indices
from ganlib.files import write_atomically
from ganlib.images import from_uint8, grid, to_uint8, webp
from ganlib.models import Encodes, GenerativeModel, Trainable
from ganlib.sampling import in_chunks, sample
from ganlib.training.config import TrainingConfig

COLUMNS, ROWS_WITHOUT_CLASSES, MAX_CLASSES = 8, 6, 10
RECONSTRUCTIONS = 16


def next_snapshot(images_seen: int, config: TrainingConfig) -> int:
    """The first point of the geometric schedule that lies after ``images_seen``."""
    point = float(config.snapshot_first)
    while int(point) <= images_seen:
        point *= config.snapshot_growth
    return int(point)


def save_samples(model: Trainable, path: Path) -> None:
    """One row per class, one seed per column; seeds alone where the model is not conditional."""
    if not isinstance(model, GenerativeModel):
        return
    if model.conditional:
        rows = min(model.config.num_classes, MAX_CLASSES)
        seeds = list(range(COLUMNS)) * rows
        images = sample(model, seeds, [row for row in range(rows) for _ in range(COLUMNS)])
    else:
        images = sample(model, range(COLUMNS * ROWS_WITHOUT_CLASSES))
    write_atomically(path, webp(grid(images, COLUMNS)))


def save_reconstructions(model: Trainable, test: Split, path: Path) -> None:
    """Test images, each above its reconstruction; nothing where the model cannot encode."""
    if not (isinstance(model, GenerativeModel) and isinstance(model, Encodes)):
        return
    # A conditional model reconstructs an image as one of its own class: images without a label are left out.
    candidates = np.flatnonzero(test.labels >= 0) if model.conditional else np.arange(len(test))
    selected = candidates[stratified_indices(test.labels[candidates], RECONSTRUCTIONS)]
    if not len(selected):
        return
    images = np.array(test.images[selected])
    reconstructions = reconstruct(model, images, test.labels[selected])
    columns = min(COLUMNS, len(images))
    blank = np.full((-len(images) % columns, *images.shape[1:]), 255, np.uint8)
    above, below = (
        np.concatenate([part, blank]).reshape(-1, columns, *images.shape[1:]) for part in (images, reconstructions)
    )
    pairs = np.stack([above, below], 1).reshape(-1, *images.shape[1:])
    write_atomically(path, webp(grid(pairs, columns)))


def reconstruct(model: Any, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> NDArray[np.uint8]:
    """(N, H, W, C) uint8 -> the same of generate(encode(x)), each with its own label where the model is conditional."""
    y = torch.from_numpy(labels) if model.conditional else None

    def compute(rows: Tensor) -> NDArray[np.uint8]:
        latents = model.encode(from_uint8(images[rows.numpy()], model.device))
        return to_uint8(model.generate(latents, None if y is None else y[rows]))

    return np.concatenate(list(in_chunks(model, len(images), compute)))
