"""Losses against closed forms."""

from __future__ import annotations

from math import exp, log

import pytest
import torch

from ganlib.losses import (
    feature_matching,
    hinge_d,
    hinge_g,
    least_squares_d,
    minimax_g,
    nonsaturating_d,
    nonsaturating_g,
    r1,
    relativistic_d,
    relativistic_g,
    squared_gradient,
)

ZEROS = torch.zeros(5)


def logits(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def test_an_undecided_discriminator_costs_two_log_two():
    assert nonsaturating_d(ZEROS, ZEROS).item() == pytest.approx(2 * log(2))
    assert nonsaturating_g(ZEROS).item() == pytest.approx(log(2))
    assert hinge_d(ZEROS, ZEROS).item() == 2
    assert hinge_g(ZEROS).item() == 0


@pytest.mark.parametrize("value", [-3.0, -0.5, 0.0, 1.0, 7.0])
def test_the_nonsaturating_loss_is_the_log_likelihood_of_a_sigmoid(value):
    p = 1 / (1 + exp(-value))
    x = logits(value)
    assert nonsaturating_d(x, logits(-50.0)).item() == pytest.approx(-log(p))
    assert nonsaturating_d(logits(50.0), x).item() == pytest.approx(-log(1 - p))
    assert nonsaturating_g(x).item() == pytest.approx(-log(p))


def test_the_nonsaturating_loss_stays_finite_and_linear_for_wild_logits():
    assert nonsaturating_d(logits(-1e4), logits(1e4)).item() == pytest.approx(2e4)
    assert nonsaturating_g(logits(-1e4)).item() == pytest.approx(1e4)


def test_the_hinge_is_flat_beyond_its_margin_and_linear_within():
    real, fake = logits(-1.0, 0.25, 1.0, 3.0), logits(-4.0, -1.0, 0.5, 2.0)
    loss = hinge_d(real, fake)
    assert loss.item() == pytest.approx((2 + 0.75) / 4 + (1.5 + 3) / 4)
    loss.backward()
    assert real.grad.tolist() == [-0.25, -0.25, 0, 0]
    assert fake.grad.tolist() == [0, 0, 0.25, 0.25]


@pytest.mark.parametrize("loss_d", [nonsaturating_d, hinge_d])
def test_descent_raises_d_on_real_and_lowers_it_on_fake(loss_d):
    real, fake = logits(-0.5, 0.0, 0.5), logits(-0.5, 0.0, 0.5)
    loss_d(real, fake).backward()
    assert (real.grad < 0).all()
    assert (fake.grad > 0).all()


@pytest.mark.parametrize("loss_g", [nonsaturating_g, minimax_g, hinge_g])
def test_descent_raises_d_on_what_g_makes(loss_g):
    fake = logits(-9.0, 0.0, 9.0)
    loss_g(fake).backward()
    assert (fake.grad < 0).all()


def test_the_nonsaturating_generator_learns_most_where_it_is_caught():
    """Its point: the gradient is sigmoid(-D), which the original minimax loss has the other way round."""
    fake = logits(-9.0, 0.0, 9.0)
    nonsaturating_g(fake).backward()
    expected = -torch.sigmoid(-fake.detach()) / 3
    torch.testing.assert_close(fake.grad, expected)


def test_the_minimax_generator_plays_the_discriminators_own_game():
    """Equation 1: what G minimises is the part of D's gain that depends on G; flat where D is sure."""
    fake = logits(-9.0, 0.0, 9.0)
    minimax_g(fake).backward()
    torch.testing.assert_close(fake.grad, -torch.sigmoid(fake.detach()) / 3)
    far = logits(-300.0)
    assert minimax_g(fake).item() == pytest.approx(-nonsaturating_d(-far, fake).item())


def test_the_best_discriminator_is_the_log_density_ratio():
    """Goodfellow et al., proposition 1: D = p / (p + q) minimises the loss, here on a space of three points."""
    p, q = logits(0.7, 0.2, 0.1).detach(), logits(0.1, 0.3, 0.6).detach()
    d = (p / q).log().requires_grad_()
    # Expectations as means of ten draws that are distributed exactly as p and as q.
    real, fake = d.repeat_interleave((10 * p).round().long()), d.repeat_interleave((10 * q).round().long())
    loss = nonsaturating_d(real, fake)
    loss.backward()
    torch.testing.assert_close(d.grad, torch.zeros(3).double(), atol=1e-12, rtol=0)
    m = (p + q) / 2
    divergence = 0.5 * (p * (p / m).log() + q * (q / m).log()).sum()
    assert loss.item() == pytest.approx(2 * log(2) - 2 * divergence.item())


def test_the_best_generator_leaves_the_best_discriminator_at_two_log_two():
    """With q = p the best D is 0 everywhere, and no other q gives it a larger loss."""
    assert nonsaturating_d(ZEROS, ZEROS).item() == pytest.approx(2 * log(2))
    for shift in (0.1, 1.0, -1.0):
        # Any step away from 0 on the same points costs D something.
        assert nonsaturating_d(ZEROS + shift, ZEROS + shift) > nonsaturating_d(ZEROS, ZEROS)


def test_the_hinge_discriminator_is_done_once_all_margins_hold():
    assert hinge_d(torch.tensor([1.0, 5.0]), torch.tensor([-1.0, -5.0])).item() == 0


@pytest.mark.parametrize("alpha", [0.6, 0.9, 1.0])
def test_label_smoothing_scales_the_best_discriminator(alpha):
    """Salimans et al., section 3.4: D = α p / (p + q), here on a space of three points."""
    p, q = logits(0.7, 0.2, 0.1).detach(), logits(0.1, 0.3, 0.6).detach()
    d = (alpha * p / (p + q)).logit().requires_grad_()
    real, fake = d.repeat_interleave((10 * p).round().long()), d.repeat_interleave((10 * q).round().long())
    nonsaturating_d(real, fake, alpha).backward()
    torch.testing.assert_close(d.grad, torch.zeros(3).double(), atol=1e-12, rtol=0)
    other = d.detach() + torch.tensor([0.1, 0.0, 0.0], dtype=torch.float64)
    moved = other.repeat_interleave((10 * p).round().long()), other.repeat_interleave((10 * q).round().long())
    assert nonsaturating_d(*moved, alpha) > nonsaturating_d(real, fake, alpha)


def test_label_smoothing_takes_one_target_an_image():
    real, fake = logits(-1.0, 0.5, 3.0), logits(-2.0, 1.0, 0.0)
    targets = torch.tensor([0.8, 1.0, 0.9], dtype=torch.float64)
    singly = [nonsaturating_d(real[i : i + 1], fake[i : i + 1], targets[i]) for i in range(3)]
    assert nonsaturating_d(real, fake, targets).item() == pytest.approx(torch.stack(singly).mean().item())


def test_a_target_of_one_is_the_plain_loss_to_the_bit():
    real, fake = torch.randn(2, 50, generator=torch.Generator().manual_seed(0)).requires_grad_()
    plain = torch.nn.functional.softplus(-real).mean() + torch.nn.functional.softplus(fake).mean()
    assert torch.equal(nonsaturating_d(real, fake), plain)
    assert torch.equal(nonsaturating_d(real, fake, 1.0), plain)
    ours, theirs = (torch.autograd.grad(x, real, retain_graph=True)[0] for x in (nonsaturating_d(real, fake), plain))
    assert torch.equal(ours, theirs)


def test_least_squares_pulls_real_images_to_their_target():
    real, fake = logits(0.9, 0.9), logits(0.0, 0.0)
    assert least_squares_d(real, fake, 0.9).item() == 0
    assert least_squares_d(real, fake).item() == pytest.approx(0.005)


def test_feature_matching_is_the_squared_distance_of_the_means():
    real = torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]])
    fake = torch.tensor([[[5.0, 0.0]], [[1.0, 0.0]], [[0.0, 0.0]]])
    assert feature_matching(real, fake).item() == pytest.approx(0 + 3**2)
    assert feature_matching(real, torch.tensor([[[2.0, 3.0]]])).item() == 0  # equal means of unequal images
    assert feature_matching(real, real.flip(0)).item() == 0


def test_relativistic_losses_at_known_logits():
    real, fake = logits(2.0, -1.0), logits(0.5, 1.0)
    expected_d = (log(1 + exp(-1.5)) + log(1 + exp(2.0))) / 2
    assert relativistic_d(real, fake).item() == pytest.approx(expected_d)
    assert relativistic_g(real, fake).item() == pytest.approx((log(1 + exp(1.5)) + log(1 + exp(-2.0))) / 2)
    assert relativistic_d(real + 7, fake + 7).item() == pytest.approx(expected_d)  # only differences count


def test_the_squared_gradient_of_a_linear_critic_is_that_of_its_weights():
    weights = torch.tensor([[1.0, -2.0], [0.5, 3.0]])
    images = torch.randn(5, 1, 2, 2, requires_grad=True)
    penalty = squared_gradient((images * weights).sum((1, 2, 3)) + 4, images)
    assert penalty.item() == pytest.approx(1 + 4 + 0.25 + 9)
    assert r1(lambda x: (x * weights).sum((1, 2, 3)), images).item() == pytest.approx(14.25)
