"""Rules for metrics, the only curves that measure the images themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ganlib.logs.diagnosis.balance import collapsed_by_loss
from ganlib.logs.diagnosis.curves import Curve, Floats, Run, Steps
from ganlib.logs.diagnosis.finding import Observation, Severity
from ganlib.logs.diagnosis.objectives import LIKELIHOOD, Objective
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
FINAL_EVALUATIONS = 3  # evaluations whose median is where a run ends: one alone is noisy

# Measured on StudioGAN's CIFAR-10 logs, last FID by best: 1.00 to 1.14 in nine healthy runs, 2.8 to 5.0 in the four
# that collapsed. Worse by a quarter is more than any healthy one; twice the best lies in the middle.
WORSE_RATIO, COLLAPSE_RATIO = 1.25, 2.0
NOTABLE_RATIO = 1.05  # more than two evaluations of one checkpoint differ (StyleGAN2: 2 %)
MIN_REMAINING_FRACTION = 0.25  # of the run

# Of the best value, and the evaluations and fraction of the run for which it stays there. IS: 0.62 in StudioGAN's
# collapsed DCGAN, above 0.97 in its healthy runs. Recall and coverage are fractions of the real images' variety.
COLLAPSE_RATIOS = {"isc": 1.5, "recall": 2.0, "coverage": 2.0}
MIN_COLLAPSED_FRACTION = 0.1
MIN_BEST_VALUE = 0.1  # a best recall below it says nothing when it halves
MIN_VALUE = 1e-3  # below one image in a thousand all are alike

PLATEAU_CHANGE = 0.02  # of the metric or loss from the third quarter to the last: the noise of an evaluation
MIN_PLATEAU_EVALUATIONS = 12


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
    def final_value(self) -> float:
        return float(np.median(self.values[-FINAL_EVALUATIONS:]))

    @property
    def label(self) -> str:
        return METRICS[self.tag].label


def metric_curve(run: Run, tag: str) -> MetricCurve | None:
    """The evaluations of a metric whose values are possible; None where they are too few for a curve."""
    if (curve := run.curves.get(tag)) is None:
        return None
    lower = METRICS[tag].better == "lower"
    valid = _is_valid(curve) & (curve.values > 0 if lower else True)  # a KID of 0 or less is noise: no ratio to it
    values, steps = curve.values[valid], curve.steps[valid]
    if len(values) < MIN_EVALUATIONS or steps[-1] == steps[0]:
        return None
    return MetricCurve(tag, steps, values, values if lower else 1 / np.maximum(values, MIN_VALUE))


def impossible_metric(run: Run, objective: Objective) -> Iterator[Observation]:
    for tag in VALID_RANGES:
        if (curve := run.curves.get(tag)) is None or (valid := _is_valid(curve)).all():
            continue
        steps, invalid = curve.steps[~valid], curve.values[~valid]
        worst = invalid[np.abs(invalid).argmax()]
        name = METRICS[tag].label
        text = f"{name} has {len(invalid):,} of {len(valid):,} values that cannot be true, such as {worst:.3g}."
        yield Observation("warning", int(steps[0]), int(steps[-1]), text, tag)


def _is_valid(curve: Curve) -> np.ndarray:
    low, high = VALID_RANGES.get(curve.tag, (-np.inf, np.inf))
    return (curve.values >= low) & (curve.values <= high)


def mode_collapse(run: Run, objective: Objective) -> Iterator[Observation]:
    if not objective.adversarial:
        return
    yield from collapsed_by_loss(run, objective)
    for tag in (*RANKING_TAGS, "recall", "coverage"):
        if (curve := metric_curve(run, tag)) is None:
            continue
        best_so_far = np.minimum.accumulate(curve.cost)
        fine = np.flatnonzero(curve.cost < COLLAPSE_RATIOS.get(tag, COLLAPSE_RATIO) * best_so_far)
        onset = int(fine[-1]) + 1
        remaining = len(best_so_far) - onset
        if remaining < FINAL_EVALUATIONS or curve.steps[-1] - curve.steps[onset] < MIN_COLLAPSED_FRACTION * curve.span:
            continue
        if tag in ("recall", "coverage") and curve.values[curve.best] < MIN_BEST_VALUE:
            continue
        start = int(np.flatnonzero(curve.cost < WORSE_RATIO * best_so_far)[-1]) + 1  # after it was last near its best
        text = f"{curve.label} was {curve.values[curve.best]:.3g} at {curve.steps[curve.best]:,}"
        text += f" and ends at {curve.final_value:.3g}{_other_metrics_text(run, tag)}"
        yield Observation("critical", int(curve.steps[start]), int(curve.steps[-1]), text, tag)
        return


def _other_metrics_text(run: Run, tag: str) -> str:
    """How the other metrics of the same images changed."""
    curves = [metric_curve(run, other) for other in ("isc", "recall", "coverage") if other != tag]
    changes = [f"{c.label} {c.values[c.best]:.3g} to {c.final_value:.3g}" for c in curves if c is not None]
    return f" (meanwhile {', '.join(changes)})." if changes else "."


def best_long_before_end(run: Run, objective: Objective) -> Iterator[Observation]:
    for tag in RANKING_TAGS:
        if (curve := metric_curve(run, tag)) is None:
            continue
        best_step = curve.steps[curve.best]
        ratio = float(np.median(curve.cost[-FINAL_EVALUATIONS:]) / curve.cost[curve.best])
        if curve.steps[-1] - best_step >= MIN_REMAINING_FRACTION * curve.span and ratio >= NOTABLE_RATIO:
            text = f"{curve.label} is best at {best_step:,} of {curve.steps[-1]:,}"
            text += f" with {curve.values[curve.best]:.3g}, and {curve.final_value:.3g} at the end."
            severity: Severity = "warning" if ratio >= WORSE_RATIO else "info"
            yield Observation(severity, int(best_step), int(curve.steps[-1]), text, tag)
        return


def plateau(run: Run, objective: Objective) -> Iterator[Observation]:
    for tag in RANKING_TAGS:
        if (history := metric_curve(run, tag)) is not None and len(history.values) >= MIN_PLATEAU_EVALUATIONS:
            yield from _check_plateau(history.label, tag, history.steps, history.cost, history.values)
            return
    for curve in run.losses():
        # Losses of an equilibrium and of denoising stand still while images improve.
        if objective is LIKELIHOOD and (windows := curve.windows) is not None:
            yield from _check_plateau(curve.tag, curve.tag, windows.start, windows.median, windows.median)


def _check_plateau(name: str, tag: str, steps: Steps, cost: Floats, values: Floats) -> Iterator[Observation]:
    half, last = (int(np.searchsorted(steps, steps[0] + part * (steps[-1] - steps[0]))) for part in (0.5, 0.75))
    if min(last - half, len(steps) - last) < 2:
        return
    before, final = np.median(cost[half:last]), np.median(cost[last:])
    if abs(final - before) <= PLATEAU_CHANGE * abs(before) and final - cost.min() <= (WORSE_RATIO - 1) * abs(
        cost.min()
    ):
        third, fourth = np.median(values[half:last]), np.median(values[last:])
        text = f"{name} is {third:.3g} in the third quarter and {fourth:.3g} in the last."
        yield Observation("info", int(steps[half]), int(steps[-1]), text, tag)
