"""Glow, Kingma & Dhariwal, arXiv:1807.03039."""

from __future__ import annotations

from math import log
from typing import Any

import pytest
import torch

from ganlib.errors import GanlibError
from ganlib.images import normalize
from ganlib.models import MODELS, Batch
from ganlib.models.glow import Flow
from helpers.tiny_models import build, tiny_config


def levels(n: int, channels: int = 1, side: int = 8) -> torch.Tensor:
    return normalize(torch.randint(256, (n, channels, side, side), generator=torch.Generator().manual_seed(0)))


def test_the_flow_is_inverted_exactly():
    model = build("glow", image_size=8, channels=3).double()
    x = torch.rand(2, 3, 8, 8, dtype=torch.float64) - 0.5
    y = torch.eye(3, dtype=torch.float64)[:2]
    z, _ = model.flow(x, y)
    torch.testing.assert_close(model.flow.inverse(z, y).double(), x, atol=1e-5, rtol=1e-5)


def test_log_determinants_are_those_of_autograds_jacobian():
    model = build("glow", image_size=8)
    x, y = torch.rand(1, 1, 8, 8) - 0.5, torch.eye(3)[:1]
    jacobian = torch.autograd.functional.jacobian(lambda v: model.flow(v, y)[0], x).view(64, 64)
    _, log_det = model.flow(x, y)
    assert log_det.item() == pytest.approx(torch.linalg.slogdet(jacobian.double()).logabsdet.item(), rel=1e-3)


def test_bits_are_those_of_the_density_of_the_noise():
    model = build("glow", image_size=8)
    images, labels, noise = levels(2), torch.tensor([0, 1]), torch.rand(2, 1, 8, 8)
    z, log_det = model.flow(model.dequantised(images, noise), torch.eye(3)[labels])
    density = torch.distributions.Normal(0.0, 1.0).log_prob(z).flatten(1).sum(1) + log_det
    expected = -(density - 64 * log(256 / 4)) / (64 * log(2))  # levels are 256 times as wide
    torch.testing.assert_close(model.bits(images, labels, noise), expected)
    torch.testing.assert_close(model.bits_per_dim(images, labels), model.bits_per_dim(images, labels))


def test_an_untrained_flow_only_rotates():
    model: Any = MODELS["glow"](tiny_config("glow")).eval()
    x = torch.randn(4, 1, 16, 16)
    z, log_det = model.flow(x, torch.eye(3)[torch.tensor([0, 1, 2, 0])])
    torch.testing.assert_close(log_det, torch.zeros(4), atol=1e-3, rtol=0)
    torch.testing.assert_close(z.square().flatten(1).sum(1), x.square().flatten(1).sum(1), rtol=1e-4, atol=1e-3)


def test_the_first_batch_normalises_every_step():
    model: Any = MODELS["glow"](tiny_config("glow")).train()
    norm = model.flow.scales[0].steps[0].norm
    model.loss(Batch(levels(32, side=16), torch.arange(32) % 3))
    assert norm.initialised
    x = torch.nn.functional.pixel_unshuffle(model.dequantised(levels(32, side=16), 0.5), 2)
    out, _ = norm(x)
    torch.testing.assert_close(out.mean((0, 2, 3)), torch.zeros(4), atol=0.05, rtol=0)
    torch.testing.assert_close(out.std((0, 2, 3)), torch.ones(4), atol=0.05, rtol=0)


@pytest.mark.parametrize("labels", [None, torch.tensor([0, 1, 2]), torch.eye(3) / 2 + 1 / 6])
def test_encoding_and_generating_give_the_image_back(labels):
    model = build("glow", num_classes=0 if labels is None else 3)
    images = levels(3, side=16)
    torch.testing.assert_close(model.generate(model.encode(images, labels), labels), images, atol=2e-3, rtol=0)


def test_without_labels_images_are_encoded_as_of_all_classes_mixed():
    model = build("glow")
    images = levels(3, side=16)
    mixed = torch.full((3, 3), 1 / 3)
    torch.testing.assert_close(model.generate(model.encode(images), mixed), images, atol=2e-3, rtol=0)


def test_images_have_gradients_with_respect_to_all_weights_and_are_the_same_with_them():
    """Of the flow backwards: d x / d w along a direction is the difference quotient."""
    model: Any = build("glow")
    latents, y = model.latents([0, 1]), torch.tensor([0, 1])
    expected = model.generate(latents, y)
    model.requires_grad_(True)
    images = model.generate(latents, y)
    assert torch.equal(images, expected)
    names, weights = zip(*model.flow.named_parameters(), strict=True)
    slopes = torch.autograd.grad(images.mean(), weights)
    assert [name for name, slope in zip(names, slopes, strict=True) if not slope.any()] == []
    shift = model.flow.scales[0].steps[0].norm.shift
    slope, means = slopes[[w is shift for w in weights].index(True)].sum(), []
    for h in (1e-2, -1e-2):
        with torch.no_grad():
            shift.add_(h)
            means.append(model.generate(latents, y).mean())
            shift.sub_(h)
    assert slope.item() == pytest.approx(((means[0] - means[1]) / 2e-2).item(), rel=0.05)


def test_more_scales_than_the_size_allows_are_refused():
    with pytest.raises(GanlibError, match="5 scales do not fit 16 pixels; give at most 4"):
        build("glow", scales=5)


def test_weights_stay_as_they_are_while_images_are_generated(monkeypatch):
    """Other threads generate with the same model at the same time."""
    model, inverse, seen = build("glow"), Flow.inverse, []

    def watched(flow: Flow, *args: Any) -> torch.Tensor:
        seen.append({(p.data_ptr(), p.dtype) for p in model.flow.parameters()})
        return inverse(flow, *args)

    monkeypatch.setattr(Flow, "inverse", watched)
    model.generate(model.latents([0, 1]), torch.tensor([0, 1]))
    assert seen == [{(p.data_ptr(), torch.float32) for p in model.flow.parameters()}]
