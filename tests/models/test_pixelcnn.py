"""PixelCNN++, Salimans et al., arXiv:1701.05517, with the gates of van den Oord et al., arXiv:1606.05328."""

from __future__ import annotations

from math import log
from typing import Any

import pytest
import torch

from ganlib.models import MODELS
from ganlib.nn.logistic_mixture import draw, mixture_of
from helpers.tiny_models import build, tiny_config


@pytest.mark.parametrize(("row", "column"), [(0, 0), (3, 5), (7, 0), (7, 7)])
def test_a_pixels_mixture_depends_on_all_pixels_before_it_and_no_other(row, column):
    model = build("pixelcnn", image_size=8, blocks=4)
    images = torch.zeros(1, 1, 8, 8, requires_grad=True)
    out = model.net(images, torch.eye(3)[:1])
    out[0, :, row, column].sum().backward()
    sees = (images.grad[0, 0] != 0).flatten()
    before = 8 * row + column
    assert not sees[before:].any()
    assert sees[max(before - 9, 0) : before].all()  # no blind spot


def test_what_is_drawn_pixel_by_pixel_is_what_the_whole_network_gives():
    model = build("pixelcnn", channels=3)
    latents, labels = model.latents([1, 2]), torch.tensor([0, 2])
    images = model.generate(latents, labels)
    mixture = mixture_of(model.net(images, torch.eye(3)[labels]).flatten(2), 3, 2)
    again = draw(mixture, torch.special.ndtr(latents.z).flatten(2)).view_as(images)
    assert (again == images).float().mean() > 0.995  # a level may lie on a rounding's edge


def test_a_network_that_knows_nothing_takes_the_bits_of_its_mixture():
    model: Any = MODELS["pixelcnn"](tiny_config("pixelcnn"))
    torch.nn.init.zeros_(model.net.last.weight)
    torch.nn.init.zeros_(model.net.last.bias)
    x = torch.tensor([-0.2, 0.6]).reshape(2, 1, 1, 1).expand(2, 1, 16, 16)
    x = ((x + 1) * 127.5).round() / 127.5 - 1
    probability = torch.sigmoid(x + 1 / 255) - torch.sigmoid(x - 1 / 255)  # mean 0, scale 1
    expected = -probability[:, 0, 0, 0].log() / log(2)
    torch.testing.assert_close(model.bits_per_dim(x, torch.tensor([0, 1])), expected, atol=1e-3, rtol=1e-3)


def test_rows_appear_from_the_top():
    model = build("pixelcnn")
    stages = list(model.trace(model.latents([1]), torch.tensor([0])))
    assert len(stages) == model.stages() == 16
    for i, stage in enumerate(stages):
        assert (stage[:, :, i + 1 :] == 0).all()
        assert torch.equal(stage[:, :, : i + 1], stages[-1][:, :, : i + 1])
