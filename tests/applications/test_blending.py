"""Poisson blending against solutions known beforehand."""

from __future__ import annotations

import numpy as np

from ganlib.applications.blending import PoissonBlending


def hole(top: int = 2, bottom: int = 6) -> np.ndarray:
    mask = np.zeros((8, 8), bool)
    mask[top:bottom, 2:6] = True
    return mask


def test_a_patch_that_is_only_lighter_disappears():
    """The same gradients and the same border: the picture itself."""
    target = np.random.default_rng(0).random((8, 8, 3))
    blended = PoissonBlending(hole())(target[None] + 0.3, target)
    np.testing.assert_allclose(blended[0], target, atol=1e-12)


def test_a_flat_patch_becomes_harmonic():
    """Without gradients each pixel is the mean of its neighbours: a plane stays a plane."""
    y, x = np.mgrid[:8, :8]
    target = (2.0 * x + y)[..., None]
    blended = PoissonBlending(hole())(np.zeros((1, 8, 8, 1)), target)
    np.testing.assert_allclose(blended[0], target, atol=1e-12)


def test_at_the_border_of_the_picture_only_gradients_count():
    target = np.random.default_rng(0).random((8, 8, 1))
    blended = PoissonBlending(hole(top=0, bottom=8))(np.stack([target + 0.5, target]), target)
    np.testing.assert_allclose(blended, np.stack([target, target]), atol=1e-12)


def test_what_is_known_stays():
    rng = np.random.default_rng(0)
    target, image = rng.random((8, 8, 1)), rng.random((1, 8, 8, 1))
    blended = PoissonBlending(hole())(image, target)[0]
    assert np.array_equal(blended[~hole()], target[~hole()])
    assert not np.array_equal(blended[hole()], image[0][hole()])
