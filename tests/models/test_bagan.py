"""BAGAN, Mariani et al., arXiv:1803.09655."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import mse_loss

from ganlib.errors import GanlibError
from ganlib.models import MODELS, Batch
from ganlib.models.bagan import RIDGE, ClassMoments
from helpers.tiny_models import build, build_untrained, tiny_config


def batch() -> Batch:
    return Batch(torch.rand(6, 1, 16, 16) * 2 - 1, torch.arange(6) % 3)


def test_it_begins_as_an_autoencoder():
    model = MODELS["bagan"](tiny_config("bagan"))
    images, labels = batch()
    model.train()
    expected = mse_loss(model.G.decode(model.D.encode(images)), images)
    torch.testing.assert_close(model.loss_g(Batch(images, labels))[0], expected)
    torch.testing.assert_close(model.loss_d(Batch(images, labels))[0], expected)
    assert model.on_images(7) == ()
    assert model.on_images(8) == ("D", "G")
    assert model.on_images(16) == ()


def test_moments_are_those_of_the_codes_of_each_class():
    moments = ClassMoments(3, 4, 10**9)
    generator = torch.Generator().manual_seed(0)
    codes = torch.randn(4000, 4, generator=generator) @ torch.randn(4, 4, generator=generator) + 3
    labels = torch.arange(4000) % 2  # the third class never occurs
    for part in range(0, 4000, 100):
        moments.add(codes[part : part + 100], labels[part : part + 100])
    mean, factor = moments.gaussians(torch.full((3, 4), 7.0))
    for label in (0, 1):
        own = codes[labels == label]
        covariance = torch.cov(own.T, correction=0)
        expected = covariance + RIDGE * covariance.diagonal().mean() * torch.eye(4)
        torch.testing.assert_close(mean[label], own.mean(0), atol=1e-3, rtol=1e-3)
        torch.testing.assert_close(factor[label] @ factor[label].T, expected, atol=1e-2, rtol=1e-2)
    assert torch.equal(mean[2], torch.full((4,), 7.0))
    assert torch.equal(factor[2], torch.eye(4))


def test_earlier_codes_fade():
    moments = ClassMoments(1, 1, 100)
    for value in (0.0, 10.0):
        for _ in range(20):
            moments.add(torch.full((50, 1), value), torch.zeros(50, dtype=torch.int64))
    # 1,000 images of either value: the first count e^-10 as much
    assert moments.gaussians(torch.zeros(1, 1))[0].item() == pytest.approx(10.0, abs=1e-2)


def test_latents_are_of_their_class():
    model = build("bagan")
    model.G.mean.copy_(torch.arange(3.0)[:, None].expand(3, 8))
    model.G.factor.copy_(torch.eye(8).expand(3, 8, 8) * torch.tensor([1.0, 2.0, 0.0])[:, None, None])
    latents = model.latents([1, 2, 3])
    images = model.generate(latents, torch.tensor([0, 1, 2]))
    codes = torch.stack([latents.z[0], 1 + 2 * latents.z[1], torch.full((8,), 2.0)])
    torch.testing.assert_close(images, model.G.decode(codes))


def test_generated_images_are_one_class_of_k_plus_one():
    model = build_untrained("bagan")
    assert model.adversarial == 1
    loss, logs = model.loss_d(batch())
    assert loss.isfinite()
    assert 0 <= logs["D/fake"] <= 1
    images = batch().images
    probabilities = model.D(images).softmax(1)
    score = model.score(images, torch.zeros(6).long())
    torch.testing.assert_close(score, (probabilities[:, 0] / probabilities[:, -1]).log(), atol=1e-4, rtol=1e-4)
    assert model.classify(images).shape == (6, 3)


def test_it_needs_classes():
    with pytest.raises(GanlibError, match="balances classes"):
        build("bagan", num_classes=1)
