"""Bits per dimension of test images: the negative log likelihood in bits, for each pixel value.

JPEG (cifar10-jpeg) and resizing (MNIST at 32 pixels) change what levels take: published figures, which are of the
original images, are no comparison; Glow's are a bound besides.

Theis, van den Oord, Bethge, "A note on the evaluation of generative models", ICLR 2016, arXiv:1511.01844.
"""

from __future__ import annotations

import numpy as np
import torch

from ganlib.data.batches import random_subset
from ganlib.errors import GanlibError
from ganlib.images import from_uint8
from ganlib.intervals import mean_interval
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.protocol import protocol
from ganlib.metrics.references import Progress, load_split
from ganlib.models import GenerativeModel, KnowsLikelihood
from ganlib.records import Record
from ganlib.runs import Run

TEST_IMAGES = 2_000  # at most


def likelihood_record(run: Run, model: KnowsLikelihood, config: EvaluationConfig, progress: Progress) -> Record:
    """Of test images, of a conditional model each with its class. GanlibError where none has one."""
    assert isinstance(model, GenerativeModel)
    test = load_split(run, "test", config.data_root)
    rows = random_subset(len(test), TEST_IMAGES)
    if model.conditional:
        rows = rows[test.labels[rows] >= 0]
    if not len(rows):
        raise GanlibError(f"{run.data_name} has no test images that its likelihood could be measured on.")
    bits: list[float] = []
    for part in np.array_split(rows, -(-len(rows) // config.batch)):
        labels = torch.from_numpy(test.labels[part]) if model.conditional else None
        with torch.inference_mode():
            bits += model.bits_per_dim(from_uint8(test.images[part], model.device), labels).tolist()
        progress("likelihood", len(bits), len(rows))
    mean = float(np.mean(bits))
    return Record(
        metric="bits_per_dim",
        value=mean,
        interval=mean_interval(bits),
        protocol=protocol(run, None, n_real=len(bits), split="test"),
    )
