"""The classifier, whose features serve the metrics."""

from __future__ import annotations

import pytest

from ganlib.errors import GanlibError
from helpers.tiny_models import build


def test_the_classifier_needs_classes():
    with pytest.raises(GanlibError, match="at least two classes"):
        build("classifier", num_classes=1)


def test_the_classifiers_rate_rises_to_its_peak_and_falls_to_zero():
    model = build("classifier", lr=0.4, schedule_images=1000)
    (sgd,) = model.optimizers().values()
    rates = []
    for images in (0, 100, 200, 600, 1000, 2000):
        model.on_images(images)
        rates.append(sgd.param_groups[0]["lr"])
    assert rates == pytest.approx([0, 0.2, 0.4, 0.2, 0, 0])
