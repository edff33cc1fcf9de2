"""Samplers as functions: orders of convergence, noise levels, noise of seeds, straightness."""

from __future__ import annotations

from itertools import pairwise
from math import exp

import pytest
import torch
from torch import Tensor

from ganlib.models.samplers import (
    CHURN_NOISE,
    SOLVERS,
    churned,
    edm_steps,
    even_steps,
    heun_step,
    solve,
    step_noise,
    straightness,
)
from helpers.tiny_models import build


def growth(x: Tensor, t: Tensor) -> Tensor:
    """dx / dt = 2 t x, of which x(0) = x(1) / e."""
    return 2 * t.reshape(-1, 1, 1, 1) * x


def error_at_zero(solver: str, steps: int) -> float:
    x = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    levels = [(t.double(), s.double()) for t, s in even_steps(steps, 1)]
    *_, end = solve(SOLVERS[solver](growth), x, levels)
    return abs(end.item() - exp(-1))


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("midpoint", 2), ("heun", 2)])
def test_a_solvers_error_falls_with_its_order(solver, order):
    errors = [error_at_zero(solver, steps) for steps in (20, 40, 80)]
    for coarse, fine in pairwise(errors):
        assert coarse / fine == pytest.approx(2**order, rel=0.1)


def test_heun_is_eulers_step_where_the_derivative_is_undefined():
    def derivative(x: Tensor, t: Tensor) -> Tensor:
        assert (t > 0).all()
        return x / t.reshape(-1, 1, 1, 1)

    x = torch.full((2, 1, 1, 1), 3.0)
    after, _ = heun_step(derivative, defined_at_zero=False)(x, torch.tensor([1.0, 1.0]), torch.tensor([0.0, 0.5]))
    assert after.flatten().tolist() == [0.0, 1.5]  # straight lines through 0


def test_noise_levels_are_edms_and_each_image_has_its_own_number():
    pairs = list(edm_steps(torch.tensor([4, 2]), 2, 0.002, 80.0, 7.0))
    levels = torch.stack([pairs[0][0], *(after for _, after in pairs)])
    expected = [(80 ** (1 / 7) + i / 3 * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7 for i in range(4)]
    assert levels[:, 0].tolist() == pytest.approx([*expected, 0], rel=1e-4)
    assert levels[:, 1].tolist() == pytest.approx([80, 0.002, 0, 0, 0], rel=1e-4)
    ((before, after),) = edm_steps(1, 1, 0.002, 80.0, 7.0)
    assert before.item() == pytest.approx(80.0)
    assert after.item() == 0


def test_churn_raises_the_noise_to_the_level_that_the_step_is_told():
    told = []

    def step(x: Tensor, sigma: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
        told.append((x, sigma))
        return x, x

    latents = build("edm").latents(range(32))
    x, sigma = 2.0 * latents.z, torch.full((32,), 2.0)
    churned(step, torch.full((32,), 0.25), step_noise(latents))(x, sigma, sigma / 2)
    noisy, raised = told[0]
    assert raised.tolist() == pytest.approx([2.5] * 32)
    assert noisy.var().item() == pytest.approx(4 + CHURN_NOISE**2 * (2.5**2 - 4), rel=0.05)
    churned(step, torch.full((32,), 9.0), step_noise(latents))(x, torch.full((32,), 60.0), sigma)  # above EDM's range
    assert told[1][1].tolist() == [60.0] * 32


def test_noise_of_steps_is_not_the_initial_noise_and_the_same_in_any_batch():
    latents = build("edm").latents([3, 4])
    draw = step_noise(latents)
    values = torch.stack([latents.z, draw(), draw()])[:, :, 0].flatten(1)
    assert torch.corrcoef(values).fill_diagonal_(0).abs().max() < 0.2
    torch.testing.assert_close(step_noise(latents[1:])()[0, 0].flatten(), values[1, 256:])


def test_straightness_is_the_variance_of_the_speed():
    """Of a path with speed 2 t, which is 1 on average: ∫ (1 - 2 t)² dt = 1 / 3; of an even speed it is 0."""
    x = torch.randn(2, 1, 4, 4)
    direction = torch.randn(2, 1, 4, 4)
    uneven = straightness(lambda x, t: 2 * t.reshape(-1, 1, 1, 1) * direction, x, even_steps(400, 2))
    assert uneven.tolist() == pytest.approx([1 / 3] * 2, abs=0.01)
    even = straightness(lambda x, t: direction, x, even_steps(10, 2))
    assert even.tolist() == pytest.approx([0, 0], abs=1e-6)
