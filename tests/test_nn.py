"""Building blocks against closed forms."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganlib.nn.conditional_norm import ConditionalBatchNorm2d
from ganlib.nn.maxout import Maxout


@pytest.mark.parametrize("training", [True, False])
def test_conditional_batch_norm_without_classes_is_batch_norm(training):
    ours, theirs = ConditionalBatchNorm2d(5, 0).train(training), nn.BatchNorm2d(5).train(training)
    with torch.no_grad():
        theirs.weight.normal_()
        theirs.bias.normal_()
        ours.scale.copy_(theirs.weight[None])
        ours.shift.copy_(theirs.bias[None])
    for _ in range(3):
        x = torch.randn(4, 5, 6, 6) * 3 + 1
        torch.testing.assert_close(ours(x, None), theirs(x))
    torch.testing.assert_close(ours.norm.running_mean, theirs.running_mean)
    torch.testing.assert_close(ours.norm.running_var, theirs.running_var)


def test_conditional_batch_norm_uses_each_images_own_row():
    norm = ConditionalBatchNorm2d(2, 3).eval()
    with torch.no_grad():
        norm.scale.copy_(torch.tensor([[1.0, 1.0], [2.0, 3.0], [0.0, 0.0]]))
        norm.shift.copy_(torch.tensor([[0.0, 0.0], [1.0, -1.0], [5.0, 6.0]]))
        x = torch.randn(3, 2, 4, 4)
        y = norm(x, torch.eye(3))
    plain = norm.norm(x)
    torch.testing.assert_close(y[0], plain[0])
    torch.testing.assert_close(y[1], torch.stack([2 * plain[1, 0] + 1, 3 * plain[1, 1] - 1]))
    torch.testing.assert_close(y[2], torch.tensor([5.0, 6.0])[:, None, None].expand(2, 4, 4))


def test_maxout_is_the_largest_of_its_linear_maps():
    layer = Maxout(4, 3, pieces=5)
    x = torch.randn(7, 4)
    maps = layer.linear.weight.view(3, 5, 4)
    biases = layer.linear.bias.view(3, 5)
    expected = (torch.einsum("ni,upi->nup", x, maps) + biases).amax(2)
    torch.testing.assert_close(layer(x), expected)


def test_maxout_of_two_pieces_can_be_the_absolute_value():
    layer = Maxout(1, 1, pieces=2)
    with torch.no_grad():
        layer.linear.weight.copy_(torch.tensor([[1.0], [-1.0]]))
        layer.linear.bias.zero_()
    x = torch.linspace(-3, 3, 13)[:, None]
    assert torch.equal(layer(x), x.abs())
