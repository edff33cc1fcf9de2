"""Mixtures of logistics over the 256 levels of a pixel value."""

from __future__ import annotations

import pytest
import torch

from ganlib.nn.logistic_mixture import (
    LEVELS,
    draw,
    log_likelihood,
    log_probability,
    mixture_of,
    mixture_width,
    with_temperature,
)

GRID = torch.linspace(-1, 1, LEVELS)


def random_mixture(channels: int, components: int = 3, pixels: int = 1, n: int = 1):
    values = torch.randn(n, mixture_width(channels, components), pixels, generator=torch.Generator().manual_seed(0))
    return mixture_of(values, channels, components)


@pytest.mark.parametrize(("mean", "log_scale"), [(0.0, 0.0), (0.3, -3.0), (-1.5, -6.0), (0.999, -7.0), (9.0, 1.0)])
def test_the_probabilities_of_all_levels_sum_to_one(mean, log_scale):
    logs = log_probability(GRID, torch.full_like(GRID, mean), torch.full_like(GRID, log_scale))
    assert logs.isfinite().all()
    assert logs.exp().sum().item() == pytest.approx(1, abs=2e-4)


def test_a_probability_is_the_logistic_distributions_over_the_levels_interval():
    mean, scale = 0.1, 0.05
    x = GRID[100]
    expected = torch.sigmoid((x + 1 / 255 - mean) / scale) - torch.sigmoid((x - 1 / 255 - mean) / scale)
    found = log_probability(x[None], torch.tensor([mean]), torch.tensor([scale]).log())
    assert found.exp().item() == pytest.approx(expected.item(), rel=1e-4)


def test_the_likelihood_of_all_pixels_sums_to_one():
    """Of three channels: the first two fixed, then over the third, times theirs, which a chain of such sums gives."""
    mixture = random_mixture(1)
    total = log_likelihood(GRID.view(1, 1, LEVELS), mixture_like(mixture, LEVELS)).exp().sum()
    assert total.item() == pytest.approx(1, abs=2e-4)
    two = random_mixture(2)
    pairs = torch.cartesian_prod(GRID, GRID).T[None]  # (1, 2, 65536)
    assert log_likelihood(pairs, mixture_like(two, LEVELS**2)).exp().sum().item() == pytest.approx(1, abs=1e-3)


def mixture_like(mixture, pixels: int):
    return type(mixture)(*(t.expand(*t.shape[:-1], pixels) for t in mixture))


@pytest.mark.parametrize("channels", [1, 3])
def test_draws_follow_the_likelihood(channels):
    """Levels by the inverse distribution function at evenly spaced numbers: as often as they are likely."""
    mixture = random_mixture(channels)
    n = 20_000
    uniform = torch.full((1, channels, n), 0.5)
    uniform[:, -1] = (torch.arange(n) + 0.5) / n
    drawn = draw(mixture_like(mixture, n), uniform)
    if channels > 1:
        assert (drawn[:, :-1] == drawn[:, :-1, :1]).all()
    candidates = drawn[:, :, :1].expand(-1, -1, LEVELS).clone()
    candidates[:, -1] = GRID
    likely = log_likelihood(candidates, mixture_like(mixture, LEVELS)).softmax(1)[0]
    levels = ((drawn[0, -1] + 1) * 127.5).round().long()
    torch.testing.assert_close(levels.bincount(minlength=LEVELS) / n, likely, atol=2e-4, rtol=0)


def test_at_no_temperature_the_likeliest_component_gives_its_mean():
    mixture = random_mixture(1, n=4)
    cold = draw(with_temperature(mixture, torch.zeros(4)), torch.rand(4, 1, 1))
    best = mixture.log_weights.argmax(1, keepdim=True)
    expected = mixture.means[:, :, 0].gather(1, best).clamp(-1, 1)
    torch.testing.assert_close(cold[:, :, 0], expected[:, :, 0], atol=0.1, rtol=0)
