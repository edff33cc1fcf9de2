"""From measured values to a verdict: a claim is judged by the 95 % interval of the difference that it is about.

Several trainings a side: Welch's interval over trainings, or the paired one where both sides are the same runs,
measured in two ways. One training on a side: that side has the interval of its measurement, widened by the claim's
``seed_spread`` where the definition knows one, and the two are joined by the root of the sum of squares; open where one
has none. Without a spread it is not known how far trainings of other seeds would scatter, and the sentence says so.

A difference counts from the claim's margin on. With e the difference in the claimed direction and m the margin:
reproduced      the interval lies above 0 and e >= m; of "no difference": the interval lies within ±m
refuted         the interval lies below 0 and e <= -m; of "no difference": it leaves out 0 and abs(e) >= m
not reproduced  the interval lies within ±m: no difference that matters
open            anything else: more trainings are needed, or runs are missing
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, hypot, inf, isfinite, isnan, nan, sqrt
from statistics import variance

import numpy as np

from ganlib.experiments.collection import ClaimData, Measurement
from ganlib.experiments.definition import Claim
from ganlib.intervals import LEVEL, normal_quantile, t_half_width, t_quantile, welch_half_width

POWER = 0.8  # of the number of trainings that would decide
MOST_TRAININGS = 10_000  # that anybody would call a number


class Verdict(StrEnum):
    REPRODUCED = "reproduced"
    NOT_REPRODUCED = "not reproduced"
    REFUTED = "refuted"
    OPEN = "open"


WEAKEST_FIRST = (Verdict.REFUTED, Verdict.NOT_REPRODUCED, Verdict.OPEN, Verdict.REPRODUCED)


@dataclass(frozen=True)
class Judgement:
    """``difference``: first less second, with its interval; NaN where nothing could be compared."""

    claim: Claim
    verdict: Verdict
    sentence: str
    difference: float = nan
    low: float = nan
    high: float = nan
    trainings: int = 0  # of the side that has fewer


def overall(judgements: Sequence[Judgement]) -> Verdict:
    """Of an experiment: all claims that answer its question must hold, and one that fails fails them together."""
    return decisive(judgements).verdict


def decisive(judgements: Sequence[Judgement]) -> Judgement:
    """The first of the answers to an experiment's question that has its verdict."""
    answers = [judgement for judgement in judgements if judgement.claim.answers] or judgements[:1]
    return min(answers, key=lambda judgement: WEAKEST_FIRST.index(judgement.verdict))


def judge(data: ClaimData) -> Judgement:
    claim = data.claim
    if data.problem:
        return Judgement(claim, Verdict.OPEN, data.problem)
    first = data.of(claim.first)
    second = data.of(claim.second)
    reference = mean(second) if second else float(claim.second)
    difference = mean(first) - reference
    half = half_width(first, second, claim.seed_spread)
    margin = claim.margin * abs(reference) if reference else claim.margin
    low, high = difference - half, difference + half
    verdict = decide(claim.relation, low, high, margin)
    trainings = min(len(first), len(second)) if second else len(first)
    sentence = _sentence(data, verdict, mean(first), reference, half, margin, trainings)
    return Judgement(claim, verdict, sentence, difference, low, high, trainings)


def mean(side: Sequence[Measurement]) -> float:
    return float(np.mean([m.value for m in side]))


def half_width(first: Sequence[Measurement], second: Sequence[Measurement], seed_spread: float = 0.0) -> float:
    """Half of the interval of the difference of means; ``second`` is empty where a fixed number is compared with."""
    samples = [[m.value for m in side] for side in (first, second) if side]
    if any(len(sample) < 2 for sample in samples):
        return hypot(*(_half_of_side(side, seed_spread) for side in (first, second) if side))
    if differences := paired(first, second):
        return t_half_width(differences)
    return welch_half_width(*samples) if second else t_half_width(samples[0])


def paired(first: Sequence[Measurement], second: Sequence[Measurement]) -> list[float]:
    """First less second, run by run, where both sides are the same runs measured in two ways; else []."""
    if [m.run for m in first] != [m.run for m in second]:
        return []
    return [a.value - b.value for a, b in zip(first, second, strict=True)]


def _half_of_side(side: Sequence[Measurement], seed_spread: float) -> float:
    if len(side) > 1:
        return t_half_width([m.value for m in side])
    (m,) = side
    half = (m.high - m.low) / 2
    return inf if isnan(half) else hypot(half, normal_quantile((1 + LEVEL) / 2) * seed_spread * m.value)


def decide(relation: str, low: float, high: float, margin: float) -> Verdict:
    """``low``, ``high``: interval of first less second."""
    effect = (low + high) / 2
    within = -margin < low and high < margin
    if relation == "=":
        if within:
            return Verdict.REPRODUCED
        return Verdict.REFUTED if (low > 0 or high < 0) and abs(effect) >= margin else Verdict.OPEN
    if relation == "<":
        low, high, effect = -high, -low, -effect
    if low > 0 and effect >= margin:
        return Verdict.REPRODUCED
    if high < 0 and -effect >= margin:
        return Verdict.REFUTED
    return Verdict.NOT_REPRODUCED if within else Verdict.OPEN


def trainings_needed(first: Sequence[Measurement], second: Sequence[Measurement], effect: float) -> int:
    """Trainings a side whose t-interval leaves out a difference of ``effect`` > 0 with a power of 80 %, approximately.

    The fewest n with effect >= (t(0.975) + t(0.8)) times the standard error of n; of paired sides, of differences.
    """
    differences = paired(first, second)
    samples = [differences] if differences else [[m.value for m in side] for side in (first, second)]
    samples = [sample for sample in samples if len(sample) > 1]
    spread = sum(variance(sample) for sample in samples)
    normal = spread * ((normal_quantile((1 + LEVEL) / 2) + normal_quantile(POWER)) / effect) ** 2
    n = max(ceil(min(normal, MOST_TRAININGS)), 2)
    while n < MOST_TRAININGS:
        freedom = len(samples) * (n - 1)
        if effect >= (t_quantile(freedom) + t_quantile(freedom, POWER)) * sqrt(spread / n):
            break
        n += 1
    return n


def _sentence(
    data: ClaimData, verdict: Verdict, first: float, reference: float, half: float, margin: float, trainings: int
) -> str:
    claim = data.claim
    interval = f" ± {readable(half, 2)}" if half and isfinite(half) else ""
    difference = f"{'−' if first < reference else '+'}{readable(abs(first - reference))}"
    text = f"{claim.measure.label}: {readable(first)} against {readable(reference)}, difference {difference}{interval}"
    if claim.measure.finding:
        text = f"{claim.measure.label}: in {first:.0%} of the trainings"
    if verdict is Verdict.OPEN:
        text += _what_would_decide(data, first - reference, half, margin, trainings)
    elif verdict is Verdict.NOT_REPRODUCED:
        text += f", less than the {margin:.2g} that would matter"
    return f"{text} ({_count(claim, trainings)})."


def _count(claim: Claim, trainings: int) -> str:
    if claim.measure.balance:
        return f"{trainings} classifiers each; generators of other seeds would scatter more"
    if trainings > 1:
        return f"{trainings} trainings each"
    if claim.seed_spread:
        return f"one training each, seeds taken to scatter by {claim.seed_spread:.0%}"
    return "one training each, so the spread of seeds is unknown"


def readable(value: float, digits: int = 3) -> str:
    """So many digits that count, and no exponents above."""
    return f"{value:,.0f}" if abs(value) >= 10**digits else f"{value:.{digits}g}"


def _what_would_decide(data: ClaimData, difference: float, half: float, margin: float, trainings: int) -> str:
    """How many trainings would tell the difference from 0, or from the margin where it is told from 0 already."""
    if trainings < 2:
        return ", which one training each cannot decide"
    size = abs(difference)
    if data.claim.relation == "=":
        effect = size if size >= margin else margin - size
    else:
        effect = margin - size if half < size else max(size, margin)
    sides = [data.of(name) for name in data.claim.variants]
    n = trainings_needed(sides[0], sides[1] if len(sides) > 1 else [], effect) if effect > 0 else MOST_TRAININGS
    kind = "classifiers" if data.claim.measure.balance else "trainings"
    if n >= MOST_TRAININGS:
        return f", too close to {f'the margin of {readable(margin, 2)}' if margin else 'each other'} to decide"
    return f", which {max(n, trainings + 1):,} {kind} each would decide"
