"""A recommendation names a run only where the intervals allow it, and says how many images would decide."""

from __future__ import annotations

from math import nan

import pandas as pd
import pytest

from ganlib.records import METRICS, images_needed, recommend


def rows(metric: str, *values: tuple[str, float, float], n: int = 10_000, n_real: int = 50_000) -> pd.DataFrame:
    """(run, value, half of its interval) each."""
    return pd.DataFrame(
        [(run, metric, value, value - half, value + half, n_real, n) for run, value, half in values],
        columns=["run", "metric", "value", "low", "high", "n_real", "n_fake"],
    )


NONE = rows("class_agreement")


def test_the_best_is_named_where_its_lead_is_larger_than_the_intervals():
    fid = rows("fid", ("b", 9.0, 0.3), ("a", 8.0, 0.4), ("c", 20.0, 0.1))
    best = recommend(fid, NONE, {})[0]
    assert (best.criterion, best.run) == ("Best by FID", "a")
    assert best.sentence == "a (8 ± 0.4), ahead of b (9 ± 0.3) by more than the intervals leave open."


def test_a_lead_within_the_intervals_is_not_decided_and_says_how_many_images_would():
    fid = rows("fid", ("a", 8.0, 0.3), ("b", 8.25, 0.4))
    best = recommend(fid, NONE, {})[0]
    assert best.run == ""
    assert best.sentence == (
        "Not decided: these 10,000 generated images cannot separate a (8 ± 0.3) from b (8.25 ± 0.4), "
        "about 40,000 would."
    )


@pytest.mark.parametrize("metric", ["bits_per_dim", "psnr", "ssim", "feature_distance"])
def test_where_the_interval_is_of_test_images_so_many_more_of_these_would_decide(metric):
    values = [("a", 8.25, 0.4), ("b", 8.0, 0.3)]
    best = recommend(rows(metric, *values, n=0, n_real=2_000), NONE, {})[0]
    assert best.run == ""
    assert best.sentence.startswith("Not decided: these 2,000 test images cannot separate ")
    assert best.sentence.endswith("about 8,000 would.")


def test_no_number_of_images_decides_between_classification_accuracies():
    best = recommend(rows("cas", ("a", 0.8, 0.02), ("b", 0.79, 0.02), n_real=10_000), NONE, {})[0]
    assert best.sentence == ("Not decided: the intervals of a (80.0% ± 2.0%) and b (79.0% ± 2.0%) leave it open.")


@pytest.mark.parametrize("metric", [name for name in METRICS if METRICS[name].ranks])
def test_every_ranked_metric_has_a_sentence_where_runs_overlap(metric):
    for n, n_real in [(0, 0), (0, 1), (1, 0)]:
        (best,) = recommend(rows(metric, ("a", 0.5, 0.1), ("b", 0.51, 0.1), n=n, n_real=n_real), NONE, {})
        assert best.sentence.startswith("Not decided: ")


@pytest.mark.parametrize(
    ("n", "difference", "noise", "needed"),
    [(10_000, 0.5, 0.5, 10_000), (10_000, 0.25, 0.5, 40_000), (1_000, 3.0, 10.0, 12_000), (100, 1.0, 1.1, 130)],
)
def test_noise_falls_with_the_root_of_the_number_of_images(n, difference, noise, needed):
    assert images_needed(n, difference, noise) == needed
    assert noise * (n / images_needed(n, difference, noise)) ** 0.5 <= difference


def test_the_border_is_the_interval_of_the_difference():
    for value, decided in ((8.5, False), (8.501, True)):
        assert bool(recommend(rows("fid", ("a", 8.0, 0.3), ("b", value, 0.4)), NONE, {})[0].run) == decided


def test_equal_values_and_missing_intervals_decide_nothing():
    equal = recommend(rows("fid", ("a", 8.0, 0.3), ("b", 8.0, 0.3)), NONE, {})[0]
    assert equal.run == ""
    assert equal.sentence == "Not decided: a (8 ± 0.3) and b (8 ± 0.3) are equal."
    unknown = recommend(rows("fid", ("a", 8.0, 0.3), ("b", 80.0, nan)), NONE, {})[0]
    assert (unknown.run, unknown.sentence) == ("", "Not decided: b has no interval.")
    assert recommend(rows("fid", ("a", 8.0, nan)), NONE, {})[0].sentence == "a (8), the only run that is measured."


def test_class_agreement_is_judged_the_other_way_and_shown_in_percent():
    agreement = rows("class_agreement", ("a", 0.8, 0.01), ("b", 0.95, 0.02))
    best = recommend(rows("fid", ("a", 1.0, 0.1)), agreement, {})[1]
    assert (best.criterion, best.run) == ("Best by Class agreement", "b")
    assert best.sentence.startswith("b (95.0% ± 2.0%), ahead of a (80.0% ± 1.0%)")


def test_the_smallest_within_ten_percent_is_named_with_its_size():
    fid = rows("fid", ("large", 10.0, 0.1), ("small", 11.0, 0.1), ("tiny", 11.01, 0.1))
    parameters = {"large": 4_000_000, "small": 500_000, "tiny": 1_000}
    smallest = recommend(fid, NONE, parameters)[-1]
    assert (smallest.criterion, smallest.run) == ("Smallest within 10% of the best FID", "small")
    assert smallest.sentence == "small (11 ± 0.1): 0.5 M parameters against 4 M of the best."
    assert recommend(fid, NONE, parameters | {"large": 10})[-1].sentence == "large, the best itself."
    equal = recommend(rows("fid", ("worse", 10.5, 0.1), ("better", 10.0, 0.1)), NONE, {"worse": 10, "better": 10})
    assert equal[-1].sentence == "better, the best itself."


def test_sentences_call_runs_by_their_labels():
    fid = rows("fid", ("a", 8.0, 0.1), ("b", 9.0, 0.1))
    best = recommend(fid, NONE, {}, {"a": "SNGAN", "b": "VAE"})[0]
    assert best.run == "a"
    assert best.sentence.startswith("SNGAN (8 ± 0.1), ahead of VAE")
