"""Classification accuracy score: what a classifier knows of real images that was trained on generated ones.

Ravuri, Vinyals, "Classification Accuracy Score for Conditional Generative Models", NeurIPS 2019, arXiv:1905.10887.
The classifier is this project's, small and briefly trained: the score is below what an equal number of real images
gives, and compares only where the same was done.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ganlib.data import DataSet, Split
from ganlib.errors import GanlibError
from ganlib.metrics.accuracy import count_hits
from ganlib.metrics.generation import Generation
from ganlib.metrics.intervals import wilson_interval
from ganlib.metrics.protocol import protocol
from ganlib.metrics.references import Progress, chunks, load_set
from ganlib.models import MODELS
from ganlib.records import Record
from ganlib.runs import RunFolder
from ganlib.training import Trainer, TrainingConfig
from ganlib.training.trainer import seeded

CLASSIFIER = "classifier"
WIDTH = 16
IMAGES = 100_000  # minutes on two cores, for CIFAR-10
SEED = 0


def data_to_classify(made: Generation, root: str | None) -> DataSet:
    """The run's data set. GanlibError where its test images are absent or nothing can be learnt from ``made``."""
    k = made.model.config.num_classes
    if not made.model.conditional or k < 2:
        raise GanlibError(
            f"{made.run.name} cannot be asked for classes, so that no classifier can learn from its images; "
            "leave the metric cas out."
        )
    if made.n < k:
        raise GanlibError(f"A classifier of {k} classes cannot learn from {made.n} images; raise --n.")
    return load_set(made.run, root, "test")


def transfer_record(
    made: Generation, images: NDArray[np.uint8], data: DataSet, device: torch.device, progress: Progress
) -> Record:
    """images: all of ``made``, (n, H, W, C) uint8. data: the run's data set, of which only the test images are used."""
    assert made.labels is not None
    training = TrainingConfig(
        images=IMAGES, batch_size=MODELS[CLASSIFIER].recipe["batch_size"], seed=SEED, precision="fp32"
    )
    generated = replace(data, train=Split(images, made.labels.numpy(), "generated"))
    classifier = train(generated, training, device, progress)
    hits = count_hits(classifier.classify, chunks(data.test, made.batch), data.test.labels, device, progress)
    trained = {"model": CLASSIFIER, "width": WIDTH, "images": IMAGES, "batch_size": training.batch_size, "seed": SEED}
    about = protocol(
        made.run, None, n_real=len(data.test), n_fake=made.n, split="test", options=made.changed, trained=trained
    )
    return made.record("cas", hits / len(data.test), interval=wilson_interval(hits, len(data.test)), protocol=about)


def train(data: DataSet, config: TrainingConfig, device: torch.device, progress: Progress) -> Any:
    """A classifier of ``data.train``, mirrored where the data set allows it. On a CPU the seed decides all."""
    values = {"image_size": data.size, "channels": data.channels, "num_classes": data.num_classes}
    architecture = MODELS[CLASSIFIER]
    shape = architecture.Config.from_dict(values | {"width": WIDTH, "schedule_images": config.images})
    with TemporaryDirectory() as folder, torch.random.fork_rng():
        model = seeded(lambda: architecture(shape), config.seed)
        trainer = Trainer(RunFolder(Path(folder)), model, data, config, device)
        trainer.train(lambda p: progress("trained a classifier on", p.images, config.images))
    return model.eval().requires_grad_(False)
