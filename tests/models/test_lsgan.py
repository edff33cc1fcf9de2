"""LSGAN, Mao et al., arXiv:1611.04076."""

from __future__ import annotations

import pytest
import torch

from ganlib.losses import least_squares_d, least_squares_g, nonsaturating_g
from helpers.tiny_models import build


def test_the_losses_are_squared_distances_from_the_targets():
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([0.0, -2.0])
    assert least_squares_d(real, fake) == 0.5 * (4 / 2 + 4 / 2)
    assert least_squares_g(fake) == 0.5 * (1 + 9) / 2


def test_the_best_discriminator_is_the_share_of_the_data():
    """Equation 5 with a = 0, b = 1: D = p / (p + q), here on a space of three points."""
    p, q = torch.tensor([7, 2, 1]).double() / 10, torch.tensor([1, 3, 6]).double() / 10
    d = (p / (p + q)).requires_grad_()
    real, fake = d.repeat_interleave((10 * p).round().long()), d.repeat_interleave((10 * q).round().long())
    least_squares_d(real, fake).backward()
    torch.testing.assert_close(d.grad, torch.zeros(3).double(), atol=1e-12, rtol=0)


def test_fakes_far_on_the_right_side_still_move_g():
    """Figure 1: the gradient of cross-entropy vanishes there."""
    gradients = []
    for loss in (least_squares_g, nonsaturating_g):
        fake = torch.tensor([20.0], requires_grad=True)
        loss(fake).backward()
        gradients.append(fake.grad.abs().item())
    assert gradients[0] == pytest.approx(19)
    assert gradients[1] < 1e-6


def test_it_is_dcgan_with_another_loss():
    model, plain = build("lsgan"), build("dcgan")
    assert {k: v.shape for k, v in model.state_dict().items()} == {k: v.shape for k, v in plain.state_dict().items()}
    assert model.loss_kind == "least squares"
