"""WGAN-GP, Gulrajani et al., arXiv:1704.00028."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganlib.losses import gradient_penalty
from helpers.tiny_models import build

IMAGES = torch.rand(2, 6, 3, 8, 8) * 2 - 1


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0, 3.0])
def test_the_penalty_is_the_squared_distance_of_a_linear_critics_slope_from_one(slope):
    direction = torch.randn(3, 8, 8)
    direction *= slope / direction.norm()
    penalty = gradient_penalty(lambda x: (x * direction).flatten(1).sum(1), *IMAGES)
    assert penalty.item() == pytest.approx((slope - 1) ** 2, abs=1e-5)


def test_the_penalty_is_taken_between_the_images():
    """Of D(x) = ‖x‖²/2 the gradient at x̂ is x̂: real and fake at 0 and at norm 1 give a norm of t, uniform."""
    real = torch.zeros(20_000, 1)
    fake = torch.ones(20_000, 1)
    torch.manual_seed(0)
    penalty = gradient_penalty(lambda x: 0.5 * x.square().sum(1), real, fake)
    assert penalty.item() == pytest.approx(1 / 3, abs=0.01)  # E[(t - 1)²]


def test_the_penalty_trains_the_critic():
    critic = nn.Linear(4, 1)
    sgd = torch.optim.SGD(critic.parameters(), 0.1)
    real, fake = torch.randn(2, 64, 4).unbind(0)
    for _ in range(200):
        sgd.zero_grad()
        gradient_penalty(lambda x: critic(x).squeeze(1), real, fake).backward()
        sgd.step()
    assert critic.weight.norm().item() == pytest.approx(1, abs=1e-3)


def test_the_critic_has_no_batch_norm_and_adam_is_the_papers():
    model = build("wgan_gp")
    assert not any(isinstance(m, nn.BatchNorm2d) for m in model.D.modules())
    for optimizer in model.optimizers().values():
        assert optimizer.param_groups[0]["betas"] == (0.0, 0.9)
        assert optimizer.param_groups[0]["lr"] == 1e-4
    assert model.config.penalty == 10


def test_an_image_is_criticised_alone():
    """No batch norm: in training, too, its value does not depend on its batch mates."""
    model = build("wgan_gp").train()
    images = torch.rand(4, 1, 16, 16) * 2 - 1
    torch.testing.assert_close(model.score(images)[:1], model.score(images[:1]))
