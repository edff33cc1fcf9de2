"""Planted copies are found, fresh images are not accused."""

from __future__ import annotations

import numpy as np
import pytest

from ganlib.errors import GanlibError
from ganlib.twosample.memorisation import conformal, held_out_rows, image_points, memorisation


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


def of_class(label, n, seed):
    """Pictures that lie the nearer to each other, the smaller their class is."""
    levels = pictures(n, [label, seed]).astype(float) - 128
    return (128 + levels * (0.3 + 0.3 * label)).astype(np.uint8)


@pytest.mark.parametrize("share", [0.5, 0.0, 1.0], ids=["both classes", "the near class", "the far class"])
def test_fresh_real_images_of_any_classes_lie_no_nearer_than_held_out_ones(share):
    training = image_points(np.concatenate([of_class(label, 100, 0) for label in (0, 1)]))[0]
    labels = np.repeat([0, 1], 100)  # stored class by class
    p_values = []
    for seed in range(1, 41):
        held_out = np.concatenate([of_class(label, 100, 2 * seed) for label in (0, 1)])
        counts = round((1 - share) * 50), round(share * 50)
        fresh = np.concatenate([of_class(label, counts[label], 2 * seed + 1) for label in (0, 1)])
        rows, short = held_out_rows(labels, np.repeat([0, 1], counts), 10_000)
        assert not short
        result = memorisation(training, image_points(held_out[rows]), image_points(fresh))
        p_values.append(result.p_value)
    # Uniform: of 40 more than 6 lie below or above a 5 % limit once in 300 cases.
    assert sum(p < 0.05 for p in p_values) <= 6
    assert sum(p > 0.95 for p in p_values) <= 6
    assert 0.35 < sum(p_values) / 40 < 0.65


def test_held_out_images_have_the_class_proportions_of_the_generated_ones():
    labels = np.repeat([0, 1, 2], [1000, 900, 2000])
    rows, short = held_out_rows(labels, np.arange(400) % 3, 10_000)
    assert np.abs(np.bincount(labels[rows]) - 900).max() <= 7  # 134, 133, 133 of 400
    assert not short
    assert (np.diff(rows) > 0).all()
    rows, _ = held_out_rows(labels, np.repeat([0, 2], [10, 30]), 200)
    assert np.bincount(labels[rows]).tolist() == [50, 0, 150]
    assert rows[0] != 0 or rows[1] != 1  # not the first of each class


def test_a_rare_class_does_not_leave_few_held_out_images_and_is_named():
    labels = np.repeat([0, 1], [5000, 3])
    held_out = held_out_rows(labels, np.arange(400) % 2, 10_000)
    assert np.bincount(labels[held_out.rows]).tolist() == [500, 3]
    assert "too few held-out images of 'rare'" in str(held_out.warning(["common", "rare"]))
    none = held_out_rows(labels[:5000], np.arange(400) % 2, 10_000)
    assert (len(none.rows), none.short) == (500, (1,))


def test_beside_images_without_a_class_any_are_held_out_at_random():
    labels = np.repeat([0, 1], 2000)
    rows, short = held_out_rows(labels, np.full(400, -1), 1000)
    assert len(rows) == 1000
    assert 430 < labels[rows].sum() < 570
    assert not short
