"""May one train on them? A classifier of real, synthetic or both images, tested on real ones."""

from __future__ import annotations

from math import log2
from statistics import fmean
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ganlib.data import DataSet, Split
from ganlib.data.sets import Images
from ganlib.errors import GanlibError
from ganlib.images import captioned_grid, from_uint8
from ganlib.intervals import t_half_width
from ganlib.metrics.accuracy import count_hits
from ganlib.metrics.cas import CLASSIFIER, train
from ganlib.models import MODELS
from ganlib.training import TrainingConfig
from ganlib.twosample.context import Context, part_of, scaled

SEEDS = 5
SHOWN = 16  # test pictures with predictions
CHUNK = 64

Labels = NDArray[np.int64]


def training_section(context: Context) -> None:
    """GanlibError where the sides have no classes, or not the same ones."""
    real, synthetic = context.real, context.synthetic
    classes = real.classes
    if len(classes) < 2:
        raise GanlibError(f"A classifier takes two classes or more; {real.name} has {len(classes)}.")
    if set(classes) != set(synthetic.classes):
        raise GanlibError(
            f"{real.name} and {synthetic.name} do not have the same classes, so no classifier learns both."
        )
    training = context.training[context.is_real]
    size = 2 ** round(log2(context.images.shape[1]))  # the classifier halves it again and again
    real_images, synthetic_images = scaled(real.images, size), scaled(synthetic.images, size)
    test = Split(real_images[~training], real.labels[~training], "held-out half")
    n = min(int(training.sum()), len(synthetic))
    labels = np.array([classes.index(synthetic.classes[label]) for label in synthetic.labels])
    learned, drawn = np.flatnonzero(training)[part_of(int(training.sum()), n)], part_of(len(synthetic), n)
    of_real = real_images[learned], real.labels[learned]
    of_synthetic = synthetic_images[drawn], labels[drawn]
    both = np.concatenate([of_real[0], of_synthetic[0]]), np.concatenate([of_real[1], of_synthetic[1]])
    rows, classifiers = [], {}
    sources = {"real": of_real, "synthetic": of_synthetic, "both": both}
    for number, (name, (images, targets)) in enumerate(sources.items()):
        data = DataSet(name, classes, Split(images, targets, name), test, flip=False)
        for seed in range(SEEDS):
            classifier = _fit(context, data, seed, number * SEEDS + seed)
            hits = count_hits(classifier.classify, _chunks(test.images), test.labels, context.device, _silent)
            rows.append({"trained_on": name, "seed": seed, "n": len(images), "accuracy": hits / len(test)})
        classifiers[name] = classifier
    context.result.frames["training"] = pd.DataFrame(rows)
    context.result.pictures["predictions"] = _predictions(context, classifiers["synthetic"], test, classes)
    context.result.add_tests(
        [_row(group, len(test)) for _, group in pd.DataFrame(rows).groupby("trained_on", sort=False)]
    )


def _fit(context: Context, data: DataSet, seed: int, number: int) -> Any:
    config = TrainingConfig(
        images=context.config.train_images,
        batch_size=MODELS[CLASSIFIER].training_defaults["batch_size"],
        seed=seed,
        precision="fp32",
    )

    def report(stage: str, done: int, total: int) -> None:
        context.progress(f"classifier {number + 1} of {3 * SEEDS}", done, total)

    return train(data, config, context.device, report)


def _row(group: pd.DataFrame, n_test: int) -> dict[str, Any]:
    """Mean accuracy of the seeds and its t-interval."""
    values = list(group["accuracy"])
    mean, half = fmean(values), t_half_width(values)
    row = {"section": "training", "test": "classifier trained on", "subject": str(group["trained_on"].iloc[0])}
    row |= {"statistic": "accuracy on real images"}
    return row | {"value": mean, "low": max(mean - half, 0.0), "high": min(mean + half, 1.0), "n_real": n_test}


def _predictions(context: Context, classifier: Any, test: Split, classes: tuple[str, ...]) -> Any:
    """Real test pictures with what the classifier that saw synthetic images alone takes them for."""
    rows = np.linspace(0, len(test) - 1, min(SHOWN, len(test))).astype(int)
    predicted = classifier.classify(from_uint8(test.images[rows], context.device)).argmax(1).tolist()
    pairs = zip(predicted, test.labels[rows].tolist(), strict=True)
    captions = [classes[a] if a == b else f"{classes[a]}, is {classes[b]}" for a, b in pairs]
    return captioned_grid(test.images[rows], captions, 8)


def _chunks(images: Images) -> Any:
    return (np.array(images[i : i + CHUNK]) for i in range(0, len(images), CHUNK))


def _silent(stage: str, done: int, total: int) -> None:
    """The test takes a moment."""
