"""Fractions of images that a classifier puts in their class."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ganlib.data import Split
from ganlib.images import from_uint8
from ganlib.intervals import wilson_interval
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.protocol import protocol
from ganlib.metrics.references import Progress, chunks, load_split
from ganlib.records import Record
from ganlib.runs import Run


def accuracy_record(run: Run, model: Any, config: EvaluationConfig, progress: Progress) -> Record:
    """The fraction of test images that the model classifies correctly."""
    test = load_split(run, "test", config.data_root)
    hits = count_hits(model.classify, chunks(test, config.batch), test.labels, model.device, progress)
    return test_record(run, test, "accuracy", hits)


def test_record(run: Run, test: Split, metric: str, hits: int, **extra: Any) -> Record:
    """Of ``hits`` correct among all test images. ``extra``: what else belongs to the protocol."""
    return Record(
        metric=metric,
        value=hits / len(test),
        interval=wilson_interval(hits, len(test)),
        protocol=protocol(run, None, n_real=len(test), split="test", **extra),
    )


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
