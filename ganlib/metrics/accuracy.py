"""Shares of images that a classifier puts in the class they should have."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ganlib.data import Split
from ganlib.images import from_uint8
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.intervals import of_share
from ganlib.metrics.protocol import protocol
from ganlib.metrics.references import Progress, chunks, load_split
from ganlib.records import Record
from ganlib.runs import Run


def share(metric: str, hits: int, n: int) -> Record:
    return {"metric": metric, "value": hits / n, "interval": of_share(hits, n), "blocks": []}


def accuracy_record(run: Run, model: Any, config: EvaluationConfig, progress: Progress) -> Record:
    """The share of test images whose class the model names."""
    test = load_split(run, "test", config.data_root)
    hits = count_hits(model.classify, chunks(test, config.batch), test.labels, model.device, progress)
    return share("accuracy", hits, len(test)) | of_test_images(run, test)


def of_test_images(run: Run, test: Split) -> Record:
    """What a record says of a number that test images alone decide."""
    return {
        "protocol": protocol(run, None, n_real=len(test), split="test"),
        "labels": "none",
        "seeds": None,
        "options": {},
        "warning": None,
    }


@torch.inference_mode()
def count_hits(
    classify: Callable[[torch.Tensor], torch.Tensor],
    images: Iterable[NDArray[np.uint8]],
    labels: NDArray[np.int64],
    device: torch.device,
    progress: Progress,
) -> int:
    """How many of the images, (m, H, W, C) uint8 at a time, get their label."""
    hits = done = 0
    for part in images:
        predicted = classify(from_uint8(part, device)).argmax(1).cpu().numpy()
        hits += int((predicted == labels[done : done + len(part)]).sum())
        done += len(part)
        progress("classified", done, len(labels))
    return hits
