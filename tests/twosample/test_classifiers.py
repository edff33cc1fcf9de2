"""The small network, logistic regression and nearest neighbours on images and features with a known answer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganlib.errors import GanlibError
from ganlib.twosample.network import SmallNetwork, activation_maps, apply, sizes_for, train
from ganlib.twosample.separation import separate
from ganlib.twosample.strong import logistic_scores, neighbour_test, principal_plane

CPU = torch.device("cpu")


def test_the_network_is_the_sources():
    network = SmallNetwork(32, 3)
    shapes = {name: tuple(p.shape) for name, p in network.named_parameters() if name.endswith("weight")}
    assert shapes == {
        "conv1.weight": (4, 3, 3, 3),
        "conv2.weight": (8, 4, 3, 3),
        "fc.weight": (64, 8 * 8 * 8),
        "head.weight": (1, 64),
    }
    assert network.dropout.p == 0.2
    assert [sizes_for(size) for size in (8, 32, 100, 224)] == [[8], [32], [64, 32], [224, 128, 64, 32]]
    assert {size: SmallNetwork(size, 1)(torch.zeros(2, 1, size, size)).shape for size in (4, 28, 30)} == {
        size: torch.Size([2]) for size in (4, 28, 30)
    }


def images_of(n, level, seed):
    return np.random.default_rng(seed).integers(0, level, (n, 8, 8, 1), dtype=np.uint8)


def test_it_learns_what_differs_and_nothing_else():
    is_real = np.arange(480) < 240
    bright = np.concatenate([images_of(240, 256, 0), images_of(240, 120, 1)])
    alike = np.concatenate([images_of(240, 256, 2), images_of(240, 256, 3)])
    training = np.arange(480) % 2 == 0
    results = []
    for images in (bright, alike):
        network = train(images[training], is_real[training], CPU)
        scores, features = apply(network, images, CPU)
        assert features.shape == (480, 64)
        results.append(separate(scores[~training & is_real], scores[~training & ~is_real], resamples=20))
    assert results[0].auc > 0.95
    assert 0.35 < results[1].auc < 0.65


def test_one_seed_is_one_network_whatever_ran_before():
    images, is_real = images_of(40, 256, 0), np.arange(40) < 20
    first = apply(train(images, is_real, CPU, seed=1), images, CPU)[0]
    torch.rand(7)
    state = torch.get_rng_state()
    assert (apply(train(images, is_real, CPU, seed=1), images, CPU)[0] == first).all()
    assert torch.equal(torch.get_rng_state(), state)
    assert (apply(train(images, is_real, CPU, seed=2), images, CPU)[0] != first).any()


def test_activation_maps_have_the_layers_shapes():
    maps = activation_maps(SmallNetwork(16, 3).eval(), np.zeros((2, 16, 16, 3), np.uint8), CPU)
    assert {name: array.shape for name, array in maps.items()} == {
        "conv1": (2, 4, 16, 16),
        "conv2": (2, 8, 8, 8),
        "fc": (2, 64),
    }
    assert all((array >= 0).all() for array in maps.values())


def clouds(n, shift, d=5, seed=0):
    rng = np.random.default_rng(seed)
    is_real = np.arange(2 * n) < n
    return rng.normal(0, 1, (2 * n, d)) + shift * is_real[:, None], is_real


def test_logistic_regression_never_sees_the_measured_half():
    x, is_real = clouds(300, 1.0)
    training = np.arange(600) % 2 == 0
    scores = logistic_scores(x, is_real, training)
    changed = x.copy()
    changed[~training] = 0
    assert logistic_scores(changed, is_real, training)[training] == pytest.approx(scores[training])
    held_out = separate(scores[~training & is_real], scores[~training & ~is_real], resamples=20)
    assert held_out.auc > 0.9  # Phi(sqrt(5 / 2)) = 0.94 is the most


def test_nearest_neighbours_tell_clouds_apart_and_equal_ones_not():
    results = []
    for shift in (3.0, 0.0):
        x, is_real = clouds(150, shift)
        results.append(neighbour_test(x, is_real, np.arange(300)))
    apart, alike = results
    assert apart.accuracy > 0.95
    assert apart.p_value == pytest.approx(1 / 1000)
    assert alike.accuracy == pytest.approx(0.5, abs=0.1)
    assert alike.p_value > 0.01


def test_a_copy_is_nobodys_neighbour():
    """Copies of one group count once: else they would always find their like."""
    x, is_real = clouds(50, 0.0)
    copied = np.concatenate([x, x])
    groups = np.tile(np.arange(100), 2)
    both = np.concatenate([is_real, is_real])
    assert neighbour_test(copied, both, groups) == neighbour_test(x, is_real, np.arange(100))
    assert neighbour_test(copied, both, np.arange(200)).accuracy == 1
    with pytest.raises(GanlibError, match="four independent images of two sides; there are 1"):
        neighbour_test(x, is_real, np.zeros(100, int))


def test_the_plane_holds_the_variance_it_says():
    x = np.random.default_rng(0).normal(0, 1, (500, 4)) * [4, 2, 0.1, 0.1]
    plane = principal_plane(x)
    assert plane.explained[0] == pytest.approx(16 / 20, abs=0.03)
    assert plane.points.var(axis=0, ddof=1).sum() / x.var(axis=0, ddof=1).sum() == pytest.approx(sum(plane.explained))
