"""Verdicts at the borders of their rules, and intervals against scipy's closed forms."""

from __future__ import annotations

from dataclasses import replace
from math import nan, sqrt

import numpy as np
import pytest
from scipy import stats

from ganlib.experiments import WORDS, Claim, Judgement, Measurement, Verdict, decisive, deviating, judge, overall
from ganlib.experiments.collection import ClaimData
from ganlib.experiments.measures import Measure
from ganlib.experiments.verdict import decide, half_width, trainings_needed
from ganlib.intervals import difference_of_proportions

R, N, F, OPEN = Verdict.REPRODUCED, Verdict.NOT_REPRODUCED, Verdict.REFUTED, Verdict.OPEN


@pytest.mark.parametrize(
    ("relation", "low", "high", "verdict"),  # of first less second, the margin being 1
    [
        (">", 0.1, 1.9, R),  # exactly at the margin
        (">", 0.1, 1.88, OPEN),  # significant, and less than the margin
        (">", 0.0, 4.0, OPEN),  # touches no difference
        (">", -1.9, -0.1, F),
        (">", -0.99, 0.99, N),
        (">", 0.1, 0.9, N),  # surely positive, surely too small to matter
        (">", -1.0, 0.5, OPEN),
        ("<", 0.1, 1.9, F),
        ("<", -1.9, -0.1, R),
        ("<", -0.99, 0.99, N),
        ("=", -0.99, 0.99, R),
        ("=", 0.1, 1.9, F),
        ("=", -1.9, -0.1, F),
        ("=", -0.5, 1.0, OPEN),
        ("=", 0.1, 1.8, OPEN),
        (">", 2.0, 2.0, R),  # without any spread
    ],
)
def test_the_verdict_follows_from_interval_and_margin(relation, low, high, verdict):
    assert decide(relation, (low + high) / 2, low, high, 1.0) is verdict


def side(variant: str, *values: float, half: float = nan) -> list[Measurement]:
    return [Measurement(variant, f"{variant}-s{i}", v, v - half, v + half) for i, v in enumerate(values)]


def claim(relation: str = "<", second: str | float = "b", margin: float = 0.1) -> Claim:
    return Claim("a beats b", Measure(metric="fid"), "a", relation, second, margin, "b")  # type: ignore[arg-type]


def test_several_trainings_give_welchs_interval():
    a, b = [1.0, 1.2, 1.1], [2.0, 2.6, 2.1]
    interval = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    judgement = judge(ClaimData(claim(), (*side("a", *a), *side("b", *b))))
    assert (judgement.low, judgement.high) == pytest.approx((interval.low, interval.high))
    assert (judgement.verdict, judgement.trainings) == (R, 3)
    assert judgement.sentence == "FID: 1.1 against 2.23, difference −1.13 ± 0.72 (3 trainings each)."


def test_a_fixed_number_is_compared_by_the_t_interval_of_the_mean():
    values = [1.3, 1.5, 1.4]
    half = stats.t.ppf(0.975, 2) * np.std(values, ddof=1) / sqrt(3)
    assert half_width(side("a", *values), []) == pytest.approx(half)
    assert judge(ClaimData(claim(">", 1.0), tuple(side("a", *values)))).verdict is R
    assert judge(ClaimData(claim("<", 1.0), tuple(side("a", *values)))).verdict is F


def test_one_training_each_has_the_intervals_of_its_measurements_and_says_so():
    judgement = judge(ClaimData(claim(), (*side("a", 1.0, half=0.3), *side("b", 2.0, half=0.4))))
    assert judgement.high - judgement.low == pytest.approx(1.0)
    assert judgement.verdict is R
    assert "one training each, so the spread of seeds is unknown" in judgement.sentence
    close = judge(ClaimData(claim(), (*side("a", 1.9, half=0.3), *side("b", 2.0, half=0.4))))
    assert close.verdict is OPEN
    assert "which one training each cannot decide" in close.sentence


def test_one_training_without_an_interval_decides_nothing():
    judgement = judge(ClaimData(claim(">", 1.0), tuple(side("a", 9.0))))
    assert judgement.verdict is OPEN
    assert judgement.sentence == (
        "FID: 9 against 1, difference +8, which one training each cannot decide "
        "(one training each, so the spread of seeds is unknown)."
    )


def test_an_undecided_comparison_says_how_many_trainings_would_decide():
    sides = side("a", 1.0, 2.0, 1.4), side("b", 2.0, 1.2, 2.4)
    judgement = judge(ClaimData(claim(), (*sides[0], *sides[1])))
    n = trainings_needed(*sides, abs(judgement.difference), 0.1 * 5.6 / 3)
    assert judgement.verdict is OPEN
    assert f"which {n} trainings each would decide" in judgement.sentence
    variance = np.var([1.0, 2.0, 1.4], ddof=1) + np.var([2.0, 1.2, 2.4], ddof=1)
    normal = variance * (1.959964 + 0.841621) ** 2 / judgement.difference**2
    assert normal < n < normal + 2  # t has longer tails than the normal distribution


@pytest.mark.parametrize("relation", ["<", ">", "="])
@pytest.mark.parametrize(
    ("size", "margin"),
    [
        (1.5, 0.0),
        (1.5, 1.0),
        (1.5, 1.2),  # where the estimate may fall below the margin though it is told from 0
        (0.5, 1.5),  # none that matters
        (0.0, 1.0),  # which may fall out of the margin on either side
        (0.3, 1.0),
    ],
)
def test_the_trainings_that_would_decide_do_so_four_times_of_five(size, margin, relation):
    sides = side("a", 0.0, 1.0, 2.0), side("b", 1.0, 2.0, 3.0)  # both with variance 1
    n, rng = trainings_needed(*sides, size, margin), np.random.default_rng(0)
    a, b = rng.normal(size=(2, 4000, n)) + np.array([size, 0.0])[:, None, None]
    intervals = stats.ttest_ind(a, b, axis=1, equal_var=False).confidence_interval(0.95)
    effects = a.mean(1) - b.mean(1)
    verdicts = [decide(relation, e, low, high, margin) for e, low, high in zip(effects, *intervals, strict=True)]
    decided = np.mean([verdict is not OPEN for verdict in verdicts])
    assert 0.76 < decided < 0.9, n


def test_of_runs_measured_in_two_ways_the_differences_scatter():
    a, b = ([Measurement(v, f"s{i}", x, nan, nan) for i, x in enumerate(xs)] for v, xs in PAIRS.items())
    assert trainings_needed(a, b, 0.9, 0.0) == 3
    assert trainings_needed(side("a", *PAIRS["a"]), side("b", *PAIRS["b"]), 0.9, 0.0) > 1000


PAIRS = {"a": [10.0, 20.0, 30.0], "b": [11.0, 21.1, 30.9]}


def test_a_difference_at_the_margin_is_told_by_no_number_of_trainings():
    a, b = side("a", 1.0, 1.0, 1.01), side("b", 1.1, 1.1, 1.11)  # by a tenth of 1.1033, which is the margin
    judgement = judge(ClaimData(claim(margin=0.1 / 1.10333333 + 1e-7), (*a, *b)))
    assert judgement.verdict is OPEN
    assert "too close to the margin of 0.1 to decide" in judgement.sentence
    nothing = judge(ClaimData(claim(margin=0), (*side("a", 1.0, 2.0), *side("b", 2.0, 1.0))))
    assert "too close to each other to decide" in nothing.sentence


@pytest.mark.parametrize("relation", ["<", ">", "="])
def test_of_no_difference_what_is_left_to_the_margin_decides_how_many(relation):
    a, b = side("a", 1.0, 1.2, 1.1), side("b", 1.0, 1.2, 1.13)
    judgement = judge(ClaimData(claim(relation, margin=0.1), (*a, *b)))
    assert judgement.verdict is OPEN
    n = trainings_needed(a, b, 0.01, 0.111)
    assert n < trainings_needed(a, b, 0.05, 0.111) < trainings_needed(a, b, 0.08, 0.111)
    assert f"which {n} trainings each would decide" in judgement.sentence


def test_a_known_spread_of_seeds_widens_what_one_training_tells():
    sides = (*side("a", 1.0, half=0.3), *side("b", 2.0, half=0.4))
    judgement = judge(ClaimData(replace(claim(), seed_spread=0.2), sides))
    half = sqrt(0.3**2 + 0.4**2 + (1.959964 * 0.2) ** 2 * (1.0**2 + 2.0**2))
    assert judgement.high - judgement.low == pytest.approx(2 * half, rel=1e-5)
    assert judgement.sentence.endswith("(one training each, seeds taken to scatter by 20%).")
    several = [*side("a", 1.0, half=0.3), *side("b", 2.0, 2.2, 2.1)]
    one_sided = half_width(several[:1], several[1:])
    assert one_sided == pytest.approx(sqrt(0.3**2 + (stats.t.ppf(0.975, 2) * 0.1 / sqrt(3)) ** 2))


def test_of_several_answers_the_weakest_is_the_experiments():
    def judgement(verdict: Verdict, answers: bool) -> Judgement:
        return Judgement(replace(claim(), answers=answers), verdict, f"{verdict}")

    assert overall([judgement(R, True), judgement(OPEN, True), judgement(F, False)]) is OPEN
    assert overall([judgement(OPEN, True), judgement(F, True)]) is F
    assert overall([judgement(R, True), judgement(N, True), judgement(OPEN, True)]) is N
    assert decisive([judgement(R, True), judgement(OPEN, True)]).sentence == "open"
    assert overall([judgement(R, False), judgement(F, False)]) is R  # the first, where none is marked


def test_the_same_runs_measured_in_two_ways_are_compared_run_by_run():
    before, after = [10.0, 20.0, 30.0], [9.0, 18.5, 29.0]
    sides = [
        [Measurement(variant, f"s{i}", value, nan, nan) for i, value in enumerate(values)]
        for variant, values in (("a", after), ("b", before))
    ]
    interval = stats.ttest_rel(after, before).confidence_interval(0.95)
    judgement = judge(ClaimData(claim(margin=0.01), (*sides[0], *sides[1])))
    assert (judgement.low, judgement.high) == pytest.approx((interval.low, interval.high))
    assert judgement.verdict is R
    assert half_width(side("a", *after), side("b", *before)) > 10 * (interval.high - interval.low)


def test_large_numbers_are_written_out():
    sentence = judge(ClaimData(claim(), (*side("a", 1104.4, half=9), *side("b", 1290.4, half=9)))).sentence
    assert sentence.startswith("FID: 1,104 against 1,290, difference −186 ± 13 ")


def test_equal_values_have_an_interval_of_no_width():
    assert half_width(side("a", 1.0, 1.0), side("b", 0.0, 0.0)) == 0
    assert judge(ClaimData(claim(">"), (*side("a", 1.0, 1.0), *side("b", 0.0, 0.0)))).verdict is R


def findings(*values: float, variant: str = "a") -> list[Measurement]:
    return side(variant, *values)


def overfits(second: str | float = 0.5, relation: str = ">") -> Claim:
    return replace(claim(relation, second), measure=Measure(finding="discriminator_overfits"))


@pytest.mark.parametrize(
    ("values", "verdict"),
    [([1.0], OPEN), ([1.0] * 3, OPEN), ([1.0] * 4, R), ([0.0] * 3, OPEN), ([0.0] * 4, F), ([1.0] * 4 + [0.0], OPEN)],
)
def test_a_finding_in_all_of_a_few_trainings_has_wilsons_interval(values, verdict):
    judgement = judge(ClaimData(overfits(), tuple(findings(*values))))
    assert judgement.verdict is verdict
    n, hits = len(values), sum(values)
    interval = stats.binomtest(int(hits), n).proportion_ci(method="wilson")
    assert (judgement.low + 0.5, judgement.high + 0.5) == pytest.approx((interval.low, interval.high))


def test_findings_say_their_interval_and_how_many_trainings_would_decide():
    judgement = judge(ClaimData(overfits(), tuple(findings(1.0, 1.0, 1.0))))
    assert judgement.sentence == (
        "The discriminator overfits: in 100% of the trainings, interval 44% to 100%, which 4 trainings each would "
        "decide (3 trainings each)."
    )


def test_findings_of_two_variants_are_compared_by_newcombes_interval():
    sides = (*findings(*[1.0] * 5), *findings(*[0.0] * 5, variant="b"))
    judgement = judge(ClaimData(overfits("b"), sides))
    low, _ = difference_of_proportions(5, 5, 0, 5)
    assert (judgement.low, judgement.verdict) == (low, R)
    assert "in 100% of the trainings, against 0%, difference +100%" in judgement.sentence


def test_words_of_a_claim_that_no_source_reported_are_our_own():
    sides = (*side("a", 1.0, half=0.1), *side("b", 2.0, half=0.1))
    for relation, reported, own in (("<", "reproduced", "holds"), (">", "refuted", "does not hold")):
        judgement = judge(ClaimData(claim(relation), sides))
        assert (judgement.word, deviating([judgement])) == (reported, reported == "refuted")
        judgement = judge(ClaimData(replace(claim(relation), reported=""), sides))
        assert (judgement.word, deviating([judgement])) == (own, False)
    assert judge(ClaimData(replace(claim(), reported=""), problem="Runs are missing: b.")).word == "open"
    assert {"holds", "does not hold", *map(str, Verdict)} == set(WORDS)


def test_a_problem_is_never_given_a_verdict():
    judgement = judge(ClaimData(claim(), tuple(side("a", 1.0)), problem="Runs are missing: b."))
    assert (judgement.verdict, judgement.sentence) == (OPEN, "Runs are missing: b.")
