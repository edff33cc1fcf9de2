"""DCGAN, Radford et al., arXiv:1511.06434."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import nn

from ganlib.models import MODELS
from ganlib.models.dcgan import DCGAN
from ganlib.training.trainer import seeded
from helpers.tiny_models import build


def convolutions_and_norms(net: nn.Module) -> list[nn.Module]:
    return [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d))]


@pytest.mark.parametrize("size", [16, 32, 64])
def test_dcgan_normalises_all_but_gs_last_and_ds_first_and_last_layer(size):
    model = build("dcgan", image_size=size)

    def normalised(net: nn.Module) -> list[bool]:
        """For each convolution, whether batch norm follows."""
        layers = pairwise([*convolutions_and_norms(net), None])
        return [isinstance(b, nn.BatchNorm2d) for a, b in layers if not isinstance(a, nn.BatchNorm2d)]

    depth = size.bit_length() - 2
    assert normalised(model.G) == [True] * (depth - 1) + [False]
    assert normalised(model.D) == [False] + [True] * (depth - 2) + [False]


def test_dcgan_has_strided_convolutions_relu_in_g_leaky_relu_in_d_and_tanh_at_the_end():
    model = build("dcgan", image_size=32)
    assert isinstance(model.G.net[-1], nn.Tanh)
    assert {type(m) for m in model.G.net} == {nn.ConvTranspose2d, nn.BatchNorm2d, nn.ReLU, nn.Tanh}
    assert {type(m) for m in model.D.net} == {nn.Conv2d, nn.BatchNorm2d, nn.LeakyReLU}
    assert {m.negative_slope for m in model.D.net if isinstance(m, nn.LeakyReLU)} == {0.2}


def test_dcgan_weights_start_from_a_normal_of_deviation_0_02():
    config = DCGAN.Config(image_size=16, channels=3, width=32)
    model = seeded(lambda: MODELS["dcgan"](config), 0)
    for layer in convolutions_and_norms(model):
        mean = 1.0 if isinstance(layer, nn.BatchNorm2d) else 0.0
        w = layer.weight
        tolerance = 4 / w.numel() ** 0.5  # four standard errors
        assert abs(w.mean() - mean) < 0.02 * tolerance
        assert abs(w.std() / 0.02 - 1) < tolerance
        if isinstance(layer, nn.BatchNorm2d):
            assert not layer.bias.any()


def test_dcgan_trains_with_adam_of_rate_0_0002_and_momentum_one_half():
    for optimizer in DCGAN(DCGAN.Config(image_size=16, width=4)).optimizers().values():
        assert isinstance(optimizer, torch.optim.Adam)
        assert optimizer.param_groups[0]["lr"] == 2e-4
        assert optimizer.param_groups[0]["betas"] == (0.5, 0.999)
