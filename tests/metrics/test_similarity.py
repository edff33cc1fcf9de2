"""How near outputs come to wanted images, against values known beforehand."""

from __future__ import annotations

import numpy as np
import pytest

from ganlib.metrics.similarity import MOST_DECIBELS, perceptual_distance, psnr, ssim


def noise(n: int = 2, size: int = 16, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(20, 230, (n, size, size, channels), np.uint8)


def test_psnr_of_a_constant_error():
    images = noise()
    assert psnr(images + 5, images) == pytest.approx([20 * np.log10(255 / 5)] * 2)
    assert psnr(images, images).tolist() == [MOST_DECIBELS] * 2


def test_ssim_of_a_constant_error_in_flat_images():
    """Without variance the luminance term is left: (2 a b + c) / (a² + b² + c), c = (0.01 * 255)²."""
    a, b, c = 100.0, 120.0, 2.55**2
    images = np.full((1, 16, 16, 1), 100, np.uint8)
    assert ssim(images, np.full_like(images, 120)) == pytest.approx([(2 * a * b + c) / (a * a + b * b + c)])
    assert ssim(noise(), noise()) == pytest.approx([1, 1])


def test_images_smaller_than_its_window_have_no_ssim():
    assert np.isnan(ssim(noise(size=8), noise(size=8))).all()


def test_features_see_a_blur_more_than_a_shade():
    """The trade that PSNR does not see: an even shade leaves the features alone, a blur does not."""
    images = noise(size=64)
    shade = images + 20
    blur = np.stack([np.roll(images, shift, axis=2) for shift in range(-2, 3)]).mean(0).astype(np.uint8)
    assert (perceptual_distance(images, images) < 1e-6).all()
    assert (perceptual_distance(shade, images) < perceptual_distance(blur, images)).all()
