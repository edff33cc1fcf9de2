"""AAE, Makhzani et al., arXiv:1511.05644."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import mse_loss, softplus

from ganlib.models import Batch
from helpers.tiny_models import build

IMAGES = torch.rand(6, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
LABELS = torch.arange(6) % 3


def test_its_loss_is_reconstruction_plus_prior():
    model = build("aae", weight_adversarial=0.5)
    loss, logs = model.loss_ge(Batch(IMAGES, LABELS))
    codes = model.encode(IMAGES)
    error = mse_loss(model.generate(codes, LABELS), IMAGES)
    prior = softplus(-model.D(codes.z)).mean()
    torch.testing.assert_close(logs["loss/reconstruction"], error)
    torch.testing.assert_close(loss, error + 0.5 * prior)


def test_only_the_encoder_meets_the_discriminator():
    model = build("aae").requires_grad_(True)
    _, logs = model.loss_ge(Batch(IMAGES, LABELS))
    logs["loss/prior"].backward()
    assert all(p.grad is None for p in model.G.parameters())
    assert all(p.grad.abs().sum() > 0 for p in model.E.parameters())


def test_the_discriminator_learns_the_prior_of_codes():
    """Codes far from N(0, 1) are told apart after a few steps."""
    model = build("aae").requires_grad_(True).train()
    model.E.net[-1].bias.data.fill_(4.0)
    optimizer = model.optimizers()["D"]
    optimizer.param_groups[0]["lr"] = 0.01
    torch.manual_seed(0)
    losses = []
    for _ in range(200):
        optimizer.zero_grad()
        loss, logs = model.loss_d(Batch(IMAGES, LABELS))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]
    assert logs["D/real"] > 1 > -1 > logs["D/fake"]


@pytest.mark.parametrize("asked", [True, False])
def test_the_class_is_told_to_the_decoder_where_asked(asked):
    model = build("aae", class_conditional=asked)
    assert model.conditional == asked
    assert model.G.net[0].in_channels == model.config.z_dim + 3 * asked
