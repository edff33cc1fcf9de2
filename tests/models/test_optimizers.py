"""Historical averaging and the cyclic learning rate, as steps of real optimisers."""

from __future__ import annotations

import io

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam

from ganlib.models import MODELS
from ganlib.models.optimizers import average_history, cycle_rate, triangular_rate
from ganlib.training.trainer import seeded
from helpers.tiny_models import make_trainer, tiny_config


def test_the_rate_climbs_to_its_peak_and_back_once_a_cycle():
    assert [triangular_rate(1.0, 5.0, k / 8) for k in range(9)] == [1, 2, 3, 4, 5, 4, 3, 2, 1]
    assert triangular_rate(1.0, 5.0, 17.25) == triangular_rate(1.0, 5.0, 0.25) == 3


def test_each_step_is_made_at_the_rate_of_its_place_in_the_cycle():
    """Gradient descent on a constant slope of one moves by exactly the rate."""
    x = nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = SGD([x], lr=0.25)
    cycle_rate(optimizer, peak=5.0, steps=4)
    moved = []
    for _ in range(9):
        before = x.item()
        x.grad = torch.ones_like(x)
        optimizer.step()
        moved.append(before - x.item())
    assert moved == [0.25, 0.75, 1.25, 0.75, 0.25, 0.75, 1.25, 0.75, 0.25]


def play(averaging: float, steps: int = 3000) -> list[float]:
    """min over x, max over y of x·y, both at once by gradient descent: distance from the equilibrium at 0."""
    x, y = (nn.Parameter(torch.ones((), dtype=torch.float64)) for _ in range(2))
    optimizer = SGD([x, y], lr=0.05)
    if averaging:
        average_history(optimizer, averaging)
    distances = []
    for _ in range(steps):
        x.grad, y.grad = y.detach().clone(), -x.detach().clone()
        optimizer.step()
        distances.append(torch.stack([x, y]).norm().item())
    return distances


def test_historical_averaging_leads_a_game_to_the_equilibrium_that_gradient_descent_circles():
    """Salimans et al., section 3.3."""
    circling, averaged = play(0.0), play(0.1)
    assert min(circling) >= 2**0.5
    assert circling[-1] > 10
    assert averaged[-1] < 0.02
    assert max(averaged[-100:]) < max(averaged[:100]) / 50


def test_historical_averaging_adds_the_gradient_of_the_squared_distance_to_the_mean_of_the_past():
    x = nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64))
    optimizer = SGD([x], lr=0.1)
    average_history(optimizer, 0.3)
    past: list[torch.Tensor] = []
    slope = torch.tensor([1.0, 3.0], dtype=torch.float64)
    for _ in range(6):
        point = x.detach().clone().requires_grad_()
        loss = slope @ point
        if past:
            loss = loss + 0.3 * (point - torch.stack(past).mean(0)).square().sum()
        loss.backward()
        x.grad = slope.clone()
        optimizer.step()
        torch.testing.assert_close(x.detach(), point.detach() - 0.1 * point.grad)
        past.append(x.detach().clone())


def test_a_parameter_without_gradient_is_neither_pulled_nor_remembered():
    """Adam takes any state of a parameter for its own: nothing may lie there before its first step."""
    still, moving = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    optimizer = Adam([still, moving], 0.1)
    average_history(optimizer, 1.0)
    for _ in range(3):
        moving.grad = torch.ones(2)
        optimizer.step()
    assert torch.equal(still, torch.ones(2))
    still.grad = torch.ones(2)
    optimizer.step()
    assert (still < 1).all()


def steps(optimizer: Adam, x: nn.Parameter, slopes: torch.Tensor) -> None:
    for slope in slopes:
        x.grad = slope + x.detach()
        optimizer.step()


def adam_with_both(x: nn.Parameter) -> Adam:
    optimizer = Adam([x], 0.01)
    average_history(optimizer, 0.5)
    cycle_rate(optimizer, 20.0, 6)
    return optimizer


def test_both_go_on_from_a_saved_state_to_the_same_bits():
    slopes = torch.randn(20, 5, generator=torch.Generator().manual_seed(0))
    whole = nn.Parameter(torch.zeros(5))
    steps(adam_with_both(whole), whole, slopes)

    first = nn.Parameter(torch.zeros(5))
    optimizer = adam_with_both(first)
    steps(optimizer, first, slopes[:9])
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    second = nn.Parameter(first.detach().clone())
    optimizer = adam_with_both(second)
    optimizer.load_state_dict(torch.load(file, weights_only=True))
    steps(optimizer, second, slopes[9:])
    assert torch.equal(second, whole)


@pytest.mark.parametrize("name", ["dcgan", "cdcgan", "sngan"])
def test_a_resumed_run_equals_the_undisturbed_one(name, tmp_path):
    """Techniques with a state or noise of their own, stopped in the middle of a cycle."""
    changes = {
        "historical_averaging": 0.5,
        "cycle_steps": 8,
        "d_steps": 2,
        "virtual_batch_norm": 3,
        "diffaugment": ["color", "translation", "cutout"],
    }
    if name != "sngan":
        changes["label_smoothing"] = [0.8, 1.0]

    def trained(folder: str, images: int, resume: bool = False) -> dict[str, object]:
        model = seeded(lambda: MODELS[name](tiny_config(name, **changes)), 0)
        make_trainer(tmp_path / folder, model, resume=resume, images=images).train()
        return torch.load(tmp_path / folder / "state.pt", weights_only=True)

    undisturbed = trained("whole", 44)
    trained("parts", 20)
    resumed = trained("parts", 44, resume=True)
    assert undisturbed["step"] == resumed["step"] == 11
    for part in ("model", "ema", "optimizers", "rng"):
        torch.testing.assert_close(resumed[part], undisturbed[part], rtol=0, atol=0)
