"""How far a number may be off. Never from drawing with replacement: duplicates bias FID."""

from __future__ import annotations

from math import sqrt
from statistics import stdev
from typing import Any

from scipy.special import ndtri, stdtrit

LEVEL = 0.95


def from_blocks(value: float, blocks: list[float], n: int, *, share: bool = False) -> dict[str, Any] | None:
    """Interval around ``value``, made of all n images, from the same metric on disjoint parts of them.

    FID falls with n, so the blocks' mean estimates another number than ``value`` does and only their spread
    is used: t-quantile times standard error. That of a ``share`` ends at 0 and 1. None with fewer than two blocks.
    """
    count = len(blocks)
    if count < 2:
        return None
    half = float(stdtrit(count - 1, (1 + LEVEL) / 2)) * stdev(blocks) / sqrt(count)
    how = (
        f"{LEVEL:.0%}: t-quantile times the standard error of {count} disjoint seed blocks of {n // count:,} "
        f"images, around the value of all {n:,}"
    )
    low, high = value - half, value + half
    if share:
        low, high = max(low, 0.0), min(high, 1.0)
    return {"low": low, "high": high, "how": how}


def of_share(hits: int, n: int) -> dict[str, Any]:
    """Wilson's score interval of the share hits / n: stays in [0, 1]. Wilson, JASA 22 (1927), p. 209."""
    z = float(ndtri((1 + LEVEL) / 2))
    p, shrink = hits / n, 1 + z * z / n
    centre = (p + z * z / (2 * n)) / shrink
    half = z / shrink * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    # At 0 and n hits the bounds are 0 and 1; rounding must not move them past the value.
    low, high = min(max(centre - half, 0.0), p), max(min(centre + half, 1.0), p)
    how = f"{LEVEL:.0%}: Wilson's score interval of {n:,} independent images"
    return {"low": low, "high": high, "how": how}
