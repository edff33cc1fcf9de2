"""The mean shift and the density of latent codes; encoding and decoding by a real, tiny model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from ganlib.errors import GanlibError
from ganlib.images import from_uint8, to_uint8
from ganlib.twosample.latents import decode, density_table, encode, first_axis, mean_shift, require_encoder
from helpers.gallery import digits_run


def test_the_mean_shift_moves_the_mean_and_nothing_else():
    rng = np.random.default_rng(0)
    real, synthetic = rng.normal(1, 1, (50, 6)), rng.normal(-2, 3, (80, 6))
    shifted = mean_shift(real, synthetic)
    assert shifted.mean(axis=0) == pytest.approx(real.mean(axis=0))
    assert np.cov(shifted.T) == pytest.approx(np.cov(synthetic.T))


def test_density_of_a_standard_normal():
    """Within ±1.5 of an axis lie 86.6 % of its points, a third of them in each unit of length."""
    table = density_table(np.random.default_rng(0).normal(0, 1, (30_000, 3)))
    expected = norm.cdf(1.5) - norm.cdf(-1.5)
    assert table["within"].to_numpy() == pytest.approx([expected] * 3, abs=0.01)
    assert table["per_unit"].to_numpy() == pytest.approx([expected * 10_000] * 3, rel=0.02)
    assert table["explained"].sum() == pytest.approx(1)


def test_the_first_axis_is_that_of_the_largest_variance():
    codes = np.random.default_rng(0).normal(0, 1, (2000, 3)) * [5, 1, 0.1]
    line = first_axis(codes)
    assert line.shape == (9, 3)
    assert abs(line[-1] - line[0])[0] == pytest.approx(8 * 5, rel=0.05)
    assert line[4] == pytest.approx(codes.mean(axis=0), abs=1e-5)


@pytest.mark.parametrize("name", ["vae_conv", "aae", "bigan", "vaegan"])
def test_models_that_encode_give_codes_and_take_them(tmp_path, name):
    model: Any = digits_run(tmp_path / name, name).load()
    c = model.config
    images = np.random.default_rng(0).integers(0, 256, (5, c.image_size, c.image_size, c.channels), dtype=np.uint8)
    codes = encode(model, images)
    assert codes.shape == (5, np.prod(model.latent_shape))
    assert decode(model, codes).shape == images.shape
    assert (decode(model, codes[:2]) == decode(model, codes)[:2]).all()


@pytest.mark.parametrize("name", ["vqvae", "glow"])
def test_a_conditional_models_codes_of_images_without_labels_decode_to_these(tmp_path, name):
    """Codes in equal parts of all classes on both ways."""
    model: Any = digits_run(tmp_path / name, name).load()
    c = model.config
    images = np.random.default_rng(0).integers(0, 256, (5, c.image_size, c.image_size, c.channels), dtype=np.uint8)
    expected = images if name == "glow" else to_uint8(model.decode(model.codes_of(from_uint8(images))))
    assert np.abs(decode(model, encode(model, images)).astype(int) - expected.astype(int)).max() <= 1


def test_a_model_that_does_not_encode_is_refused_in_words(tmp_path):
    model = digits_run(tmp_path / "gan").load()
    with pytest.raises(GanlibError, match="gan does not encode images; name a VAE, AAE, BiGAN or VAE-GAN"):
        require_encoder(model, "gan")
