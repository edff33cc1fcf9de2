"""Intervals of means and of their differences, against scipy's tests."""

from __future__ import annotations

import subprocess
import sys
from math import inf

import numpy as np
import pytest
from scipy import stats

from ganlib.intervals import difference_of_proportions, holm, normal_quantile, t_half_width, t_p_value, welch_half_width

SAMPLES = [([1.0, 2.0], [5.0, 5.5]), ([0.1, 0.4, 0.2], [0.3, 0.5]), ([100.0, 101.0, 103.0], [-2.0, 7.0, 1.0, 40.0])]


@pytest.mark.parametrize(("first", "second"), SAMPLES)
def test_half_widths_are_those_of_the_t_tests(first, second):
    expected = stats.ttest_1samp(first, 0.0).confidence_interval(0.95)
    assert 2 * t_half_width(first) == pytest.approx(expected.high - expected.low)
    expected = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    assert 2 * welch_half_width(first, second) == pytest.approx(expected.high - expected.low)


def test_the_interval_of_a_difference_of_proportions_is_newcombes():
    """Example (a) of its paper, table II, method 10: 56 of 70 against 48 of 80."""
    assert difference_of_proportions(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert 0 < difference_of_proportions(4, 4, 0, 4)[0] < 1  # of some width where all are alike


def test_the_borders():
    assert t_half_width([3.0]) == t_half_width([]) == inf
    assert t_half_width([2.0, 2.0]) == welch_half_width([1.0, 1.0], [4.0, 4.0]) == 0
    alone = welch_half_width([1.0, 1.0, 1.0], [0.0, 2.0])  # one side's spread is all there is
    assert alone == pytest.approx(t_half_width([0.0, 2.0]))


def test_the_true_mean_lies_inside_as_often_as_is_said():
    rng = np.random.default_rng(0)
    inside = [abs(np.mean(x)) <= t_half_width(x.tolist()) for x in rng.normal(size=(2000, 3))]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("values", [[1.0, 2.0, 3.0], [-0.2, 0.1], [0.4, 0.5, 0.6, 0.1]])
def test_p_values_are_those_of_the_t_test(values):
    assert t_p_value(values) == pytest.approx(stats.ttest_1samp(values, 0.0).pvalue)
    shifted = (np.array(values) - np.mean(values) + t_half_width(values)).tolist()
    assert t_p_value(shifted) == pytest.approx(0.05)  # where 0 is the border of the interval


def test_p_values_at_the_borders():
    assert t_p_value([]) == t_p_value([3.0]) == t_p_value([0.0, 0.0]) == 1
    assert t_p_value([0.5, 0.5]) == 0


def test_holm_multiplies_by_what_is_left_and_keeps_the_order():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == [1, 1]
    assert holm([]) == []


def test_quantiles():
    assert normal_quantile(0.975) == pytest.approx(1.959964, abs=1e-6)
    assert normal_quantile(0.5) == 0


def test_verdicts_need_none_of_the_slow_library():
    code = "import sys, ganlib.experiments, ganlib.balances; assert 'scipy.stats' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
