"""Classification accuracy score: accuracy on real images of a classifier that was trained on generated ones.

Ravuri, Vinyals, "Classification Accuracy Score for Conditional Generative Models", NeurIPS 2019, arXiv:1905.10887.
The classifier is this project's, small and briefly trained: the score compares only with scores made the same way.
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
from ganlib.intervals import wilson_interval
from ganlib.metrics.accuracy import count_hits
from ganlib.metrics.generation import Generation
from ganlib.metrics.protocol import protocol
from ganlib.metrics.references import Progress, chunks, load_set
from ganlib.models import MODELS
from ganlib.records import Record
from ganlib.run_folder import RunFolder
from ganlib.training import Trainer, TrainingConfig
from ganlib.training.trainer import seeded

CLASSIFIER = "classifier"
WIDTH = 16
IMAGES = 100_000  # minutes on two cores, for CIFAR-10
SEED = 0


def load_cas_data(generation: Generation, root: str | None) -> DataSet:
    """The run's data set. GanlibError where its test images are absent or no classifier can learn its classes."""
    k = generation.model.config.num_classes
    if not generation.model.conditional or k < 2:
        raise GanlibError(
            f"{generation.run.name} is not conditional, so that no classifier can learn from its images; "
            "leave the metric cas out."
        )
    if generation.n < k:
        raise GanlibError(f"A classifier of {k} classes cannot learn from {generation.n} images; raise --n.")
    return load_set(generation.run, root, "test")


def cas_record(
    generation: Generation, images: NDArray[np.uint8], data: DataSet, device: torch.device, progress: Progress
) -> Record:
    """``images``: all of ``generation``, (n, H, W, C) uint8. ``data``: the run's data set; its test images are used."""
    assert generation.labels is not None
    training = TrainingConfig(
        images=IMAGES, batch_size=MODELS[CLASSIFIER].training_defaults["batch_size"], seed=SEED, precision="fp32"
    )
    generated = replace(data, train=Split(images, generation.labels.numpy(), "generated"))
    classifier = train(generated, training, device, progress)
    hits = count_hits(classifier.classify, chunks(data.test, generation.batch), data.test.labels, device, progress)
    trained = {"model": CLASSIFIER, "width": WIDTH, "images": IMAGES, "batch_size": training.batch_size, "seed": SEED}
    cas_protocol = protocol(
        generation.run,
        None,
        n_real=len(data.test),
        n_fake=generation.n,
        split="test",
        options=generation.changed_options,
        trained=trained,
    )
    return generation.record(
        "cas", hits / len(data.test), interval=wilson_interval(hits, len(data.test)), protocol=cas_protocol
    )


def train(
    data: DataSet,
    config: TrainingConfig,
    device: torch.device,
    progress: Progress,
    *,
    width: int = WIDTH,
    class_weights: tuple[float, ...] = (),
) -> Any:
    """A classifier of ``data.train``, mirrored where the data set allows it. On a CPU the seed decides all."""
    values: dict[str, Any] = {"image_size": data.size, "channels": data.channels, "num_classes": data.num_classes}
    values |= {"width": width, "schedule_images": config.images, "class_weights": class_weights}
    architecture = MODELS[CLASSIFIER]
    shape = architecture.Config.from_dict(values)
    with TemporaryDirectory() as folder, torch.random.fork_rng():
        model = seeded(lambda: architecture(shape), config.seed)
        trainer = Trainer(RunFolder(Path(folder)), model, data, config, device)
        trainer.train(lambda p: progress("trained a classifier on", p.images, config.images))
    return model.eval().requires_grad_(False)
