"""AUC, intervals, p-values and power against what is known of two Gaussians."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from ganlib.errors import GanlibError
from ganlib.twosample.separation import group_means, noether, power, separate, sufficient_images


def gaussians(shift, n=2000, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(shift, 1, n), rng.normal(0, 1, n)


def test_auc_of_gaussians_is_phi_of_their_distance():
    expected = norm.cdf(0.8 / np.sqrt(2))
    result = separate(*gaussians(0.8), resamples=100)
    assert result.auc_interval.low < expected < result.auc_interval.high
    assert result.auc == pytest.approx(expected, abs=0.02)
    # The standard error of Hanley and McNeil: sqrt(1 / 6n) at an AUC of 0.5, somewhat less above.
    assert 0.6 < result.auc_interval.half_width / (1.96 / np.sqrt(6 * 2000)) < 1.1
    assert result.differs


def test_average_precision_of_equal_sides_is_the_share_of_real_images():
    real, synthetic = gaussians(0)
    result = separate(real, synthetic[:1000], resamples=50)
    assert result.average_precision == pytest.approx(2 / 3, abs=0.03)
    assert result.sufficient is None
    assert not result.differs
    assert result.roc["tpr"].is_monotonic_increasing
    assert (result.roc["low"] <= result.roc["high"]).all()


def test_a_perfect_score_needs_three_images_a_side():
    """With three a side the one arrangement of all real above all synthetic has probability 1 / 20."""
    result = separate(np.arange(100.0) + 1000, np.arange(100.0), resamples=20)
    assert (result.auc, result.average_precision) == (1.0, 1.0)
    assert result.sufficient in (3, 4)  # the p-value of 0.05 is not below 5 %


def test_sufficient_images_have_the_power_that_was_promised():
    real, synthetic = gaussians(0.5, 4000)
    n = sufficient_images(real, synthetic)
    assert n is not None
    assert n == pytest.approx(noether(norm.cdf(0.5 / np.sqrt(2))), rel=0.15)
    assert power(real, synthetic, n, seed=1) == pytest.approx(0.95, abs=0.04)
    assert power(real, synthetic, n // 4, seed=1) < 0.7


def test_sides_that_cannot_be_told_apart_have_no_number():
    assert sufficient_images(np.zeros(50), np.zeros(50)) is None
    assert sufficient_images(np.zeros(50), np.ones(50)) is None


def test_the_detectable_auc_is_found_in_95_of_100_cases():
    result = separate(*gaussians(0, 500), resamples=20)
    shift = np.sqrt(2) * norm.ppf(result.detectable_auc)
    real, synthetic = gaussians(shift, 20_000)
    assert power(real, synthetic, 500) == pytest.approx(0.95, abs=0.04)


def test_groups_widen_the_interval_and_count_once():
    """Ten frames of each of thirty sequences say as much as thirty images."""
    rng = np.random.default_rng(0)
    centres = rng.normal(0, 1, (2, 30))
    real, synthetic = np.repeat(centres, 10, axis=1) + rng.normal(0, 0.1, (2, 300))
    groups = np.repeat(np.arange(30), 10)
    apart, together = (separate(real, synthetic, pair, resamples=100) for pair in (None, (groups, groups)))
    assert together.auc == apart.auc
    assert together.auc_interval.half_width > 2 * apart.auc_interval.half_width
    assert "groups" in together.auc_interval.how
    assert group_means(real, groups) == pytest.approx(real.reshape(30, 10).mean(axis=1))


def test_too_few_images_are_refused_in_words():
    with pytest.raises(GanlibError, match=r"takes 4 held-out images of either side; there are 3 and 9"):
        separate(np.zeros(3), np.zeros(9))
    with pytest.raises(GanlibError, match=r"4 held-out independent groups of images .* there are 1 and 9"):
        separate(np.zeros(9), np.zeros(9), (np.zeros(9, int), np.arange(9)))
