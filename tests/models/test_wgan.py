"""WGAN, Arjovsky et al., arXiv:1701.07875."""

from __future__ import annotations

import torch
from torch.optim import RMSprop

from ganlib.losses import wasserstein_d, wasserstein_g
from ganlib.models import MODELS
from ganlib.training.trainer import seeded
from helpers.tiny_models import build, make_trainer, tiny_config


def test_clipping_bounds_the_critics_weights_and_leaves_gs_alone(tmp_path):
    model = seeded(lambda: MODELS["wgan"](tiny_config("wgan", clip=0.003, lr=0.01, critic_steps=2)), 0)
    trainer = make_trainer(tmp_path, model, images=16)
    trainer.train()
    bounds = [p.abs().max().item() for p in model.D.parameters()]
    assert max(bounds) <= 0.003 + 1e-9
    assert sum(b > 0.0029 for b in bounds) > len(bounds) / 2  # the bound is met, not merely kept
    assert max(p.abs().max().item() for p in model.G.parameters()) > 0.05


def test_both_train_by_rmsprop():
    assert all(isinstance(o, RMSprop) for o in build("wgan").optimizers().values())


def test_the_critic_takes_several_steps_to_one_of_g(tmp_path):
    model = seeded(lambda: MODELS["wgan"](tiny_config("wgan", critic_steps=5)), 0)
    trainer = make_trainer(tmp_path, model, images=10 * 4)
    trainer.train()
    steps = {
        name: {int(state["step"]) for state in optimizer.state.values()}
        for name, optimizer in trainer.optimizers.items()
    }
    assert steps == {"D": {10}, "G": {2}}


def test_the_losses_are_differences_of_means_without_bounds():
    real, fake = torch.tensor([1.0, 5.0]), torch.tensor([-100.0, 2.0])
    assert wasserstein_d(real, fake) == -49 - 3
    assert wasserstein_g(fake) == 49


def test_the_best_critic_of_slope_one_gives_the_distance():
    """Two Diracs at distance 3: of all D(x) = a x with |a| <= 1 the loss is least, -3, at a = 1 (example 1)."""
    real, fake = torch.full((4,), 3.0), torch.zeros(4)
    losses = {a: wasserstein_d(a * real, a * fake).item() for a in (-1.0, 0.0, 0.5, 1.0)}
    assert min(losses, key=lambda a: losses[a]) == 1.0
    assert losses[1.0] == -3
