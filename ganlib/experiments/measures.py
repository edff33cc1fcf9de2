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
    """Exactly one of ``metric``, ``scalar``, ``finding`` and ``balance`` is not empty."""

    metric: str = ""
    scalar: str = ""
    statistic: str = ""
    finding: str = ""
    balance: str = ""

    @property
    def label(self) -> str:
        if self.metric:
            return METRICS[self.metric].label
        if self.balance:
            return f"{self.balance.replace('_', ' ').capitalize()} of classifiers"
        return f"{self.scalar}, {STATISTICS[self.statistic][0]}" if self.scalar else _rule_titles()[self.finding]


def parse_measure(value: Any) -> Measure:
    """As a definition file writes it; GanlibError for what is none."""
    if isinstance(value, str):
        return Measure(metric=_known(value, METRICS, "metric"))
    if isinstance(value, dict) and set(value) == {"finding"}:
        return Measure(finding=_known(value["finding"], _rule_titles(), "finding"))
    if isinstance(value, dict) and set(value) == {"balance"}:
        return Measure(balance=_known(value["balance"], MEASURES, "measure of classifiers"))
    if isinstance(value, dict) and set(value) == {"scalar", "statistic"} and isinstance(value["scalar"], str):
        return Measure(scalar=value["scalar"], statistic=_known(value["statistic"], STATISTICS, "statistic"))
    raise GanlibError("measure is a metric's name, { scalar = …, statistic = … }, { finding = … } or { balance = … }.")


class Estimate(NamedTuple):
    """``low``, ``high``: a 95 % interval from within the one training, NaN where it has none."""

    value: float
    low: float = nan
    high: float = nan


def measure_curve(frame: pd.DataFrame, scalar: str, statistic: str) -> Estimate:
    """Of one run's rows of ``ganlib.logs.read``; NaN where the run has not logged what is needed."""
    rows = frame.sort_values("step")
    curves = {str(tag): group[["step", "value"]].dropna().to_numpy(np.float64) for tag, group in rows.groupby("tag")}
    curve = curves.get(scalar)
    if curve is None or len(curve) < 2:
        return Estimate(nan)
    return STATISTICS[statistic][1](curve, curves)


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


def change(curve: Curve, curves: dict[str, Curve]) -> Estimate:
    """The end less the start, for losses of either sign."""
    return Estimate(end(curve, curves).value - start(curve, curves).value)


def maximum(curve: Curve, curves: dict[str, Curve]) -> Estimate:
    """The largest median over a window of 2 % of the training."""
    steps, values = curve.T
    windows = ((steps - steps[0]) / max(steps[-1] - steps[0], 1) / WINDOW).astype(int)
    return Estimate(float(max(np.median(values[windows == window]) for window in np.unique(windows))))


def jump_at_growth(curve: Curve, curves: dict[str, Curve]) -> Estimate:
    """Mean over the growths of the resolution: the median just after over that just before, less 1; a t-interval."""
    resolution = curves.get("resolution")
    if resolution is None:
        return Estimate(nan)
    growths = resolution[1:, 0][np.diff(resolution[:, 1]) > 0]
    steps, values = curve.T
    window = WINDOW * (steps[-1] - steps[0])
    jumps = []
    for growth in growths:
        before = values[(steps < growth) & (steps >= growth - window)]
        after = values[(steps >= growth) & (steps < growth + window)]
        if len(before) and len(after) and np.median(before):
            jumps.append(np.median(after) / np.median(before) - 1)
    if len(jumps) < 2:
        return Estimate(float(np.mean(jumps))) if jumps else Estimate(nan)
    mean, half = float(np.mean(jumps)), t_half_width(jumps)
    return Estimate(mean, mean - half, mean + half)


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
