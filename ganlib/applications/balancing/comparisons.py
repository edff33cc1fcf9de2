"""Pairs of methods that answer the question, fixed before any result is seen, with a correction for their number.

The best of many with a generator against the best of many without, on the same test images, would prefer whichever side
has more to choose from.
"""

from __future__ import annotations

from typing import NamedTuple

from ganlib.applications.balancing.config import WITH_GENERATOR
from ganlib.balances import COPYING, Balance
from ganlib.intervals import LEVEL, holm, t_half_width, t_p_value

MEASURE = "balanced_accuracy"


class Tried(NamedTuple):
    method: str
    ratio: float  # 0 where the method adds no image


class Comparison(NamedTuple):
    """``mean``: of ours minus other, seed by seed; ``half``: of its 95 % t-interval, for itself alone."""

    ours: Tried
    other: Tried
    seeds: int
    mean: float
    half: float
    p: float  # of no difference, adjusted by Holm's method for all comparisons of the family

    @property
    def told(self) -> bool:
        return self.p < 1 - LEVEL

    @property
    def wins(self) -> bool:
        return self.told and self.mean > 0

    @property
    def loses(self) -> bool:
        return self.told and self.mean < 0


def families(balance: Balance) -> list[list[Comparison]]:
    """One of each way to use a generator, at each ratio against what needs none; [] where nothing is to be compared.

    Against re-weighting (where classes are equal it changes nothing, and the images as they are stand for it),
    oversampling and augmentation up to the same ratio. Where no generator was used: each method against the images as
    they are.
    """
    rows = balance.classifiers[["method", "ratio"]].drop_duplicates()
    tried = [Tried(str(method), float(ratio)) for method, ratio in zip(rows["method"], rows["ratio"], strict=True)]
    ways = [[ours for ours in tried if ours.method == method] for method in WITH_GENERATOR]
    equal = len(set(balance.class_counts)) == 1
    pairs = [[(ours, other) for ours in way for other in _without(ours.ratio, tried, equal=equal)] for way in ways]
    if not any(ways):
        as_it_is = Tried("none", 0.0)
        pairs = [[(ours, as_it_is) for ours in tried if ours != as_it_is] if as_it_is in tried else []]
    return [_compare(balance, family) for family in pairs if family]


def _without(ratio: float, tried: list[Tried], *, equal: bool) -> list[Tried]:
    plain = [Tried(method, 0.0) for method in (("none", "reweighting") if equal else ("reweighting", "none"))]
    return [
        *[other for other in plain if other in tried][:1],
        *[other for other in (Tried(method, ratio) for method in COPYING) if other in tried],
    ]


def _compare(balance: Balance, pairs: list[tuple[Tried, Tried]]) -> list[Comparison]:
    differences = [balance.differences(ours, other, MEASURE) for ours, other in pairs]
    adjusted = holm([t_p_value(values) for values in differences])
    return [
        Comparison(ours, other, len(values), sum(values) / max(len(values), 1), t_half_width(values), p)
        for (ours, other), values, p in zip(pairs, differences, adjusted, strict=True)
    ]
