"""Tests of features against closed forms, and their level."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, norm, t

from ganlib.errors import GanlibError
from ganlib.twosample.feature_tests import Units, component_table, energy_test, ks_tests, rejected, t_tests


def normal(n, d, shift=0.0, seed=0):
    return np.random.default_rng(seed).normal(shift, 1, (n, d)).astype(np.float32)


def test_t_test_is_students_formula():
    a, b = normal(40, 1)[:, 0].astype(float), normal(40, 1, 0.5, 1)[:, 0].astype(float)
    va, vb = a.var(ddof=1) / 40, b.var(ddof=1) / 40
    freedom = (va + vb) ** 2 / (va**2 / 39 + vb**2 / 39)
    expected = 2 * t.sf(abs(a.mean() - b.mean()) / np.sqrt(va + vb), freedom)
    assert t_tests(a[:, None], b[:, None])[0] == pytest.approx(expected, rel=1e-6)


def test_components_that_never_vary_are_not_tested():
    a, b = normal(30, 3), normal(30, 3, seed=1)
    a[:, 1] = b[:, 1] = 7
    a[:, 2] = 3  # varies on one side alone
    for test in (t_tests, ks_tests):
        assert np.isfinite(test(a, b)).tolist() == [True, False, True]
    assert component_table(a, b)["components"].tolist()[-1] == 2
    assert rejected(np.array([np.nan]), control=False) == 0


def test_equal_distributions_are_rejected_in_five_of_hundred_components():
    table = component_table(normal(200, 300), normal(200, 300, seed=1)).set_index("comparison")
    low, high = binom.ppf([0.001, 0.999], 300, 0.05) / 300
    assert table["t"].between(low, high).all()
    assert table["ks"].max() <= high  # asymptotic: somewhat conservative
    assert table["t_controlled"].max() == 0


def test_frames_of_one_sequence_count_as_one_image():
    """20 sequences of 15 nearly equal frames: by frames every component would differ, by sequences 5 of 100 do."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 15)
    real, synthetic = (rng.normal(0, 1, (20, 400))[groups] + rng.normal(0, 0.05, (300, 400)) for _ in range(2))
    naive = component_table(real, synthetic).set_index("comparison")
    assert naive["t"]["between"] > 0.4
    table = component_table(real, synthetic, (groups, groups + 20)).set_index("comparison")
    assert table["n"].tolist() == [10, 10, 10, 20]
    high = binom.ppf(0.999, 400, 0.05) / 400
    assert table[["t", "ks"]].max().max() <= high
    assert table["t"]["between"] > 0.01


def test_units_are_means_and_one_image_of_each_group():
    features = np.array([[1.0], [3.0], [10.0], [5.0]])
    units = Units.of(features, np.array([7, 7, 2, 7]))
    assert units.means.tolist() == [[10.0], [3.0]]
    assert units.images.tolist() == [[10.0], [1.0]]
    assert Units.of(features, np.arange(4)).means is features


def test_power_is_that_of_the_shift():
    """Of 200 components shifted by 0.3 standard deviations, with 200 a side: Phi(3 - 1.96) are rejected."""
    table = component_table(normal(200, 200), normal(200, 200, 0.3, 1)).set_index("comparison")
    assert table["t"]["between"] == pytest.approx(norm.cdf(3 - 1.96), abs=0.06)
    assert table["n"]["between halves"] == 100
    assert table["t"]["between halves"] < table["t"]["between"]


def test_ks_sees_a_spread_that_means_do_not():
    a, b = normal(500, 20), 2 * normal(500, 20, seed=1)
    assert rejected(ks_tests(a, b), control=True) == 1
    assert rejected(t_tests(a, b), control=True) < 0.2


def test_energy_distance_of_gaussians():
    """2 E|X - Y| - E|X - X'| - E|Y - Y'| of N(0, 1) and N(2, 1), both divided by their joint deviation, sqrt(2)."""
    result = energy_test(normal(2000, 1), normal(2000, 1, 2.0, 1), permutations=49)
    mean_between = 2 / np.sqrt(np.pi) * np.exp(-1) + 2 * (1 - 2 * norm.cdf(-np.sqrt(2)))
    expected = (2 * mean_between - 4 / np.sqrt(np.pi)) / np.sqrt(2)
    assert result.distance == pytest.approx(expected, rel=0.05)
    assert result.p_value == pytest.approx(1 / 50)


def test_energy_p_values_of_equal_distributions_are_spread_over_the_unit_interval():
    p_values = [
        energy_test(normal(30, 4, seed=2 * i), normal(30, 4, seed=2 * i + 1), permutations=49).p_value
        for i in range(40)
    ]
    assert 0.3 < np.mean(p_values) < 0.7
    assert sum(p <= 0.05 for p in p_values) <= binom.ppf(0.999, 40, 0.06)


def test_too_few_images_are_refused_in_words():
    for test in (t_tests, energy_test):
        with pytest.raises(GanlibError, match="4 images of either side; there are 3 and 5"):
            test(normal(3, 2), normal(5, 2))
