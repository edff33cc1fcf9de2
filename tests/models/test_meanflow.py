"""MeanFlow, Geng et al., arXiv:2505.13447."""

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
    return seeded(lambda: MODELS["meanflow"](tiny_config("meanflow", **changes)), 0).eval().requires_grad_(False)


def spread(t: Tensor) -> Tensor:
    """x_t = spread(t) z along the flow, where pixels are independent and from N(0, DEVIATION²)."""
    return (t.square() + ((1 - t) * DEVIATION).square()).sqrt()


def gaussian_mean_velocity(x: Tensor, t: Tensor, interval: Tensor, y: Tensor | None = None) -> Tensor:
    """(x_t - x_r) / (t - r) along that flow; in the limit its speed at t."""
    speed = (t - (1 - t) * DEVIATION**2) / spread(t)
    mean = (spread(t) - spread(t - interval)) / interval.where(interval > 0, torch.ones_like(interval))
    return torch.where(interval > 0, mean, speed).reshape(-1, 1, 1, 1) * x / spread(t).reshape(-1, 1, 1, 1)


def test_the_flows_mean_velocity_satisfies_the_identity(monkeypatch):
    """u = v - (t - r) du/dt, with du/dt along the flow's own velocity."""
    model = fresh()
    monkeypatch.setattr(model, "mean_velocity", gaussian_mean_velocity)
    x, t = torch.randn(4, 1, 8, 8, dtype=torch.float64), torch.tensor([0.2, 0.5, 0.9, 1.0], dtype=torch.float64)
    v = gaussian_mean_velocity(x, t, 0 * t)
    u, target = model.mean_and_target(x, v, t, torch.tensor([0.1, 0.4, 0.5, 1.0], dtype=torch.float64), None)
    torch.testing.assert_close(target, u)


@pytest.mark.parametrize("steps", [1, 3])
def test_one_step_goes_all_the_way_and_more_go_the_same(steps, monkeypatch):
    model = fresh()
    monkeypatch.setattr(model, "mean_velocity", gaussian_mean_velocity)
    latents = model.latents([1, 2])
    images = model.generate(latents, torch.tensor([0, 1]), steps=steps)
    torch.testing.assert_close(images, (DEVIATION * latents.z).clamp(-1, 1), atol=1e-5, rtol=1e-5)
    assert len(list(model.trace(latents, torch.tensor([0, 1]), steps=steps))) == model.stages(steps=steps) == steps


def test_encoding_goes_back_along_the_velocities_of_each_moment(monkeypatch):
    model = fresh()
    monkeypatch.setattr(model, "mean_velocity", gaussian_mean_velocity)
    images = DEVIATION * torch.randn(2, 1, 16, 16)
    torch.testing.assert_close(model.encode(images).z, images / DEVIATION, atol=0.05, rtol=0.05)


def test_without_an_interval_the_loss_is_that_of_flow_matching():
    """And with weights 1 / error it is 1; ``loss/mse`` says what the network is wrong by."""
    model = fresh(mean_share=0.0, adaptive=0.0)
    torch.manual_seed(0)
    batch = Batch(torch.rand(512, 1, 16, 16) - 0.5, torch.arange(512) % 3)
    loss, logs = model.loss(batch)
    assert logs["loss/mse"].item() == pytest.approx(1 + batch.images.square().mean().item(), rel=0.02)
    assert loss.item() == pytest.approx(logs["loss/mse"].item() * 256)
    assert fresh(adaptive=1.0).loss(batch)[0].item() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("guidance", [0.5, 1.0, 3.0])
def test_guided_training_ends_where_the_velocity_is_guided(guidance, monkeypatch):
    """ω v + (1 - ω) u, u the model's own velocity without a class. One image a class: v is (x_t - image) / t there."""
    model = fresh(guidance=guidance, mean_share=0.0)
    image = torch.tensor([-0.5, 0.0, 0.7])

    def ending(x: Tensor, t: Tensor, interval: Tensor, y: Tensor) -> Tensor:
        t, own = t.reshape(-1, 1, 1, 1), (y[:, :3] @ image).reshape(-1, 1, 1, 1)
        without, with_class = 0.3 * x - t, (x - own) / t
        return torch.where(y[:, 3:, None, None] > 0, without, guidance * with_class + (1 - guidance) * without)

    monkeypatch.setattr(model, "mean_velocity", ending)
    monkeypatch.setattr(model, "training_condition", lambda batch: model.null_extended(batch.labels))  # none dropped
    labels = torch.arange(60) % 3
    batch = Batch(image[labels].reshape(-1, 1, 1, 1).expand(-1, 1, 16, 16), labels)
    assert model.loss(batch)[1]["loss/mse"].item() < 1e-6


def test_images_whose_class_is_dropped_are_not_guided(monkeypatch):
    """Or what guidance compares with would be guided itself."""
    model = fresh(guidance=3.0, mean_share=0.0, label_dropout=1 - 1e-9)
    monkeypatch.setattr(model, "mean_velocity", lambda x, t, interval, y: (x - 0.2) / t.reshape(-1, 1, 1, 1))
    batch = Batch(torch.full((60, 1, 16, 16), 0.2), torch.arange(60) % 3)
    assert model.loss(batch)[1]["loss/mse"].item() < 1e-6


@pytest.mark.parametrize("changes", [{"num_classes": 0}, {"class_conditional": False}])
def test_guidance_without_classes_is_refused(changes):
    with pytest.raises(GanlibError, match="guidance 2 leads towards a class, and without classes there is none"):
        tiny_config("meanflow", guidance=2.0, **changes)
    assert tiny_config("meanflow", **changes).guidance == 1


def test_guidance_without_images_whose_class_is_dropped_is_refused():
    with pytest.raises(GanlibError, match=r"label_dropout of 0 never trains; give one above 0, such as 0\.1"):
        tiny_config("meanflow", guidance=2.0, label_dropout=0.0)


def test_more_steps_than_there_are_and_guidance_while_sampling_are_refused():
    model = build("meanflow")
    with pytest.raises(GanlibError, match="Option steps must be at least 1 and at most 16, not '17'"):
        check_options(model, {"steps": "17"})
    with pytest.raises(GanlibError, match="no option 'guidance'; it has steps"):
        check_options(model, {"guidance": 2})
