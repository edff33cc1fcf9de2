"""SNGAN, Miyato et al., arXiv:1802.05957, and the projection discriminator, arXiv:1802.05637."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from ganlib.models import Trainable
from ganlib.nn.conditional_norm import ConditionalBatchNorm2d
from helpers.tiny_models import build, labels_for


def spectral_layers(model: Trainable) -> dict[str, nn.Module]:
    return {k: m for k, m in model.D.named_modules() if is_parametrized(m, "weight")}


def test_sngan_normalises_every_layer_of_d_and_none_of_g():
    model = build("sngan")
    weighted = {k for k, m in model.D.named_modules() if isinstance(m, (nn.Conv2d, nn.Linear))}
    assert set(spectral_layers(model)) == weighted
    assert "embed" in weighted
    assert not any(is_parametrized(m) for m in model.G.modules())


@pytest.mark.parametrize("classes", [0, 3])
def test_sngans_d_has_layers_of_spectral_norm_one(classes):
    model = build("sngan", num_classes=classes).train()
    images, labels = torch.rand(2, 1, 16, 16), labels_for(model, 2)
    with torch.no_grad():
        for _ in range(150):  # each forward pass is one step of power iteration
            model.score(images, labels)
        model.eval()
        for name, layer in spectral_layers(model).items():
            largest = torch.linalg.matrix_norm(layer.weight.flatten(1), 2)
            assert largest.item() == pytest.approx(1, abs=0.02), name
            before = torch.linalg.matrix_norm(layer.parametrizations.weight.original.flatten(1), 2)
            assert abs(before - 1) > 0.05, name


def test_sngans_projection_is_linear_in_the_class():
    """D(x, y) = v·φ(x) + e(y)·φ(x): mixing two classes mixes their logits."""
    model = build("sngan")
    image = torch.rand(1, 1, 16, 16) * 2 - 1
    a, b, c = (model.score(image, torch.tensor([k])) for k in range(3))
    mixed = model.score(image, torch.tensor([[0.5, 0.3, 0.2]]))
    torch.testing.assert_close(mixed, 0.5 * a + 0.3 * b + 0.2 * c)


def test_sngan_without_classes_has_neither_embedding_nor_class_rows():
    model = build("sngan", num_classes=0)
    assert not hasattr(model.D, "embed")
    assert all(m.scale.shape[0] == 1 for m in model.G.modules() if isinstance(m, ConditionalBatchNorm2d))


def test_sngan_with_equal_rows_ignores_the_class():
    model = build("sngan")
    for m in model.G.modules():
        if isinstance(m, ConditionalBatchNorm2d):
            m.scale[:], m.shift[:] = m.scale[0].clone(), m.shift[0].clone()
    images = model.generate(model.latents([5, 5, 5]), torch.arange(3))
    assert torch.equal(images[0], images[1])
    assert torch.equal(images[0], images[2])
