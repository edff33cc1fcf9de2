"""FC-GAN, Goodfellow et al., arXiv:1406.2661."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.optim import SGD

from ganlib.models import MODELS, Batch
from ganlib.nn.maxout import Maxout
from ganlib.training.trainer import seeded
from helpers.tiny_models import build, make_trainer, tiny_config


def fresh(**changes: Any) -> Any:
    return seeded(lambda: MODELS["fcgan"](tiny_config("fcgan", **changes)), 0)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_d_takes_k_steps_on_images_of_its_own_to_one_of_g(k, tmp_path):
    trainer = make_trainer(tmp_path, fresh(d_steps=k), images=6 * 4)
    trainer.train()
    steps = {
        name: {int(state["step"]) for state in optimizer.state.values()}
        for name, optimizer in trainer.optimizers.items()
    }
    assert steps == {"D": {6}, "G": {6 // k}}


def test_the_two_losses_of_g_differ_in_gradient_but_not_in_direction():
    """Section 3: the same fixed point, a stronger gradient where D is sure of itself."""
    gradients = {}
    for loss in ("minimax", "non-saturating"):
        model = fresh(loss=loss).eval()
        assert model.loss_kind == loss
        with torch.no_grad():
            model.D.net[-1].bias.fill_(-6)  # D is sure that all is fake
        torch.manual_seed(0)
        value, _ = model.loss_g(Batch(torch.zeros(8, 1, 16, 16), torch.zeros(8)))
        value.backward()
        gradients[loss] = model.G.net[-3].weight.grad.flatten()
    minimax, heuristic = gradients["minimax"], gradients["non-saturating"]
    assert torch.cosine_similarity(minimax, heuristic, dim=0) > 0.99
    assert heuristic.norm() > 50 * minimax.norm()


def test_d_has_maxout_and_dropout_and_sgd_can_be_asked_for():
    model = fresh(optimizer="sgd", momentum=0.7)
    assert any(isinstance(m, Maxout) for m in model.D.modules())
    for optimizer in model.optimizers().values():
        assert isinstance(optimizer, SGD)
        assert optimizer.param_groups[0]["momentum"] == 0.7


def test_dropout_acts_in_training_alone():
    model = build("fcgan", dropout=0.5)
    images = torch.rand(2, 1, 16, 16)
    assert torch.equal(model.score(images), model.score(images))
    model.train()
    assert not torch.equal(model.score(images), model.score(images))


def test_uniform_noise_is_the_quantile_of_the_seeds_gaussian():
    model, uniform = build("fcgan"), build("fcgan", z_distribution="uniform")
    seen: list[torch.Tensor] = []
    uniform.G.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    latents = uniform.latents(range(2000))
    assert torch.equal(latents.z, model.latents(range(2000)).z)
    uniform.generate(latents)
    noise = seen[0].flatten()
    torch.testing.assert_close(noise, torch.erf(latents.z.flatten() / 2**0.5))
    for quantile in (0.1, 0.5, 0.9):
        assert noise.quantile(quantile).item() == pytest.approx(2 * quantile - 1, abs=0.03)
    assert noise.std().item() == pytest.approx(1 / 3**0.5, abs=0.01)
