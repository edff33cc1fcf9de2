"""Building blocks against closed forms."""

from __future__ import annotations

from math import exp
from typing import Any

import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence

from ganlib.nn.attention import SelfAttention2d
from ganlib.nn.attributes import attribute_weights
from ganlib.nn.conditional_norm import ConditionalBatchNorm2d
from ganlib.nn.equalized import PixelNorm, equalize
from ganlib.nn.gaussian import kl_to_standard_normal, reparameterise
from ganlib.nn.maxout import Maxout
from ganlib.nn.minibatch import JoinStatistics, MinibatchDiscrimination, MinibatchStddev
from ganlib.nn.virtual_norm import VirtualBatchNorm2d, normalize_virtually


def test_attribute_weights_are_the_shares_of_each_attributes_values():
    classes = torch.eye(4)  # 00, 01, 10, 11: the first attribute is the highest bit
    expected = torch.tensor([[1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 0], [0, 1, 0, 1]]) / 2
    assert torch.equal(attribute_weights(classes, 2), expected)
    assert torch.equal(attribute_weights(classes, 0), classes)
    unseen = expected[1] + expected[2] - expected[0]  # an embedding of 11 follows from those of the others
    assert torch.equal(unseen, expected[3])
    mixture = torch.tensor([[0.1, 0.2, 0.3, 0.4]])
    with torch.autocast("cpu", torch.bfloat16):  # a training in half precision does not round them
        torch.testing.assert_close(attribute_weights(mixture, 2), torch.tensor([[0.3, 0.7, 0.4, 0.6]]) / 2)


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


def test_minibatch_discrimination_equals_the_closed_form():
    """Two kernels of two dimensions on three images of two features."""
    layer = MinibatchDiscrimination(2, kernels=2, dims=2)
    with torch.no_grad():  # M_1 = (a, b), M_2 = (a + b, 0) of features (a, b)
        layer.T.copy_(torch.tensor([[[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]]]))
    found = layer(torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 2.0]]))
    expected = [
        [1 + exp(-1) + exp(-3), 1 + exp(-1) + exp(-3)],
        [1 + exp(-1) + exp(-2), 1 + exp(-1) + exp(-2)],
        [1 + exp(-3) + exp(-2), 1 + exp(-3) + exp(-2)],
    ]
    torch.testing.assert_close(found, torch.tensor(expected))
    turned = layer(torch.tensor([[0.0, 0.0], [1.0, -1.0]]))  # apart for the first kernel, alike for the second
    torch.testing.assert_close(turned, torch.tensor([[1 + exp(-2), 2.0], [1 + exp(-2), 2.0]]))


def test_minibatch_discrimination_tells_a_collapsed_batch_from_a_diverse_one():
    torch.manual_seed(0)
    layer = MinibatchDiscrimination(64 * 4 * 4, kernels=20, dims=5)
    diverse = torch.randn(16, 64, 4, 4)
    collapsed = diverse[:1].expand_as(diverse)
    torch.testing.assert_close(layer(collapsed), torch.full((16, 20), 16.0))
    assert layer(diverse).mean() < 2  # hardly more than each image's own 1
    nearly = collapsed + 0.01 * diverse
    assert layer(nearly).mean() > 14


def test_minibatch_discrimination_has_a_gradient_from_the_start():
    torch.manual_seed(0)
    layer = MinibatchDiscrimination(512, kernels=20, dims=5)
    x = torch.randn(16, 512).requires_grad_()
    layer(x).sum().backward()
    assert (x.grad.norm(dim=1) > 1e-3).all()


def test_minibatch_stddev_is_zero_on_a_collapsed_batch_and_the_mean_deviation_otherwise():
    layer = MinibatchStddev()
    x = torch.randn(8, 3, 4, 4)
    torch.testing.assert_close(layer(x), x.std(0, correction=0).mean().expand(8, 1), atol=1e-3, rtol=0)
    collapsed = x[:1].expand(8, -1, -1, -1).clone().requires_grad_()
    assert layer(collapsed).abs().max() < 1e-6
    layer(collapsed).sum().backward()
    assert collapsed.grad.isfinite().all()


def test_statistics_join_maps_as_constant_maps_and_vectors_as_columns():
    statistics: list[Any] = [MinibatchDiscrimination(2 * 4 * 4, 3, 2), MinibatchStddev()]
    join = JoinStatistics(statistics)
    maps = torch.randn(5, 2, 4, 4)
    joined = join(maps)
    assert join.extra == 4
    assert joined.shape == (5, 6, 4, 4)
    assert torch.equal(joined[:, :2], maps)
    assert torch.equal(joined[:, 2:5], statistics[0](maps)[:, :, None, None].expand(-1, -1, 4, 4))
    assert torch.equal(joined[:, 5:], statistics[1](maps)[:, :, None, None].expand(-1, -1, 4, 4))
    vectors = maps.flatten(1)
    assert torch.equal(join(vectors), torch.cat([vectors, *(s(vectors) for s in statistics)], dim=1))
    assert JoinStatistics()(maps) is maps


def virtual_net(n: int, norm: nn.Module) -> tuple[nn.Module, torch.Tensor]:
    """A network of one norm with a reference of n images far from standard."""
    reference = torch.randn(n, 3, 4, 4, generator=torch.Generator().manual_seed(1)) * 3 + 2
    net = nn.Sequential(norm)
    normalize_virtually(net, n, lambda n: (reference[:n],))
    return net.train(), reference


def test_virtual_batch_norm_ignores_batch_mates_in_training_and_batch_norm_does_not():
    torch.manual_seed(0)
    net, _ = virtual_net(6, nn.BatchNorm2d(3))
    plain = nn.BatchNorm2d(3).train()
    x, others = torch.randn(1, 3, 4, 4), torch.randn(2, 5, 3, 4, 4) * 4
    with_some, with_others = (torch.cat([x, mates]) for mates in others)
    torch.testing.assert_close(net(with_some)[0], net(with_others)[0])
    torch.testing.assert_close(net(with_some)[0], net(x)[0])
    assert (plain(with_some)[0] - plain(with_others)[0]).abs().max() > 0.1


def test_virtual_batch_norm_normalises_by_the_reference_and_the_image_itself_as_one_more():
    net, reference = virtual_net(6, nn.BatchNorm2d(3))
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([1.0, 2.0, 0.5]))
        net[0].bias.copy_(torch.tensor([0.0, -1.0, 3.0]))
    x = torch.randn(4, 3, 4, 4)
    found = net(x)
    assert found.shape == x.shape
    for image, y in zip(x, found, strict=True):
        seven = torch.cat([reference, image[None]])
        expected = torch.nn.functional.batch_norm(seven, None, None, net[0].weight, net[0].bias, training=True)[-1]
        torch.testing.assert_close(y, expected, atol=1e-5, rtol=1e-5)


def test_virtual_batch_norm_normalises_the_reference_by_itself_alone():
    norm = VirtualBatchNorm2d(nn.BatchNorm2d(3), 6)
    x = torch.randn(9, 3, 4, 4, generator=torch.Generator().manual_seed(0)) * 3 + 2
    torch.testing.assert_close(norm(x)[:6], nn.BatchNorm2d(3)(x[:6]))


def test_virtual_batch_norm_remembers_its_reference_for_evaluation():
    net, reference = virtual_net(6, nn.BatchNorm2d(3))
    x = torch.randn(4, 3, 4, 4)
    trained = net(x)
    torch.testing.assert_close(net[0].running_mean, reference.mean((0, 2, 3)))
    torch.testing.assert_close(net[0].running_var, reference.var((0, 2, 3), correction=0))
    assert set(net.state_dict()) == {"0.weight", "0.bias", "0.running_mean", "0.running_var"}
    torch.testing.assert_close(net.eval()(x), trained)


def test_virtual_batch_norms_reference_is_part_of_the_gradient():
    """What stands before the norm learns from the reference's statistics too."""
    layer = nn.Conv2d(3, 3, 1, bias=False)
    norm = VirtualBatchNorm2d(nn.BatchNorm2d(3), 2)
    reference, x = torch.randn(2, 3, 4, 4), torch.randn(1, 3, 4, 4)
    (through,) = torch.autograd.grad(norm(layer(torch.cat([reference, x])))[2:].pow(3).sum(), layer.weight)
    with torch.no_grad():
        seen = layer(reference)
    (around,) = torch.autograd.grad(norm(torch.cat([seen, layer(x)]))[2:].pow(3).sum(), layer.weight)
    assert (through - around).abs().max() > 0.1 * around.abs().max()


def test_virtual_batch_norm_takes_its_place_inside_conditional_batch_norm():
    norm = ConditionalBatchNorm2d(3, 2)
    with torch.no_grad():
        norm.scale.copy_(torch.tensor([[1.0, 1.0, 1.0], [2.0, 3.0, 4.0]]))
        norm.shift.copy_(torch.tensor([[0.0, 0.0, 0.0], [5.0, 6.0, 7.0]]))
    reference = torch.randn(4, 3, 4, 4)
    normalize_virtually(norm, 4, lambda n: (reference, torch.eye(2)[torch.arange(n) % 2]))
    assert isinstance(norm.norm, VirtualBatchNorm2d)
    x = torch.randn(1, 3, 4, 4).expand(2, -1, -1, -1)
    for _ in range(2):
        y = norm(x, torch.eye(2))
        torch.testing.assert_close(y[1], y[0] * norm.scale[1, :, None, None] + norm.shift[1, :, None, None])
        norm.eval()


def test_attention_is_the_papers_formula():
    layer = SelfAttention2d(16)
    x = torch.randn(2, 16, 3, 5)
    with torch.no_grad():
        layer.gamma.fill_(0.7)
        f, g, h = (m(x).flatten(2) for m in (layer.f, layer.g, layer.h))  # (N, C / 8, 15)
        share = torch.einsum("nci,ncj->nij", f, g).softmax(dim=1)  # of position i in what j receives
        attended = torch.einsum("nci,nij->ncj", h, share).unflatten(2, (3, 5))
        torch.testing.assert_close(layer(x), x + 0.7 * layer.v(attended))


def test_attention_with_gamma_zero_is_the_identity():
    x = torch.randn(2, 16, 4, 4)
    assert torch.equal(SelfAttention2d(16)(x), x)


def test_attention_reaches_every_position_from_every_other():
    layer = SelfAttention2d(16)
    with torch.no_grad():
        layer.gamma.fill_(1.0)
    x = torch.randn(1, 16, 4, 4, requires_grad=True)
    layer(x)[0, :, 0, 0].sum().backward()
    assert (x.grad.abs().sum(1) > 0).all()


@pytest.mark.parametrize(
    ("layer", "shape"), [(nn.Linear(300, 400), (500, 300)), (nn.Conv2d(40, 50, 3, padding=1), (20, 40, 16, 16))]
)
def test_an_equalized_layer_keeps_unit_variance(layer, shape):
    x = torch.randn(shape)
    y = equalize(layer, gain=1)(x)
    inner = y if y.ndim == 2 else y[:, :, 1:-1, 1:-1]  # the border sees zeros too
    assert inner.var().item() == pytest.approx(1, abs=0.05)
    assert layer.parametrizations.weight.original.std().item() == pytest.approx(1, abs=0.02)


def test_an_equalized_layers_step_is_as_large_as_its_deviation():
    """Adam moves every stored weight alike; what the layer uses moves in proportion to its own scale."""
    for width in (16, 256):
        layer = equalize(nn.Linear(width, 8), gain=1)
        optimizer = torch.optim.Adam(layer.parameters(), lr=0.01)
        before = layer.weight.detach().clone()
        layer(torch.randn(4, width)).sum().backward()
        optimizer.step()
        step = (layer.weight - before).abs().mean().item()
        assert step == pytest.approx(0.01 / width**0.5, rel=1e-3)


def test_only_layers_with_a_fan_in_are_equalized():
    with pytest.raises(TypeError, match="not BatchNorm2d"):
        equalize(nn.BatchNorm2d(3))


def test_pixel_norm_gives_each_pixel_unit_mean_square():
    x = torch.randn(3, 6, 4, 4) * 5
    y = PixelNorm()(x)
    torch.testing.assert_close(y.square().mean(1), torch.ones(3, 4, 4))
    torch.testing.assert_close(y, x / x.square().mean(1, keepdim=True).sqrt())
    assert PixelNorm()(torch.zeros(2, 6)).abs().max() == 0


def test_the_kl_divergence_is_the_closed_form():
    mean, log_variance = torch.randn(2, 5, 7).double().unbind(0)
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(kl_to_standard_normal(mean, log_variance), expected)
    assert kl_to_standard_normal(torch.zeros(2, 3), torch.zeros(2, 3)).abs().max() == 0


def test_reparameterised_codes_have_the_asked_moments():
    torch.manual_seed(0)
    mean, log_variance = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, 1.5]])
    draws = reparameterise(mean.expand(40_000, 2), log_variance.expand(40_000, 2))
    torch.testing.assert_close(draws.mean(0), mean[0], atol=0.04, rtol=0)
    torch.testing.assert_close(draws.var(0), log_variance[0].exp(), atol=0, rtol=0.04)


def test_the_gradient_of_the_kl_is_the_closed_form():
    mean, log_variance = torch.randn(2, 5, 3, 2, 2).double().unbind(0)
    mean.requires_grad_()
    log_variance.requires_grad_()
    kl_to_standard_normal(mean, log_variance).sum().backward()
    torch.testing.assert_close(mean.grad, mean.detach())
    torch.testing.assert_close(log_variance.grad, 0.5 * (log_variance.detach().exp() - 1))
