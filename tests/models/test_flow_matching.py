"""Flow matching, Lipman et al., arXiv:2210.02747, on straight paths."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ganlib.errors import GanlibError
from ganlib.models import MODELS, Batch
from ganlib.sampling import check_options
from ganlib.training.trainer import seeded
from helpers.tiny_models import build, tiny_config

DEVIATION = 0.3


def fresh(**changes: Any) -> Any:
    config = tiny_config("flow_matching", **changes)
    return seeded(lambda: MODELS["flow_matching"](config), 0).eval().requires_grad_(False)


def gaussian_velocity(x: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
    """E[x₁ - x₀ | x_t] where pixels are independent and from N(0, DEVIATION²)."""
    t = t.reshape(-1, 1, 1, 1)
    return (t * DEVIATION**2 - (1 - t)) / ((1 - t).square() + (t * DEVIATION).square()) * x


@pytest.mark.parametrize("t", [0.0, 0.3, 0.8, 1.0])
def test_the_mean_velocity_at_a_point_is_the_flows(t):
    """The regression of the paths' velocities on where they are, in closed form for Gaussian images."""
    model = fresh()
    noise, images = torch.randn(2, 4000, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    xt, velocity = model.path(noise, DEVIATION * images, torch.full((4000,), t))
    slope = (xt * velocity).sum() / xt.square().sum()
    assert slope.item() == pytest.approx(gaussian_velocity(torch.ones(1), torch.tensor([t])).item(), abs=0.01)


@pytest.mark.parametrize("sigma_min", [0.0, 0.1])
def test_paths_lead_from_noise_to_images(sigma_min):
    model = fresh(sigma_min=sigma_min)
    noise, images = torch.randn(2, 3, 1, 16, 16)
    start, velocity = model.path(noise, images, torch.zeros(3))
    end, _ = model.path(noise, images, torch.ones(3))
    torch.testing.assert_close(start, noise)
    torch.testing.assert_close(end, images + sigma_min * noise)
    torch.testing.assert_close(start + velocity, end)


@pytest.mark.parametrize("solver", ["euler", "midpoint", "heun"])
def test_gaussian_images_come_out_as_the_noise_scaled(solver, monkeypatch):
    model = fresh()
    monkeypatch.setattr(model.unet, "forward", gaussian_velocity)
    latents, labels = model.latents([1, 2]), torch.tensor([0, 1])
    exact = (DEVIATION * latents.z).clamp(-1, 1)
    errors = [(model.generate(latents, labels, steps=steps, solver=solver) - exact).abs().mean() for steps in (10, 40)]
    assert errors[0] / errors[1] > (3 if solver == "euler" else 9)
    assert errors[1] < 0.02


def test_encoding_goes_the_same_way_back(monkeypatch):
    model = fresh()
    monkeypatch.setattr(model.unet, "forward", gaussian_velocity)
    monkeypatch.setattr("ganlib.models.flow_matching.DEFAULT_STEPS", 100)
    images = DEVIATION * torch.randn(2, 1, 16, 16)
    torch.testing.assert_close(model.encode(images).z, images / DEVIATION, atol=0.01, rtol=0.01)


def test_the_loss_of_a_network_that_predicts_nothing_is_the_velocitys_square():
    model = fresh()
    torch.manual_seed(0)
    images = torch.rand(512, 1, 16, 16) - 0.5
    loss, _ = model.loss(Batch(images, torch.arange(512) % 3))
    assert loss.item() == pytest.approx(1 + images.square().mean().item(), rel=0.02)


def test_a_straight_flow_needs_one_step(monkeypatch):
    model, target = fresh(), torch.rand(1, 1, 16, 16) - 0.5
    monkeypatch.setattr(model.unet, "forward", lambda x, t, y: (target - x) / (1 - t).reshape(-1, 1, 1, 1))
    latents, labels = model.latents([1, 2]), torch.tensor([0, 1])
    one = model.generate(latents, labels, steps=1, solver="euler")
    torch.testing.assert_close(one, target.expand(2, -1, -1, -1))
    assert model.straightness(latents, labels, steps=10).tolist() == pytest.approx([0, 0], abs=1e-5)


def test_steps_and_guidance_out_of_reach_are_refused_in_a_sentence():
    with pytest.raises(GanlibError, match="Option steps must be at least 1 and at most 100, not '1000'"):
        check_options(build("flow_matching"), {"steps": "1000"})
    unconditional = build("flow_matching", num_classes=0)
    with pytest.raises(GanlibError, match="no option 'guidance'; it has steps, solver"):
        check_options(unconditional, {"guidance": 2})
