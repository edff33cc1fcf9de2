"""When a run in training is saved, and what shows it: always the same seeds, classes, test images and holes."""

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
from ganlib.models import Encodes, GenerativeModel, ImageToImage, Trainable, encode
from ganlib.sampling import in_chunks, sample, transform
from ganlib.training.config import TrainingConfig

COLUMNS, ROWS_WITHOUT_CLASSES, MAX_CLASSES = 8, 6, 10
RECONSTRUCTIONS = 16  # and inputs of image-to-image models


def next_snapshot(images_seen: int, config: TrainingConfig) -> int:
    """The first point of the geometric schedule, or of those asked for besides, that lies after ``images_seen``."""
    point = float(config.snapshot_first)
    while int(point) <= images_seen:
        point *= config.snapshot_growth
    return min([int(point), *(images for images in config.snapshot_at if images > images_seen)])


def save_samples(model: Trainable, test: Split, path: Path) -> None:
    """One row per class, one seed per column; seeds alone where the model is not conditional.

    Of an image-to-image model test images as ``transformation_rows`` has them.
    """
    if isinstance(model, ImageToImage):
        write_atomically(path, webp(grid(transformation_rows(model, test), min(COLUMNS, len(test)))))
    elif isinstance(model, GenerativeModel):
        if model.conditional:
            rows = min(model.config.num_classes, MAX_CLASSES)
            seeds = list(range(COLUMNS)) * rows
            images = sample(model, seeds, [row for row in range(rows) for _ in range(COLUMNS)])
        else:
            images = sample(model, range(COLUMNS * ROWS_WITHOUT_CLASSES))
        write_atomically(path, webp(grid(images, COLUMNS)))


def transformation_rows(model: ImageToImage, test: Split) -> NDArray[np.uint8]:
    """Inputs, below them outputs, below these what is wanted, or other outputs, or the way back between domains.

    -> (n, H, W, C) uint8 in two times three rows, the first class's first.
    """
    selected = np.sort(stratified_indices(test.labels, RECONSTRUCTIONS))
    selected = selected[np.argsort(test.labels[selected], kind="stable")]
    images, labels = np.array(test.images[selected]), test.labels[selected]
    inputs, outputs = transform(model, images, labels)
    if model.task == "translation":
        below = transform(model, outputs, 1 - labels).outputs
    elif model.task == "augmentation":
        below = transform(model, images, labels, first=len(images)).outputs  # of other noise
    else:
        below = images
    return in_blocks(inputs, outputs, below)


def in_blocks(*rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(n, H, W, C) uint8 each -> all of them, so that a grid has each image's above one another."""
    n, columns = len(rows[0]), min(COLUMNS, len(rows[0]))
    blank = np.full((-n % columns, *rows[0].shape[1:]), 255, np.uint8)
    blocks = [np.concatenate([part, blank]).reshape(-1, columns, *part.shape[1:]) for part in rows]
    return np.stack(blocks, 1).reshape(-1, *rows[0].shape[1:])


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
    write_atomically(path, webp(grid(in_blocks(images, reconstructions), min(COLUMNS, len(images)))))


def reconstruct(model: Any, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> NDArray[np.uint8]:
    """(N, H, W, C) uint8 -> the same of generate(encode(x)), each with its own label where the model is conditional."""
    y = torch.from_numpy(labels) if model.conditional else None

    def compute(rows: Tensor) -> NDArray[np.uint8]:
        labels = None if y is None else y[rows]
        latents = encode(model, from_uint8(images[rows.numpy()], model.device), labels)
        return to_uint8(model.generate(latents, labels))

    return np.concatenate(list(in_chunks(model, len(images), compute)))
