"""What every model with an image as its condition promises, whatever its architecture."""

from __future__ import annotations

import pytest
import torch

from ganlib.models import MODELS, ImageToImage
from helpers.tiny_models import build, build_untrained

NAMES = [name for name in MODELS if issubclass(MODELS[name], ImageToImage)]
SHAPES = [(16, 3), (32, 1), (64, 3)]
every_model = pytest.mark.parametrize("name", NAMES)


def batch(model: ImageToImage, n: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    c = model.config
    images = torch.rand(n, c.channels, c.image_size, c.image_size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return images, torch.arange(n) % max(c.num_classes, 1)


@every_model
@pytest.mark.parametrize(("size", "channels"), SHAPES)
def test_images_become_inputs_and_these_images(name, size, channels):
    model = build_untrained(name, image_size=size, channels=channels).eval().requires_grad_(False)
    images, labels = batch(model)
    inputs = model.degrade(images)
    assert inputs.shape == (3, *model.input_shape)
    outputs = model.transform(inputs, labels)
    for result in (outputs, model.visible(inputs)):
        assert result.shape == images.shape
        assert result.dtype == torch.float32
        assert result.abs().max() <= 1
    assert model.scale * model.input_shape[1] == size


@every_model
def test_an_output_does_not_depend_on_the_rest_of_the_batch(name):
    model = build(name)
    images, labels = batch(model)
    inputs = model.degrade(images)
    whole = model.transform(inputs, labels)
    for i in range(3):
        alone = model.transform(inputs[i : i + 1], labels[i : i + 1])
        torch.testing.assert_close(alone, whole[i : i + 1], atol=1e-5, rtol=1e-4)


@every_model
def test_inputs_are_a_function_of_the_image_and_the_generator(name):
    model = build(name)
    images, _ = batch(model)
    first, again = (model.degrade(images, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first, again)


@pytest.mark.parametrize("name", [name for name in NAMES if build_untrained(name).multiple])
def test_inputs_of_other_sizes_where_the_model_takes_them(name):
    model = build(name)
    channels, side, _ = model.input_shape
    height, width = side + 2 * model.multiple, side + 3 * model.multiple
    outputs = model.transform(torch.zeros(1, channels, height, width), torch.zeros(1, dtype=torch.int64))
    assert outputs.shape[2:] == (height * model.scale, width * model.scale)
