"""BAGAN, Mariani et al., arXiv:1803.09655."""

from __future__ import annotations

from math import exp
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import mse_loss

from ganlib.errors import GanlibError
from ganlib.models import MODELS, Batch
from ganlib.models.bagan import BAGAN, RIDGE, ClassMoments
from ganlib.training.trainer import seeded
from helpers.tiny_models import build, build_untrained, make_trainer, tiny_config


def build_fresh(**changes: Any) -> Any:
    return seeded(lambda: BAGAN(tiny_config("bagan", **changes)), 0)


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
    moments = ClassMoments(3, 4)
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


def test_a_class_whose_codes_leave_no_variance_has_the_ridge_alone():
    """In float32 the covariance of one code is a difference of equal numbers, with eigenvalues below 0."""
    moments, code = ClassMoments(1, 100), torch.randn(1, 100, generator=torch.Generator().manual_seed(0))
    for repeat in range(30):
        moments.add(code, torch.zeros(1, dtype=torch.int64), exp(repeat / 7))
    mean, factor = moments.gaussians(torch.zeros(1, 100))
    torch.testing.assert_close(mean, code)
    assert factor.isfinite().all()
    assert torch.linalg.matrix_norm(factor, 2) < 1e-2  # codes are of norm 10


@pytest.mark.parametrize("microbatches", [1, 8])
def test_codes_of_a_quarter_of_the_autoencoders_training_ago_count_1_in_e_in_any_number_of_shares(
    microbatches, tmp_path
):
    trainer = make_trainer(tmp_path, build_fresh(autoencoder_images=64), batch_size=16, microbatches=microbatches)
    for label in (0, 1, 2):
        trainer.train_on(Batch(torch.rand(16, 1, 16, 16), torch.full((16,), label)))
    n = trainer.model.get_buffer("moments.n")
    torch.testing.assert_close(n / n[2], torch.tensor([exp(-2), exp(-1), 1.0]))


def test_an_autoencoder_is_saved_with_the_gaussians_of_its_codes_so_far(tmp_path):
    trainer = make_trainer(tmp_path, build_fresh(autoencoder_images=10**6), images=8)
    trainer.train()
    model: Any = trainer.model
    expected = model.moments.gaussians(model.G.mean)
    tensors = load_file(trainer.folder.weights)
    torch.testing.assert_close((tensors["G.mean"], tensors["G.factor"]), expected)
    assert not torch.equal(model.G.mean, expected[0])  # training goes on as if nothing had been saved


def test_a_budget_within_the_autoencoders_is_refused_unless_a_start_is_beyond_it():
    model = build_fresh(autoencoder_images=1000)
    with pytest.raises(GanlibError, match="bagan's first 1,000 images only train an autoencoder"):
        model.check_budget(1000)
    for images in (0, 1001):
        model.check_budget(images)
    model.adversarial.fill_(1.0)
    model.check_budget(10)


def test_a_start_from_an_autoencoder_takes_its_moments_anew():
    source, started = build_fresh(), build_fresh()
    source.moments.add(torch.ones(2, 8), torch.tensor([0, 1]))
    started.load_state_dict(source.state_dict())
    started.on_images(0)
    assert not any(moment.any() for moment in started.moments.buffers())


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
