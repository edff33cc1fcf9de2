"""Pictures that get worse by a known cause get worse numbers: through the extractor, as an evaluation has them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from ganlib.data import load_data
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.evaluate import evaluate
from ganlib.metrics.extractors import EXTRACTORS, extract
from ganlib.metrics.measures import MEASURES, FakeFeatures
from ganlib.metrics.references import compute_reference
from ganlib.runs import Run

CPU = torch.device("cpu")


def blurred(images: np.ndarray, labels: np.ndarray, strength: int) -> np.ndarray:
    soft = [Image.fromarray(image[:, :, 0]).filter(ImageFilter.GaussianBlur(0.7 * strength)) for image in images]
    return np.stack([np.asarray(image)[:, :, None] for image in soft])


def noisy(images: np.ndarray, labels: np.ndarray, strength: int) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=images.shape) * 40 * strength
    return (images + noise).clip(0, 255).astype(np.uint8)


def with_fewer_classes(images: np.ndarray, labels: np.ndarray, strength: int) -> np.ndarray:
    """As many images as before, of the first classes alone."""
    left = images[labels < 3 - min(strength, 2)]
    return np.resize(left, images.shape)


@pytest.mark.parametrize("metric", ["fid", "kid"])
@pytest.mark.parametrize("worsen", [blurred, noisy, with_fewer_classes])
def test_worse_pictures_are_further_away(
    root: Path, metric: str, worsen: Callable[[np.ndarray, np.ndarray, int], np.ndarray]
) -> None:
    run = Run(root / "gan")
    extractor = EXTRACTORS["embedded"](run, CPU, None)
    data = load_data(run.data_name, size=16, channels=1)
    real, fake = np.array(data.train.images), np.array(data.train.images)

    def features(images: np.ndarray) -> torch.Tensor:
        return extract(extractor, lambda start: [images], len(images)).features

    reference = compute_reference(features(real), data.train.labels)
    values = []
    for strength in (0, 1, 2) if worsen is with_fewer_classes else (0, 1, 2, 3):
        x = features(worsen(fake, data.train.labels, strength))
        (value,) = MEASURES[metric](reference, FakeFeatures(x, x, None), 1)
        values.append(value.value)
    assert values == sorted(values)
    assert values[-1] > values[1] > values[0]


def test_real_images_are_nearer_than_those_of_a_generator_that_has_learnt_nothing(root: Path) -> None:
    _, floor = evaluate(Run(root / "judge"), EvaluationConfig(), CPU)
    generated, *_ = evaluate(Run(root / "gan"), EvaluationConfig(n=60, blocks=1, metrics=("fid",)), CPU)
    assert floor.metric == "fid_floor"
    assert floor.protocol.n_fake == generated.protocol.n_fake == 60
    assert 0 < floor.value < generated.value
