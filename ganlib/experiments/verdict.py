"""From measured values to a verdict: a claim is judged by the 95 % interval of the difference that it is about.

Several trainings a side: Welch's interval over trainings, or the paired one where both sides are the same runs,
measured in two ways. One training on a side: that side has the interval of its measurement, widened by the claim's
``seed_spread`` where the definition knows one, and the two are joined by the root of the sum of squares; open where one
has none. Without a spread it is not known how far trainings of other seeds would scatter, and the sentence says so.
A finding, which a training has or has not, is a share of trainings: Wilson's interval of it, Newcombe's of two.

A difference counts from the claim's margin on. With e the difference in the claimed direction and m the margin:
reproduced      the interval lies above 0 and e >= m; of "no difference": the interval lies within ±m
refuted         the interval lies below 0 and e <= -m; of "no difference": it leaves out 0 and abs(e) >= m
not reproduced  the interval lies within ±m: no difference that matters
open            anything else: more trainings are needed, or runs are missing
These words are of what a source reported. A claim of ganlib's own "holds", or "does not hold", or is open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import hypot, inf, isfinite, isnan, nan, sqrt
from statistics import variance

import numpy as np

from ganlib.experiments.collection import ClaimData, Measurement
from ganlib.experiments.definition import Claim
from ganlib.intervals import (
    LEVEL,
    difference_of_proportions,
    normal_quantile,
    normal_share,
    t_half_width,
    t_quantile,
    t_share,
    welch_half_width,
    wilson_interval,
)
from ganlib.naming import readable

POWER = 0.8  # of the number of trainings that would decide
MOST_TRAININGS = 10_000  # that anybody would call a number


class Verdict(StrEnum):
    REPRODUCED = "reproduced"
    NOT_REPRODUCED = "not reproduced"
    REFUTED = "refuted"
    OPEN = "open"


OWN_WORDS = {  # of a claim that no source has reported
    Verdict.REPRODUCED: "holds",
    Verdict.NOT_REPRODUCED: "does not hold",
    Verdict.REFUTED: "does not hold",
    Verdict.OPEN: "open",
}
WORDS = tuple(dict.fromkeys([*map(str, Verdict), *OWN_WORDS.values()]))
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
    disputed: bool = False  # by another protocol that all runs share

    @property
    def word(self) -> str:
        """The verdict as readers see it: reproduced or refuted is only what a source reported."""
        return str(self.verdict) if self.claim.reported else OWN_WORDS[self.verdict]


def overall(judgements: Sequence[Judgement]) -> Verdict:
    """Of an experiment: all claims that answer its question must hold, and one that fails fails them together."""
    return decisive(judgements).verdict


def decisive(judgements: Sequence[Judgement]) -> Judgement:
    """The first of the answers to an experiment's question that has its verdict."""
    answers = [judgement for judgement in judgements if judgement.claim.answers] or judgements[:1]
    return min(answers, key=lambda judgement: WEAKEST_FIRST.index(judgement.verdict))


def deviating(judgements: Sequence[Judgement]) -> bool:
    """Whether something came out otherwise than the source reports."""
    differing = (Verdict.NOT_REPRODUCED, Verdict.REFUTED)
    return any(judgement.claim.reported and judgement.verdict in differing for judgement in judgements)


def judge(data: ClaimData) -> Judgement:
    claim = data.claim
    if data.problem:
        return Judgement(claim, Verdict.OPEN, data.problem)
    first, second, reference = _sides(data)
    difference = mean(first) - reference
    low, high = _interval(data)
    margin = claim.margin * abs(reference) if reference else claim.margin
    verdict = decide(claim.relation, difference, low, high, margin)
    trainings = min(len(first), len(second)) if second else len(first)
    sentence = _sentence(data, verdict, low, high, margin, trainings)
    others = [(other.protocol, judge(other)) for other in data.others]
    disputes = [f"Under {protocol}: {other.word}." for protocol, other in others if other.verdict is not verdict]
    return Judgement(
        claim, verdict, " ".join([sentence, *disputes]), difference, low, high, trainings, disputed=bool(disputes)
    )


def _sides(data: ClaimData) -> tuple[list[Measurement], list[Measurement], float]:
    """Both sides, the second empty where it is a number, and what the first is compared with."""
    first, second = data.of(data.claim.first), data.of(data.claim.second)
    if second:
        return first, second, mean(second)
    assert isinstance(data.claim.second, float | int)  # a recorded number has been read by now
    return first, second, float(data.claim.second)


def _interval(data: ClaimData) -> tuple[float, float]:
    """Of the difference."""
    first, second, reference = _sides(data)
    if data.claim.measure.finding:
        return _interval_of_shares(_hits(first), len(first), _hits(second), len(second), reference)
    half = half_width(first, second, data.claim.seed_spread)
    return mean(first) - reference - half, mean(first) - reference + half


def _interval_of_shares(hits: int, n: int, others: int, m: int, reference: float) -> tuple[float, float]:
    if m:
        return difference_of_proportions(hits, n, others, m)
    interval = wilson_interval(hits, n)
    return interval.low - reference, interval.high - reference


def _hits(side: Sequence[Measurement]) -> int:
    return round(sum(m.value for m in side))


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


def decide(relation: str, effect: float, low: float, high: float, margin: float) -> Verdict:
    """``effect``: first less second; ``low``, ``high``: its interval."""
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


def trainings_needed(first: Sequence[Measurement], second: Sequence[Measurement], size: float, margin: float) -> int:
    """The fewest trainings a side that decide about a difference of this size with a probability of 80 %, about.

    ``size``, ``margin``: absolute, of the same unit; a size below the margin is decided as none that matters.
    MOST_TRAININGS where none of fewer do.
    """
    differences = paired(first, second)
    samples = [differences] if differences else [[m.value for m in side] for side in (first, second)]
    samples = [sample for sample in samples if len(sample) > 1]
    spread = sum(variance(sample) for sample in samples)
    for n in range(2, MOST_TRAININGS):
        if _power(size, margin, sqrt(spread / n), len(samples) * (n - 1)) >= POWER:
            return n
    return MOST_TRAININGS


def _power(size: float, margin: float, error: float, freedom: int) -> float:
    """Probability that the interval of an estimate with this standard error leaves out 0 while the estimate reaches the
    margin, or that it lies within the margin; as if the estimate's standard error were known, but for t's tails.
    """
    if not error:
        return float(size != margin)
    t = t_quantile(freedom)
    told = min(t_share(freedom, size / error - t), normal_share((size - margin) / error))
    within = t_share(freedom, (margin - size) / error - t) - t_share(freedom, t - (margin + size) / error)
    return told + max(within, 0.0)


def _sentence(data: ClaimData, verdict: Verdict, low: float, high: float, margin: float, trainings: int) -> str:
    claim = data.claim
    first, second, reference = _sides(data)
    size, half = mean(first) - reference, (high - low) / 2
    if claim.measure.finding:
        text = f"{claim.measure.label}: in {mean(first):.0%} of the trainings, "
        if second:
            text += f"against {reference:.0%}, difference {size:+.0%}, interval {low:+.0%} to {high:+.0%}"
        else:
            text += f"interval {low + reference:.0%} to {high + reference:.0%}"
    else:
        interval = f" ± {readable(half, 2)}" if half and isfinite(half) else ""
        difference = f"{'−' if size < 0 else '+'}{readable(abs(size))}{interval}"
        text = f"{claim.measure.label}: {readable(mean(first))} against {readable(reference)}, difference {difference}"
    if verdict is Verdict.OPEN:
        text += _what_would_decide(data, abs(size), margin, trainings)
    elif verdict is Verdict.NOT_REPRODUCED:
        text += f", less than the {readable(margin, 2)} that would matter"
    return f"{text} ({_count(claim, trainings)})."


def _count(claim: Claim, trainings: int) -> str:
    if claim.measure.balance:
        return f"{trainings} classifiers each; generators of other seeds would scatter more"
    if trainings > 1:
        return f"{trainings} trainings each"
    if claim.seed_spread:
        return f"one training each, seeds taken to scatter by {claim.seed_spread:.0%}"
    return "one training each, so the spread of seeds is unknown"


def _what_would_decide(data: ClaimData, size: float, margin: float, trainings: int) -> str:
    """How many trainings would, if the difference and the spread are as measured."""
    if trainings < 2:
        return ", which one training each cannot decide"
    first, second, _ = _sides(data)
    n = _shares_needed(data, margin) if data.claim.measure.finding else trainings_needed(first, second, size, margin)
    kind = "classifiers" if data.claim.measure.balance else "trainings"
    if n >= MOST_TRAININGS:
        return f", too close to {f'the margin of {readable(margin, 2)}' if margin else 'each other'} to decide"
    return f", which {max(n, trainings + 1):,} {kind} each would decide"


def _shares_needed(data: ClaimData, margin: float) -> int:
    """Trainings a side that decide where the finding is in the same shares of them."""
    first, second, reference = _sides(data)
    p, q = mean(first), mean(second) if second else reference
    for n in range(max(len(first), len(second)) + 1, MOST_TRAININGS):
        hits, others = round(p * n), round(q * n)
        effect = hits / n - (others / n if second else reference)
        low, high = _interval_of_shares(hits, n, others, n if second else 0, reference)
        if decide(data.claim.relation, effect, low, high, margin) is not Verdict.OPEN:
            return n
    return MOST_TRAININGS
