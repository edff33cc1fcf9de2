"""Distances of features: of equal images, of neighbours, and their gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganlib.applications.step_lengths import step_lengths
from ganlib.nn.efficientnet import feature_pyramid
from ganlib.nn.perceptual import feature_distance, perceptual_features

CPU = torch.device("cpu")


def frames(n: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 16, 16, 1), np.uint8)


def test_a_step_is_the_root_of_the_distance_of_neighbours_whatever_the_chunk():
    pictures = frames(40)
    steps = step_lengths(pictures, CPU)
    pair = step_lengths(pictures[[30, 31]], CPU)
    assert steps.shape == (39,)
    assert steps[30] == pytest.approx(pair[0], rel=1e-3)
    closed = step_lengths(pictures, CPU, closed=True)
    assert closed[-1] == pytest.approx(step_lengths(pictures[[39, 0]], CPU)[0], rel=1e-3)
    assert step_lengths(pictures[[3, 3]], CPU)[0] == 0


def test_features_have_gradients_even_where_their_network_was_first_wanted_without():
    feature_pyramid.cache_clear()
    step_lengths(frames(2), CPU)
    images = torch.zeros(2, 3, 32, 32, requires_grad=True)
    features = perceptual_features(images)
    target = [feature.detach().flip(0) + 0.1 for feature in features]
    feature_distance(features, target).sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0
