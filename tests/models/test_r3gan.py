"""R3GAN, Huang et al., arXiv:2501.05441."""

from __future__ import annotations

from math import log
from typing import Any

import pytest
import torch

from ganlib.models import MODELS, Batch
from ganlib.models.r3gan import downsample, upsample
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
