"""The pictures that show a run growing: the same seeds and classes at every snapshot."""

from __future__ import annotations

import io
from pathlib import Path

from ganlib.files import write_atomically
from ganlib.models import GenerativeModel, Trainable
from ganlib.sampling import grid, sample

COLUMNS, ROWS_WITHOUT_CLASSES, MOST_CLASSES = 8, 6, 10


def save_pictures(model: Trainable, path: Path) -> None:
    """One row per class, one seed per column; plain seeds where there are no classes to ask for."""
    if not isinstance(model, GenerativeModel):
        return
    if model.conditional:
        rows = min(model.config.num_classes, MOST_CLASSES)
        seeds = list(range(COLUMNS)) * rows
        images = sample(model, seeds, [row for row in range(rows) for _ in range(COLUMNS)])
    else:
        images = sample(model, range(COLUMNS * ROWS_WITHOUT_CLASSES))
    buffer = io.BytesIO()
    grid(images, columns=COLUMNS).save(buffer, "WEBP", quality=90, method=4)
    write_atomically(path, buffer.getvalue())
