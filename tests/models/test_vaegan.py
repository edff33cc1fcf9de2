"""VAE-GAN, Larsen et al., arXiv:1512.09300."""

from __future__ import annotations

import torch

from ganlib.models import Batch
from ganlib.models.vaegan import similarity_loss
from helpers.tiny_models import build

BATCH = Batch(torch.rand(6, 1, 16, 16) * 2 - 1, torch.zeros(6, dtype=torch.int64))


def test_likeness_is_measured_in_ds_features():
    """Two images that D's trunk cannot tell apart are alike, however their pixels differ."""
    model = build("vaegan")
    model.D.trunk[0].weight.zero_()
    _, made = model.D(BATCH.images)
    _, other = model.D(-BATCH.images)
    assert similarity_loss(made, other) == 0
    half_of_squares = similarity_loss(torch.zeros(2, 3), torch.tensor([[1.0, 2.0, 2.0], [0.0, 0.0, 2.0]]))
    assert half_of_squares == (4.5 + 2) / 2


def test_the_encoder_minimises_prior_plus_likeness_and_not_the_gan_loss():
    model = build("vaegan").requires_grad_(True)
    torch.manual_seed(0)
    loss, logs = model.loss_e(BATCH)
    torch.testing.assert_close(loss, logs["loss/kl"] + logs["loss/likeness"])
    loss.backward()
    assert all(p.grad is None for p in model.D.head.parameters())


def test_gamma_weighs_likeness_against_the_gan_loss_in_the_decoder():
    losses = []
    for gamma in (0.0, 1.0, 3.0):
        torch.manual_seed(0)
        losses.append(build("vaegan", gamma=gamma).loss_g(BATCH)[0])
    torch.testing.assert_close(losses[2] - losses[0], 3 * (losses[1] - losses[0]))


def test_an_image_is_encoded_to_the_mean_of_its_code():
    model = build("vaegan")
    mean, _ = model.E(BATCH.images)
    assert torch.equal(model.encode(BATCH.images).z, mean)
