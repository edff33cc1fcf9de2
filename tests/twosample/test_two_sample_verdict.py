"""The sentence about the best of several classifiers, and the power that it promises."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from ganlib.twosample import separation
from ganlib.twosample.result import Comparison
from ganlib.twosample.separation import detectable_among, power, separate
from ganlib.twosample.verdict import best_classifier, verdict
from ganlib.ui.two_sample import key_numbers


def compared(*p_values, section="classifier", grouped=False):
    comparison = Comparison("real", "run", {})
    comparison.add_tests(
        [
            {
                "section": section,
                "test": "small network",
                "subject": f"{i} px",
                "statistic": "ROC-AUC",
                "value": 0.6 + i / 100,
                "low": 0.5,
                "high": 0.7,
                "p_value": p,
                "sufficient": 40,
            }
            for i, p in enumerate(p_values)
        ]
    )
    comparison.facts |= {"detectable_auc": {"a": 0.6, "b": 0.65}, "grouped": grouped}
    return comparison


def test_the_detectable_auc_of_one_of_four_tests_is_found_in_95_of_100_cases(monkeypatch):
    rng = np.random.default_rng(0)
    alone = separate(rng.normal(0, 1, 500), rng.normal(0, 1, 500), resamples=20).detectable_auc
    value = detectable_among(alone, 4)
    assert value - 0.5 == pytest.approx((norm.ppf(1 - 0.05 / 4) + norm.ppf(0.95)) / (6 * 500) ** 0.5)
    monkeypatch.setattr(separation, "ALPHA", 0.05 / 4)
    shift = np.sqrt(2) * norm.ppf(value)
    assert power(rng.normal(shift, 1, 20_000), rng.normal(0, 1, 20_000), 500) == pytest.approx(0.95, abs=0.04)


def test_where_none_tells_the_sides_apart_the_power_is_that_of_one_of_so_many_tests():
    best = best_classifier(compared(0.5, 0.02, 0.02))
    assert best is not None
    assert not best.differs
    assert best.detectable == detectable_among(0.6, 3) > 0.6
    text = verdict(compared(0.5, 0.02, 0.02))
    assert "No classifier tells them apart" in text
    assert f"one of {best.detectable:.3f} would have shown" in text
    assert detectable_among(0.6, 1) == 0.6
    assert detectable_among(1.0, 9) == 1.0


def test_page_and_sentence_agree_on_whether_the_sides_differ():
    assert key_numbers(compared(0.5, 0.02, 0.02))[1][1] == "AUC would have shown"
    assert key_numbers(compared(0.5, 0.01, 0.01))[1][:2] == ("40", "images a side suffice")
    assert "40 images a side suffice" in verdict(compared(0.5, 0.01, 0.01))


def test_where_images_depend_on_each_other_groups_suffice_not_images():
    comparison = compared(0.01, grouped=True)
    assert "40 independent groups a side suffice" in verdict(comparison)
    assert key_numbers(comparison)[1][:2] == ("40", "independent groups a side suffice")


def test_a_classifier_of_decoded_images_says_nothing_about_the_sides():
    assert best_classifier(compared(1e-9, section="latents")) is None
    comparison = compared(0.5)
    comparison.add_tests(list(compared(1e-9, section="latents").tests.assign(value=1.0).to_dict("records")))
    assert "No classifier tells them apart" in verdict(comparison)
