"""CGAN, Mirza & Osindero, arXiv:1411.1784."""

from __future__ import annotations

import pytest
import torch

from ganlib.errors import GanlibError
from helpers.tiny_models import build


def test_the_class_is_joined_on_both_sides():
    model = build("cgan")
    assert model.G.joint[0].in_features == model.config.g_noise + model.config.g_class
    assert model.D.joint.linear.in_features == model.config.d_image + model.config.d_class


def test_without_its_label_layers_it_ignores_the_class():
    model = build("cgan")
    for layer in (model.G.label[0], model.D.label.linear):
        layer.weight.zero_()
    images = model.generate(model.latents([5, 5, 5]), torch.arange(3))
    assert torch.equal(images[0], images[1])
    scores = model.score(images[:1].expand(3, -1, -1, -1), torch.arange(3))
    assert torch.equal(scores, scores[:1].expand(3))


@pytest.mark.parametrize("classes", [0, 1])
def test_it_needs_classes(classes):
    with pytest.raises(GanlibError, match="at least two classes; fcgan does without"):
        build("cgan", num_classes=classes)
