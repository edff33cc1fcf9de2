"""Metrics by step as costs that fall as the pictures get better."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganlib.logs.diagnosis.curves import Curve, Floats, Mask, Run, Steps, Windows
from ganlib.naming import readable
from ganlib.records import METRICS

# What a metric can be. FID of Inception's features is some hundreds at worst; 1e57 is a matrix root that failed.
VALID_RANGES = {
    "fid": (-1e-3, 1e4),
    "isc": (1.0, 1e4),
    "precision": (0.0, 1.0),
    "recall": (0.0, 1.0),
    "coverage": (0.0, 1.0),
}
RANKING_TAGS = ("fid", "kid", "isc")  # the first that was logged decides which checkpoint is best
MIN_EVALUATIONS = 5  # fewer are no curve
FINAL_EVALUATIONS = 3  # evaluations whose median says how a run ends: one alone is noisy
MIN_VALUE = 1e-3  # below one image in a thousand all are alike
WORSE_RATIO = 1.25  # more than any healthy run of StudioGAN's CIFAR-10 logs, which end at 1.14 times their best
NOTABLE_RATIO = 1.05  # more than two evaluations of one checkpoint differ (StyleGAN2: 2 %)
END_FRACTION = 0.98  # of the run: an evaluation from there on is one of its end


@dataclass(frozen=True)
class MetricCurve:
    """(n,) each. ``cost`` falls as the metric gets better, by the same ratio."""

    tag: str
    steps: Steps
    values: Floats
    cost: Floats

    @property
    def span(self) -> int:
        return int(self.steps[-1] - self.steps[0])

    @property
    def best(self) -> int:
        """Index of the best evaluation."""
        return int(self.cost.argmin())

    @property
    def final_cost(self) -> float:
        """The least that the last evaluation, and the median of the last few, say of the end."""
        return float(min(self.cost[-1], np.median(self.cost[-FINAL_EVALUATIONS:])))

    @property
    def label(self) -> str:
        return METRICS[self.tag].label

    def end_text(self, run: Run) -> str:
        """ "2.46 at the end", or "2.09 at the last evaluation, at 2,000 of 4,820"."""
        last = int(self.steps[-1])
        if last - int(self.steps[0]) >= END_FRACTION * (run.last_step - int(self.steps[0])):
            return f"{readable(self.values[-1])} at the end"
        return f"{readable(self.values[-1])} at the last evaluation, at {last:,} of {run.last_step:,}"


def metric_curve(run: Run, tag: str) -> MetricCurve | None:
    """The evaluations of a metric whose values are possible; None where they are too few for a curve."""
    if (curve := run.curves.get(tag)) is None:
        return None
    lower = METRICS[tag].better == "lower"
    valid = is_valid(curve) & (curve.values > 0 if lower else True)  # a KID of 0 or less is noise: no ratio to it
    values, steps = curve.values[valid], curve.steps[valid]
    if len(values) < MIN_EVALUATIONS or steps[-1] == steps[0]:
        return None
    return MetricCurve(tag, steps, values, values if lower else 1 / np.maximum(values, MIN_VALUE))


def is_valid(curve: Curve) -> Mask:
    """(n,) which of a curve's finite values the metric can have."""
    low, high = VALID_RANGES.get(curve.tag, (-np.inf, np.inf))
    return (curve.values >= low) & (curve.values <= high)


def improving_within(run: Run, start: int, end: int) -> bool:
    """Whether a metric of the pictures still got better in the second half of a stretch of steps."""
    for tag in RANKING_TAGS:
        if (curve := metric_curve(run, tag)) is not None:
            until = curve.steps <= end
            before, after = curve.cost[curve.steps <= start / 2 + end / 2], curve.cost[until]
            return bool(
                len(before) and after.min() < before.min() and curve.cost[until][-1] < NOTABLE_RATIO * before.min()
            )
    return False


def worse_than_best(run: Run, windows: Windows) -> Mask:
    """Windows in which a metric of the pictures is worse than its best so far by a quarter; none without a metric."""
    for tag in RANKING_TAGS:
        if (curve := metric_curve(run, tag)) is not None:
            ratio = np.interp(windows.middle, curve.steps, curve.cost / np.minimum.accumulate(curve.cost))
            return np.asarray(ratio >= WORSE_RATIO)
    return np.zeros(len(windows.median), dtype=np.bool_)
