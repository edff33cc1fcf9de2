"""From measured values to a verdict: a claim is judged by the 95 % interval of the difference that it is about.

Several trainings a side: Welch's interval over trainings, or the paired one where both sides are the same runs,
measured in two ways. One training on a side: the intervals of the measurements, by the root of the sum of squares, open
where one has none; how far trainings of other seeds would scatter is then not known, and the sentence says so.

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
from math import ceil, hypot, inf, isfinite, isnan, nan

import numpy as np

from ganlib.experiments.collection import ClaimData, Measurement
from ganlib.experiments.definition import Claim
from ganlib.intervals import LEVEL, normal_quantile, t_half_width, welch_half_width

POWER = 0.8  # of the number of trainings that would decide


class Verdict(StrEnum):
    REPRODUCED = "reproduced"
    NOT_REPRODUCED = "not reproduced"
    REFUTED = "refuted"
    OPEN = "open"


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
    """Of an experiment: that of its first claim, which answers its question."""
    return judgements[0].verdict


def judge(data: ClaimData) -> Judgement:
    claim = data.claim
    if data.problem:
        return Judgement(claim, Verdict.OPEN, data.problem)
    first = data.of(claim.first)
    second = data.of(claim.second)
    reference = mean(second) if second else float(claim.second)
    difference = mean(first) - reference
    half = half_width(first, second)
    margin = claim.margin * abs(reference) if reference else claim.margin
    low, high = difference - half, difference + half
    verdict = decide(claim.relation, low, high, margin)
    trainings = min(len(first), len(second)) if second else len(first)
    sentence = _sentence(data, verdict, mean(first), reference, half, margin, trainings)
    return Judgement(claim, verdict, sentence, difference, low, high, trainings)


def mean(side: Sequence[Measurement]) -> float:
    return float(np.mean([m.value for m in side]))


def half_width(first: Sequence[Measurement], second: Sequence[Measurement]) -> float:
    """Half of the interval of the difference of means; ``second`` is empty where a fixed number is compared with."""
    sides = [side for side in (first, second) if side]
    if any(len(side) < 2 for side in sides):
        halves = [(m.high - m.low) / 2 / len(side) for side in sides for m in side]
        return inf if any(isnan(half) for half in halves) else hypot(*halves)
    samples = [[m.value for m in side] for side in sides]
    if not second:
        return t_half_width(samples[0])
    if [m.run for m in first] == [m.run for m in second]:
        return t_half_width([a - b for a, b in zip(*samples, strict=True)])
    return welch_half_width(*samples)


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
    """Trainings a side that tell a difference of ``effect`` at 95 % with a power of 80 %, approximately."""
    variances = [float(np.var([m.value for m in side], ddof=1)) for side in (first, second) if len(side) > 1]
    quantiles = normal_quantile((1 + LEVEL) / 2) + normal_quantile(POWER)
    return max(ceil(sum(variances) * (quantiles / effect) ** 2), 2)


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
        text += _what_would_decide(data, max(abs(first - reference), margin), trainings)
    elif verdict is Verdict.NOT_REPRODUCED:
        text += f", less than the {margin:.2g} that would matter"
    count = f"{trainings} trainings each" if trainings > 1 else "one training each, so the spread of seeds is unknown"
    return f"{text} ({count})."


def readable(value: float, digits: int = 3) -> str:
    """So many digits that count, and no exponents above."""
    return f"{value:,.0f}" if abs(value) >= 10**digits else f"{value:.{digits}g}"


def _what_would_decide(data: ClaimData, effect: float, trainings: int) -> str:
    if trainings < 2:
        return ", which one training each cannot decide"
    sides = [data.of(name) for name in data.claim.variants]
    n = trainings_needed(sides[0], sides[1] if len(sides) > 1 else [], effect)
    return f", which {n} trainings each would decide" if n > trainings else ", too close to the margin to decide"
