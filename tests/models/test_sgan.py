"""SGAN, Odena, arXiv:1606.01583, with the losses of Salimans et al., arXiv:1606.03498."""

from __future__ import annotations

import pytest
import torch

from ganlib.models import Batch
from ganlib.models.sgan import realness
from helpers.tiny_models import build, make_trainer

IMAGES = torch.rand(6, 1, 16, 16) * 2 - 1
UNLABELLED = torch.full((6,), -1)


def loss_d(model, labels):
    torch.manual_seed(0)
    return model.loss_d(Batch(IMAGES, labels))


def test_the_realness_is_the_logit_of_not_being_the_last_class():
    logits = torch.randn(5, 4).double()
    p = logits.softmax(1)
    torch.testing.assert_close(realness(logits), (p[:, :3].sum(1) / p[:, 3]).log())


def test_unlabelled_images_teach_only_that_they_are_real():
    model = build("sgan")
    loss, logs = loss_d(model, UNLABELLED)
    assert logs["D/supervised"] == 0
    adversarial = loss.item()
    labels = torch.tensor([0, 1, 2, -1, -1, -1])
    loss, logs = loss_d(model, labels)
    classes = model.classify(IMAGES)[:3].log_softmax(1)
    expected = -classes[range(3), range(3)].mean()
    torch.testing.assert_close(logs["D/supervised"], expected)
    assert loss.item() == pytest.approx(adversarial + expected.item(), rel=1e-5)


def test_the_supervised_baseline_never_sees_g():
    model = build("sgan", weight_adversarial=0.0).requires_grad_(True)
    loss, logs = loss_d(model, torch.arange(6) % 3)
    loss.backward()
    assert torch.equal(loss, logs["D/supervised"])
    assert all(p.grad is None for p in model.G.parameters())


def test_feature_matching_is_zero_for_equal_mean_features():
    model = build("sgan")
    latents = model.latents(range(6))
    model.random_latents = lambda n: latents
    own = model.generate(latents)
    assert model.loss_g(Batch(own, UNLABELLED))[0].item() == pytest.approx(0, abs=1e-9)
    assert model.loss_g(Batch(IMAGES, UNLABELLED))[0] > 1e-4


def test_a_tiny_run_learns_from_few_labels(tmp_path):
    trainer = make_trainer(tmp_path, "sgan", images=40, labels=6, labelled_share=0.5)
    trainer.train()
    assert trainer.model.classify(IMAGES).shape == (6, 3)
    assert "D/supervised" in trainer.log.columns
