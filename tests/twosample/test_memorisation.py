"""Planted copies are found, fresh images are not accused."""

from __future__ import annotations

import numpy as np
import pytest

from ganlib.errors import GanlibError
from ganlib.twosample.memorisation import conformal, image_points, memorisation


def pictures(n, seed):
    coarse = np.random.default_rng(seed).integers(0, 256, (n, 8, 8, 1), dtype=np.uint8)
    return coarse.repeat(2, axis=1).repeat(2, axis=2)


TRAINING, HELD_OUT = pictures(1000, 0), pictures(1000, 1)


def search(generated):
    return memorisation(image_points(TRAINING)[0], image_points(HELD_OUT), image_points(generated))


def noisy(images):
    levels = images.astype(float) + np.random.default_rng(9).normal(0, 8, images.shape)
    return np.clip(levels, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "copy", [lambda x: x, lambda x: x[:, :, ::-1], noisy], ids=["exact", "mirrored", "slightly noisy"]
)
def test_copies_are_found_with_the_image_they_are_of(copy):
    generated = pictures(1000, 2)
    generated[:30] = copy(TRAINING[100:130])
    result = search(generated)
    found = result.neighbours[result.neighbours["copy"]]
    assert set(range(30)) <= set(found["image"])
    assert len(found) <= 33  # one in twenty may be accused wrongly
    planted = found[found["image"] < 30]
    assert (planted["training"] == planted["image"] + 100).all()
    assert result.neighbours["ratio"].is_monotonic_increasing
    assert result.held_out_share < 0.01


def test_fresh_images_are_not_accused():
    results = [search(pictures(1000, seed)) for seed in range(3, 6)]
    assert [result.copies for result in results] == [0] * 3
    assert all(result.threshold == 0 and result.held_out_share == 0 for result in results)
    assert min(result.p_value for result in results) > 0.001


def test_blurred_images_are_nearer_but_no_copies():
    generated = (pictures(1000, 2).astype(float) * 0.2 + 128 * 0.8).astype(np.uint8)
    result = search(generated)
    assert result.p_value < 1e-6
    assert result.copies == 0


def test_few_held_out_images_say_how_many_copies_would_show():
    result = memorisation(image_points(TRAINING)[0], image_points(HELD_OUT[:39]), image_points(pictures(100, 2)))
    assert result.fewest == 50  # 100 / (5 % of 40): a rank of 1 / 40 is common among a hundred images


def test_conformal_p_values_are_ranks():
    assert conformal(np.array([0.0, 2.0, 9.0]), np.array([1.0, 2.0, 3.0, 4.0])) == pytest.approx([0.2, 0.6, 1.0])


def test_too_few_images_are_refused_in_words():
    with pytest.raises(GanlibError, match="takes 20 held-out images; there are 5"):
        memorisation(image_points(TRAINING)[0], image_points(HELD_OUT[:5]), image_points(HELD_OUT))
