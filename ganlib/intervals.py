"""Confidence intervals. Never by resampling with replacement: duplicates bias FID.

By the quantiles of scipy.special: scipy.stats takes a second to import, for which a first page would wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot, inf, sqrt
from statistics import fmean, stdev, variance

from scipy.special import ndtr, ndtri, stdtr, stdtrit

from ganlib.records import Interval

LEVEL = 0.95


def t_half_width(values: Sequence[float]) -> float:
    """Half of the t-interval of the mean of independent normal values; infinite of fewer than two."""
    n = len(values)
    return t_quantile(n - 1) * stdev(values) / sqrt(n) if n > 1 else inf


def t_p_value(values: Sequence[float]) -> float:
    """Two-sided, of independent normal values whose mean is 0: below 1 - LEVEL where their t-interval excludes 0."""
    n = len(values)
    if n < 2 or not any(values):
        return 1.0
    error = stdev(values) / sqrt(n)
    return float(2 * stdtr(n - 1, -abs(fmean(values)) / error)) if error else 0.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted, so that of all below 1 - LEVEL none is false with LEVEL. Holm, Scand. J. Statistics 6 (1979), p. 65."""
    adjusted, highest = [1.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min((len(p_values) - rank) * p_values[index], 1.0))
        adjusted[index] = highest
    return adjusted


def welch_half_width(first: Sequence[float], second: Sequence[float]) -> float:
    """Half of the interval of the difference of two means, of at least two values each.

    Variances may differ: degrees of freedom by Welch, Biometrika 34 (1947), p. 28. 0 where none of the values does.
    """
    parts = [(variance(side) / len(side), len(side) - 1) for side in (first, second)]
    error = sum(part for part, _ in parts)
    if error == 0:
        return 0.0
    freedom = error**2 / sum(part**2 / n for part, n in parts)
    return t_quantile(freedom) * sqrt(error)


def t_quantile(freedom: float, share: float = (1 + LEVEL) / 2) -> float:
    """Below which this share of Student's t distribution lies; by default beyond it lie 5 % on both sides together."""
    return float(stdtrit(freedom, share))


def t_share(freedom: float, value: float) -> float:
    """Share of Student's t distribution below this value."""
    return float(stdtr(freedom, value))


def normal_share(value: float) -> float:
    """Share of a standard normal distribution below this value."""
    return float(ndtr(value))


def normal_quantile(share: float) -> float:
    """Below which this share of a standard normal distribution lies."""
    return float(ndtri(share))


def block_interval(value: float, blocks: Sequence[float], n: int, *, proportion: bool = False) -> Interval | None:
    """Interval around ``value``, made of all n images, from the same metric on disjoint parts of them.

    FID falls with n, so the blocks' mean estimates another number than ``value`` does and only their spread
    is used: t-quantile times standard error. That of a ``proportion`` is cut at 0 and 1. None with fewer than two
    blocks.
    """
    count = len(blocks)
    if count < 2:
        return None
    half = t_half_width(blocks)
    how = (
        f"{LEVEL:.0%}: t-quantile times the standard error of {count} disjoint seed blocks of {n // count:,} "
        f"images, around the value of all {n:,}"
    )
    low, high = value - half, value + half
    if proportion:
        low, high = max(low, 0.0), min(high, 1.0)
    return Interval(low, high, how)


def wilson_interval(hits: int, n: int) -> Interval:
    """Wilson's score interval of the proportion hits / n: stays in [0, 1]. Wilson, JASA 22 (1927), p. 209."""
    z = normal_quantile((1 + LEVEL) / 2)
    p, shrink = hits / n, 1 + z * z / n
    centre = (p + z * z / (2 * n)) / shrink
    half = z / shrink * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    # At 0 and n hits the bounds are 0 and 1; rounding must not move them past the value.
    low, high = min(max(centre - half, 0.0), p), max(min(centre + half, 1.0), p)
    how = f"{LEVEL:.0%}: Wilson's score interval of {n:,} independent images"
    return Interval(low, high, how)


def difference_of_proportions(first: int, n: int, second: int, m: int) -> tuple[float, float]:
    """Interval of first / n less second / m, of Wilson's of each. Newcombe, Stat. Med. 17 (1998), p. 873, method 10."""
    p, q = first / n, second / m
    own, other = wilson_interval(first, n), wilson_interval(second, m)
    return p - q - hypot(p - own.low, other.high - q), p - q + hypot(own.high - p, q - other.low)


def mean_interval(values: Sequence[float]) -> Interval | None:
    """Of the mean of independent values, by the normal distribution; None of fewer than two."""
    n = len(values)
    if n < 2:
        return None
    centre, half = fmean(values), normal_quantile((1 + LEVEL) / 2) * stdev(values) / sqrt(n)
    return Interval(centre - half, centre + half, f"{LEVEL:.0%}: normal quantile times the standard error of {n:,}")
