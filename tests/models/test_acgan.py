"""ACGAN, Odena et al., arXiv:1610.09585."""

from __future__ import annotations

import pytest
import torch

from ganlib.errors import GanlibError
from ganlib.losses import nonsaturating_d
from ganlib.models import Batch
from helpers.tiny_models import build


def batch() -> Batch:
    return Batch(torch.rand(6, 1, 16, 16) * 2 - 1, torch.arange(6) % 3)


def test_without_the_class_it_is_a_gan():
    model = build("acgan", weight_class=0.0)
    torch.manual_seed(0)
    loss, logs = model.loss_d(batch())
    assert torch.isfinite(logs["D/accuracy"])
    torch.manual_seed(0)
    images, labels = batch()
    fakes = model.generate(model.random_latents(6), labels)
    torch.testing.assert_close(loss, nonsaturating_d(model.D(images)[0], model.D(fakes)[0]))


def test_both_sides_gain_from_rightly_named_classes():
    """L_C has one sign in both losses, unlike L_S."""
    model = build("acgan")
    losses = {}
    for bias in (0.0, 5.0):
        model.D.classes.bias.copy_(torch.tensor([bias, 0, 0]))
        of_one_class = Batch(batch().images, torch.zeros(6, dtype=torch.int64))
        for name, loss in [("D", model.loss_d), ("G", model.loss_g)]:
            torch.manual_seed(0)
            losses[name, bias] = loss(of_one_class)[0].item()
    assert losses["D", 5.0] < losses["D", 0.0]
    assert losses["G", 5.0] < losses["G", 0.0]


def test_the_score_of_a_class_exceeds_by_its_log_probability():
    model = build("acgan")
    images = batch().images
    differences = model.score(images, torch.zeros(6).long()) - model.score(images, torch.ones(6).long())
    logits = model.classify(images)
    torch.testing.assert_close(differences, logits[:, 0] - logits[:, 1], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("classes", [0, 1])
def test_it_needs_classes(classes):
    with pytest.raises(GanlibError, match="at least two classes; dcgan does without"):
        build("acgan", num_classes=classes)
