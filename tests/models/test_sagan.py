"""SAGAN, Zhang et al., arXiv:1805.08318, and its attention inside DCGAN's networks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from ganlib.errors import GanlibError
from ganlib.losses import nonsaturating_d
from ganlib.models import MODELS, Batch
from ganlib.nn.attention import SelfAttention2d
from ganlib.training.trainer import seeded
from helpers.tiny_models import build, make_trainer, tiny_config

DCGAN: dict[str, Any] = {"backbone": "dcgan", "class_conditional": False, "loss": "non-saturating"}
BACKBONES = pytest.mark.parametrize("changes", [{}, DCGAN], ids=["residual", "dcgan"])


def weighted(net: nn.Module) -> list[nn.Module]:
    return [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear))]


@BACKBONES
def test_attention_begins_as_the_identity_and_grows_from_there(changes):
    config = tiny_config("sagan", **changes)
    model = seeded(lambda: MODELS["sagan"](config), 0).eval()
    labels = torch.arange(3) if model.conditional else None
    layers = [m for m in model.modules() if isinstance(m, SelfAttention2d)]
    assert len(layers) == 2
    with torch.no_grad():
        before = model.generate(model.latents(range(3)), labels)
        for layer in layers:
            assert layer.gamma == 0
            layer.gamma.fill_(1.0)
        assert not torch.allclose(model.generate(model.latents(range(3)), labels), before)


@pytest.mark.parametrize(("size", "attention"), [(16, 8), (32, 8), (32, 16), (64, 32)])
@BACKBONES
def test_maps_of_the_configured_size_are_attended(changes, size, attention):
    config = tiny_config("sagan", image_size=size, attention=attention, **changes)
    model = seeded(lambda: MODELS["sagan"](config), 0).eval()
    sizes = []
    for layer in model.modules():
        if isinstance(layer, SelfAttention2d):
            layer.register_forward_hook(lambda module, inputs, output: sizes.append(output.shape[2]))
    labels = torch.arange(2) if model.conditional else None
    model.score(model.generate(model.latents([0, 1]), labels), labels)
    assert sizes == [attention, attention]


@BACKBONES
def test_spectral_norm_is_everywhere_or_nowhere(changes):
    normed, plain = (build("sagan", spectral_norm=on, **changes) for on in (True, False))
    assert all(is_parametrized(m, "weight") for m in weighted(normed))
    assert not any(is_parametrized(m) for m in plain.modules())


def test_without_attention_there_is_none():
    assert not any(isinstance(m, SelfAttention2d) for m in build("sagan", attention=0).modules())


def test_one_sided_smoothing_lowers_the_target_of_real_images_alone():
    model = build("sagan", label_smoothing=[0.9], **DCGAN)
    batch = Batch(torch.linspace(-1, 1, 1024).view(4, 1, 16, 16), torch.zeros(4, dtype=torch.int64))
    torch.manual_seed(0)
    loss, _ = model.loss_d(batch)
    torch.manual_seed(0)
    fake = model.score(model.generate(model.random_latents(4)))
    torch.testing.assert_close(loss, nonsaturating_d(model.score(batch.images), fake, 0.9))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"attention": 16}, "attention must be 0 or one of 8 at 16 pixels, not 16"),
        ({"backbone": "dcgan"}, "take no class; add --no-class-conditional"),
        ({"label_smoothing": [0.9]}, "A hinge has no target to smooth"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, says):
    with pytest.raises(GanlibError, match=says):
        build("sagan", **changes)


def test_the_thesis_variant_trains(tmp_path):
    model = seeded(lambda: MODELS["sagan"](tiny_config("sagan", label_smoothing=[0.8, 1.0], **DCGAN)), 0)
    trainer = make_trainer(tmp_path, model, images=12)
    trainer.train()
    gammas = [m.gamma.item() for m in trainer.model.modules() if isinstance(m, SelfAttention2d)]
    assert all(gammas)  # attention has begun to count
