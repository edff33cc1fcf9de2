"""R3GAN, Huang et al., arXiv:2501.05441."""

from __future__ import annotations

from math import log, sqrt
from typing import Any

import pytest
import torch

from ganlib.losses import relativistic_d
from ganlib.models import MODELS, Batch
from ganlib.models.r3gan import downsample, upsample
from ganlib.training import TrainingConfig
from ganlib.training.ema import EMA
from ganlib.training.step import step
from ganlib.training.trainer import seeded
from helpers.tiny_models import tiny_config


def fresh(**changes: Any) -> Any:
    return seeded(lambda: MODELS["r3gan"](tiny_config("r3gan", **changes)), 0)


def test_resampling_is_the_filter_1_2_1():
    impulse = torch.zeros(1, 1, 8, 8)
    impulse[..., 3, 3] = 1
    up = upsample(impulse)
    kernel = torch.tensor([0.5, 1.0, 0.5])
    torch.testing.assert_close(up[0, 0, 5:8, 5:8], torch.outer(kernel, kernel))
    assert up.sum().item() == pytest.approx(4)
    down = downsample(torch.randn(1, 1, 8, 8))
    assert down.shape == (1, 1, 4, 4)
    rows = torch.arange(8.0)[:, None].expand(8, 8)[None, None]
    assert downsample(rows)[0, 0, 1:, 0].tolist() == [2.0, 4.0, 6.0]  # (1 + 2·2 + 3) / 4, …


def test_a_fresh_network_keeps_the_scale_without_normalisation():
    model = fresh(width=16, max_width=32, image_size=32)
    h = torch.randn(64, *model.G.basis.shape)
    out = model.G.stages(h)
    assert 0.3 < out.std() / h.std() < 1.5  # only upsampling lowers it: every block is the identity at first
    blocks = [m for m in model.modules() if type(m).__name__ == "ResidualBlock"]
    assert len(blocks) == 2 * model.config.num_blocks
    assert all((block.reduce.weight == 0).all() for block in blocks)


def test_equal_logits_cost_log_2_and_the_loss_sees_differences_alone():
    model = fresh()
    torch.nn.init.zeros_(model.D.linear.weight)
    batch = Batch(torch.rand(6, 1, 16, 16), torch.arange(6) % 3)
    loss, logs = model.loss_d(batch)
    assert loss.item() == pytest.approx(log(2))
    assert logs["D/r1"].item() == logs["D/r2"].item() == 0
    assert model.loss_g(batch)[0].item() == pytest.approx(log(2))


def watched(model: Any, score: Any) -> list[torch.Tensor]:
    """Puts ``score`` in D's place; -> the images that it is given, real ones first."""
    seen: list[torch.Tensor] = []
    model.score = lambda images, labels: seen.append(images) or score(images.flatten(1))
    return seen


@pytest.mark.parametrize("seen_images", [0, 500, 1000])
def test_the_penalties_are_half_gamma_times_both_squared_gradients(seen_images):
    """Of D(x) = a / 2 ‖x‖², whose gradient at x is a x: R1 = a² E‖x‖² of real images, R2 of generated ones."""
    model, a = fresh(schedule_images=1000, gamma=0.4, gamma_end=0.1), 0.3
    model.on_images(seen_images)
    seen = watched(model, lambda x: a / 2 * x.square().sum(1))
    loss, logs = model.loss_d(Batch(0.5 * torch.rand(6, 1, 16, 16), torch.arange(6) % 3))
    r1, r2 = (a**2 * x.square().flatten(1).sum(1).mean().item() for x in seen)
    assert r1 != pytest.approx(r2, rel=0.1)
    assert (logs["D/r1"].item(), logs["D/r2"].item()) == (pytest.approx(r1), pytest.approx(r2))
    real, fake = (a / 2 * x.square().flatten(1).sum(1) for x in seen)
    gamma = {0: 0.4, 500: 0.25, 1000: 0.1}[seen_images]
    assert loss.item() == pytest.approx(relativistic_d(real, fake).item() + gamma / 2 * (r1 + r2), rel=1e-5)


def test_the_penalties_pull_at_ds_weights():
    """Of D(x) = w · x both are ‖w‖², so that the loss has γ ‖w‖² and its gradient 2 γ w, beside the relativistic."""
    model = fresh(gamma=0.4)
    w = (0.1 * torch.randn(256)).requires_grad_()
    seen = watched(model, lambda x: x @ w)
    model.loss_d(Batch(torch.rand(6, 1, 16, 16), torch.arange(6) % 3))[0].backward()
    real, fake = (x.detach().flatten(1) for x in seen)
    wrong = (fake @ w - real @ w).detach().sigmoid()[:, None]
    torch.testing.assert_close(w.grad, 2 * 0.4 * w.detach() + (wrong * (fake - real)).mean(0))


@pytest.mark.parametrize("classes", [3, 10])
def test_embeddings_of_classes_start_at_the_scale_of_the_released_networks(classes):
    """Deviations 1 / √K in G and 1 / √(K · width) in D."""
    model = fresh(num_classes=classes, label_dim=4096)
    assert model.G.embed.weight.std().item() == pytest.approx(1 / sqrt(classes), rel=0.03)
    assert model.D.embed.weight.std().item() == pytest.approx(1 / sqrt(classes * 4096), rel=0.03)


def test_the_average_ends_at_a_quarter_of_the_schedule():
    """5 of 20 million images in the paper, and no more after them."""
    training = TrainingConfig.from_dict(MODELS["r3gan"].training_defaults)
    model = fresh()
    ema = EMA(model, training.ema_half_life, training.ema_ramp)
    for images, half_life in [(126_000, 31_500), (20_000_000, 5_000_000), (200_000_000, 5_000_000)]:
        before = ema.model.G.basis.clone()
        with torch.no_grad():
            model.G.basis.add_(1)
        gap = model.G.basis - before
        ema.update(half_life, images)  # as many images as the half-life: half of the way
        torch.testing.assert_close(ema.model.G.basis, before + gap / 2)


@pytest.mark.parametrize(("images", "share"), [(0, 0.0), (500, 0.5), (1000, 1.0), (5000, 1.0)])
def test_schedules_run_along_half_a_cosine_into_the_optimizer(images, share):
    model = fresh(schedule_images=1000)
    model.on_images(images)
    assert model.scheduled(2.0, 1.0) == pytest.approx(2 - share)
    assert model.scheduled(0.0, 0.3) == pytest.approx(0.3 * share)
    optimizers, batch = model.optimizers(), Batch(torch.rand(4, 1, 16, 16), torch.arange(4) % 3)
    for phase in model.phases():
        step(model, phase, optimizers[phase.optimizer], batch)
        (group,) = optimizers[phase.optimizer].param_groups
        assert group["lr"] == pytest.approx(2e-4 + share * (5e-5 - 2e-4))
        assert group["betas"] == (0.0, pytest.approx(0.9 + share * 0.09))
