"""The classifier, whose features serve the metrics."""

from __future__ import annotations

import pytest
import torch

from ganlib.errors import GanlibError
from ganlib.models.contract import Batch
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


def test_weights_of_classes_do_not_weigh_the_smoothed_target(monkeypatch):
    """Weighted by class, torch spreads the smoothed part over rare classes above all: at 100:1 its best answer to an
    image of the commonest class would be the rarest one. Here the smoothed target itself is best for any weights.
    """
    smoothing, classes = 0.1, 3
    labels = torch.arange(classes)
    target = torch.eye(classes) * (1 - smoothing) + smoothing / classes
    logits = target.log().requires_grad_()
    losses = -(target * target.log()).sum(1)
    for weights in ((), (0.2, 1.0, 20.0)):
        model = build("classifier", num_classes=classes, label_smoothing=smoothing, class_weights=weights)
        monkeypatch.setattr(model, "classify", lambda images: logits)
        loss, _ = model.loss(Batch(torch.zeros(classes, 1, 16, 16), labels))
        share = torch.tensor(weights or (1.0,) * classes)
        assert loss.item() == pytest.approx((share * losses).sum().item() / share.sum().item())
        (slope,) = torch.autograd.grad(loss, logits)
        assert slope.abs().max() < 1e-6
