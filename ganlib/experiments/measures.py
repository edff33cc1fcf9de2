"""One number of a run: a metric of its records, a statistic of a curve, a finding of the diagnosis, or what classifiers
reach that were trained on a data set balanced with its images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import nan
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ganlib.balances import MEASURES
from ganlib.errors import GanlibError
from ganlib.intervals import t_half_width
from ganlib.logs.diagnosis import RULES
from ganlib.naming import nearest_names
from ganlib.records import METRICS

SHARE = 0.1  # of the run that counts as its end, and as its beginning
WINDOW = 0.02  # of the run before and after a change


@dataclass(frozen=True)
class Measure:
    """Exactly one of ``metric``, ``scalar``, ``finding`` and ``balance`` is not empty.

    ``over``: another scalar, by whose statistic that of ``scalar`` is divided.
    """

    metric: str = ""
    scalar: str = ""
    statistic: str = ""
    over: str = ""
    finding: str = ""
    balance: str = ""

    @property
    def label(self) -> str:
        if self.metric:
            return METRICS[self.metric].label
        if self.balance:
            return f"{self.balance.replace('_', ' ').capitalize()} of classifiers"
        if self.finding:
            return _rule_titles()[self.finding]
        return f"{self.scalar}{f' over {self.over}' if self.over else ''}, {STATISTICS[self.statistic][0]}"


def parse_measure(value: Any) -> Measure:
    """As a definition file writes it; GanlibError for what is none."""
    if isinstance(value, str):
        return Measure(metric=_known(value, METRICS, "metric"))
    if isinstance(value, dict) and set(value) == {"finding"}:
        return Measure(finding=_known(value["finding"], _rule_titles(), "finding"))
    if isinstance(value, dict) and set(value) == {"balance"}:
        return Measure(balance=_known(value["balance"], MEASURES, "measure of classifiers"))
    if isinstance(value, dict) and {"scalar", "statistic"} <= set(value) <= {"scalar", "statistic", "over"}:
        scalar, over = value["scalar"], value.get("over", "")
        if isinstance(scalar, str) and isinstance(over, str):
            return Measure(scalar=scalar, statistic=_known(value["statistic"], STATISTICS, "statistic"), over=over)
    raise GanlibError(
        "measure is a metric's name, { scalar = …, statistic = … } with or without over, { finding = … } or "
        "{ balance = … }."
    )


class Estimate(NamedTuple):
    """``low``, ``high``: a 95 % interval from within the one training, NaN where it has none."""

    value: float
    low: float = nan
    high: float = nan


def measure_curve(frame: pd.DataFrame, measure: Measure) -> Estimate:
    """Of one run's rows of ``ganlib.logs.read``; NaN where the run has not logged what is needed."""
    rows = frame.sort_values("step")
    curves = {str(tag): group[["step", "value"]].dropna().to_numpy(np.float64) for tag, group in rows.groupby("tag")}

    def of(scalar: str) -> Estimate:
        curve = curves.get(scalar)
        if curve is None or len(curve) < 2:
            return Estimate(nan)
        return STATISTICS[measure.statistic][1](curve, curves)

    if not measure.over:
        return of(measure.scalar)
    divisor = of(measure.over).value
    return Estimate(of(measure.scalar).value / divisor if divisor else nan)


Curve = NDArray[np.float64]  # (n, 2): steps, values


def end(curve: Curve, curves: dict[str, Curve]) -> Estimate:
    """Median over the last tenth of the training."""
    return Estimate(float(np.median(_part(curve, 1 - SHARE, 1))))


def start(curve: Curve, curves: dict[str, Curve]) -> Estimate:
    """Median over the first tenth of the training."""
    return Estimate(float(np.median(_part(curve, 0, SHARE))))


def rise(curve: Curve, curves: dict[str, Curve]) -> Estimate:
    """The end over the start."""
    return Estimate(end(curve, curves).value / start(curve, curves).value)


def late_rise(curve: Curve, curves: dict[str, Curve]) -> Estimate:
    """The end over the median of the tenth in the middle: what the first steps, long past by then, do not touch."""
    middle = float(np.median(_part(curve, (1 - SHARE) / 2, (1 + SHARE) / 2)))
    return Estimate(end(curve, curves).value / middle if middle else nan)


def change(curve: Curve, curves: dict[str, Curve]) -> Estimate:
    """The end less the start, for losses of either sign."""
    return Estimate(end(curve, curves).value - start(curve, curves).value)


def maximum(curve: Curve, curves: dict[str, Curve]) -> Estimate:
    """The largest median over a window of 2 % of the training."""
    steps, values = curve.T
    windows = ((steps - steps[0]) / max(steps[-1] - steps[0], 1) / WINDOW).astype(int)
    return Estimate(float(max(np.median(values[windows == window]) for window in np.unique(windows))))


def jump_at_growth(curve: Curve, curves: dict[str, Curve]) -> Estimate:
    """Mean over the growths of the resolution: the median after over that before, less 1; a t-interval over growths.

    After: while the new block fades in (``alpha`` below 1), before: as many steps; without ``alpha`` 2 % of the run.
    """
    if "resolution" not in curves:
        return Estimate(nan)
    steps, values = curve.T
    jumps = []
    for last, first in _growths(curves["resolution"]):
        until = _end_of_fade(curves.get("alpha"), first, WINDOW * (steps[-1] - steps[0]))
        before = values[(steps <= last) & (steps > last - (until - first))]
        after = values[(steps >= first) & (steps < until)]
        if len(before) and len(after) and np.median(before):
            jumps.append(np.median(after) / np.median(before) - 1)
    if len(jumps) < 2:
        return Estimate(float(np.mean(jumps))) if jumps else Estimate(nan)
    mean, half = float(np.mean(jumps)), t_half_width(jumps)
    return Estimate(mean, mean - half, mean + half)


def _growths(resolution: Curve) -> list[tuple[float, float]]:
    """(last step before, first step behind) each: a row of the log is a mean, so that a rise may take two of them."""
    steps, values = resolution.T
    rising = np.diff(values) > 0
    starts = np.flatnonzero(rising & ~np.append(False, rising[:-1]))
    ends = np.flatnonzero(rising & ~np.append(rising[1:], False)) + 1
    return [(float(steps[start]), float(steps[end])) for start, end in zip(starts, ends, strict=True)]


def _end_of_fade(alpha: Curve | None, first: float, otherwise: float) -> float:
    """The step at which the block that has begun to fade in at ``first`` is all there."""
    whole = [] if alpha is None else alpha[(alpha[:, 0] > first) & (alpha[:, 1] >= 1), 0]
    return float(whole[0]) if len(whole) else first + otherwise


def _part(curve: Curve, low: float, high: float) -> NDArray[np.float64]:
    """Values whose step lies between two fractions of the run; the nearest one where none does."""
    steps, values = curve.T
    position = (steps - steps[0]) / max(steps[-1] - steps[0], 1)
    inside = values[(position >= low) & (position <= high)]
    return inside if len(inside) else values[[int(np.argmin(np.abs(position - (low + high) / 2)))]]


STATISTICS: dict[str, tuple[str, Callable[[Curve, dict[str, Curve]], Estimate]]] = {  # name -> label, of a curve
    "end": ("last tenth", end),
    "start": ("first tenth", start),
    "rise": ("last tenth over first tenth", rise),
    "late_rise": ("last tenth over the middle", late_rise),
    "change": ("last tenth less first tenth", change),
    "maximum": ("maximum", maximum),
    "jump_at_growth": ("jump at each growth", jump_at_growth),
}


def _rule_titles() -> dict[str, str]:
    return {rule.name: rule.title for rule in RULES}


def _known(value: Any, names: Any, kind: str) -> str:
    if not isinstance(value, str) or value not in names:
        close = nearest_names(str(value), names) or sorted(names)
        raise GanlibError(f"There is no {kind} {value!r}; try {', '.join(close)}.")
    return value
