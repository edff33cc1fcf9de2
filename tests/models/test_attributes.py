"""Models that embed attributes: of combinations that no training image has, too."""

from __future__ import annotations

import pytest
import torch

from ganlib.errors import GanlibError
from ganlib.models import MODELS
from ganlib.models.attributes import AttributesConfig
from helpers.tiny_models import build, generate, tiny_config

EMBEDDING = [name for name in MODELS if issubclass(MODELS[name].Config, AttributesConfig)]


def test_some_models_embed_attributes():
    assert {"sngan", "biggan", "stylegan2_ada", "ddpm"} <= set(EMBEDDING)


@pytest.mark.parametrize("name", EMBEDDING)
def test_a_class_is_drawn_from_its_attributes(name):
    model = build(name, num_classes=8, attributes=3)
    images = generate(model, [3] * 8, torch.arange(8))
    assert all(not torch.equal(images[0], image) for image in images[1:])
    weights = generate(model, [3] * 8, torch.eye(8))
    torch.testing.assert_close(images, weights)


def test_attributes_that_do_not_fit_the_classes_are_refused():
    with pytest.raises(GanlibError, match="3 attributes have 8 combinations, not 3 classes"):
        tiny_config("sngan", attributes=3)


def test_stylegans_truncation_moves_towards_the_mean_of_the_combination():
    model = build("stylegan2_ada", num_classes=4, attributes=2)
    z = model.latents(range(256))
    for label in range(4):
        w = model.map(z, torch.full((256,), label), "w").z
        assert (w.mean(0) - model.G.mean_styles[label]).norm() < (w - w.mean(0)).norm(dim=1).mean() / 4
