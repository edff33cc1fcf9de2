"""Rules for metrics, the only curves that measure the images themselves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ganlib.logs.diagnosis.balance import collapsed_by_loss
from ganlib.logs.diagnosis.curves import Floats, Run, Steps
from ganlib.logs.diagnosis.finding import Observation, Severity
from ganlib.logs.diagnosis.metric_curves import (
    FINAL_EVALUATIONS,
    NOTABLE_RATIO,
    RANKING_TAGS,
    VALID_RANGES,
    WORSE_RATIO,
    MetricCurve,
    is_valid,
    metric_curve,
)
from ganlib.logs.diagnosis.objectives import LIKELIHOOD, Objective
from ganlib.logs.sample_diversity import DISTINCT
from ganlib.naming import readable
from ganlib.records import METRICS

# Measured on StudioGAN's CIFAR-10 logs, last FID by best: 1.00 to 1.14 in nine healthy runs, 2.8 to 5.0 in the four
# that collapsed. Worse by a quarter is more than any healthy one; the collapse's ratio is the geometric mean of that
# and 2.8. Evaluations of a collapsed run are noisy: only one that comes back below 1.5 times the best ends a collapse.
BACK_RATIO, COLLAPSE_RATIO = 1.5, 1.87
MIN_WORSENING = 4  # evaluations in a row
MIN_REMAINING_FRACTION = 0.25  # of the run

# Of the best value, and the evaluations and fraction of the run for which it stays there. IS: 0.62 in StudioGAN's
# collapsed DCGAN, above 0.97 in its healthy runs. Recall and coverage are fractions of the real images' variety.
COLLAPSE_RATIOS = {"isc": (1.5, 1.25), "recall": (2.0, 1.5), "coverage": (2.0, 1.5)}
MIN_COLLAPSED_FRACTION = 0.1
MIN_BEST_VALUE = 0.1  # a best recall below it says nothing when it halves

# Measured on 46 notebooks whose pictures are diverse: 0.83 to 1; on three whose pictures became alike: 0.1 to 0.45.
MAX_DISTINCT = 0.5  # of the pictures of a sheet

PLATEAU_CHANGE = 0.02  # of the metric or loss from the third quarter to the last: the noise of an evaluation
MIN_PLATEAU_EVALUATIONS = 12


def impossible_metric(run: Run, objective: Objective) -> Iterator[Observation]:
    for tag, curve in run.curves.items():
        if tag not in METRICS or (tag not in VALID_RANGES and curve.finite.all()):
            continue
        impossible = ~curve.finite
        impossible[curve.finite] = ~is_valid(curve)
        if not impossible.any():
            continue
        steps, values = curve.raw_steps[impossible], curve.raw_values[impossible]
        finite = values[np.isfinite(values)]
        example = f"{readable(finite[np.abs(finite).argmax()])}" if len(finite) else f"{values[0]}"
        text = f"{METRICS[tag].label} has {len(values):,} of {len(impossible):,} values that cannot be true"
        text += f", such as {example}"
        text += ", while the losses are finite." if _losses_are_finite(run) else "."
        yield Observation("warning", int(steps[0]), int(steps[-1]), text, tag)


def _losses_are_finite(run: Run) -> bool:
    losses = [curve for tag, curve in run.curves.items() if tag.startswith("loss")]
    return bool(losses) and all(curve.finite.all() for curve in losses)


def mode_collapse(run: Run, objective: Objective) -> Iterator[Observation]:
    if not objective.adversarial:
        return
    yield from _samples_alike(run)
    yield from collapsed_by_loss(run, objective)
    for tag in (*RANKING_TAGS, "recall", "coverage"):
        curve = metric_curve(run, tag)
        if curve is None or (tag in ("recall", "coverage") and curve.values[curve.best] < MIN_BEST_VALUE):
            continue
        collapsed = _has_left_its_best(curve)
        if not collapsed and not _is_collapsing(curve):
            continue
        best_so_far = np.minimum.accumulate(curve.cost)
        start = int(np.flatnonzero(curve.cost < WORSE_RATIO * best_so_far)[-1]) + 1  # after it was last near its best
        text = f"{curve.label} was {readable(curve.values[curve.best])} at {curve.steps[curve.best]:,} and is "
        text += curve.end_text(run)
        if not collapsed:
            text += f", worse at each of the last {_worsening_evaluations(curve)} evaluations"
        text += _other_metrics_text(run, tag)
        yield Observation("critical", int(curve.steps[start]), int(curve.steps[-1]), text, tag)
        return


def _samples_alike(run: Run) -> Iterator[Observation]:
    """The last sheet of samples, of the run's second half, shows the same pictures again and again."""
    curve = run.curves.get(DISTINCT)
    if curve is None or not len(curve.values) or curve.steps[-1] < run.first_step / 2 + run.last_step / 2:
        return
    if curve.values[-1] <= MAX_DISTINCT:
        start = int(np.flatnonzero(np.append(True, curve.values > MAX_DISTINCT))[-1])
        text = f"Of the pictures in the last sheet of samples {curve.values[-1]:.0%} differ from each other"
        text += f", of those in the first {curve.values[0]:.0%}." if start else "."
        yield Observation("critical", int(curve.steps[start]), int(curve.steps[-1]), text, DISTINCT)


def _has_left_its_best(curve: MetricCurve) -> bool:
    """It ended far above its best, and had not been near it for a tenth of the run."""
    ratio, back = COLLAPSE_RATIOS.get(curve.tag, (COLLAPSE_RATIO, BACK_RATIO))
    best_so_far = np.minimum.accumulate(curve.cost)
    onset = int(np.flatnonzero(curve.cost < back * best_so_far)[-1]) + 1
    remaining = curve.cost[onset:]
    return (
        len(remaining) >= FINAL_EVALUATIONS
        and curve.steps[-1] - curve.steps[onset] >= MIN_COLLAPSED_FRACTION * curve.span
        and float(np.median(curve.cost[-FINAL_EVALUATIONS:])) >= ratio * curve.cost[curve.best]
    )


def _is_collapsing(curve: MetricCurve) -> bool:
    """It is on its way: evaluation by evaluation worse, and already far above its best."""
    ratio, _ = COLLAPSE_RATIOS.get(curve.tag, (COLLAPSE_RATIO, BACK_RATIO))
    return _worsening_evaluations(curve) >= MIN_WORSENING and bool(curve.cost[-1] >= ratio * curve.cost[curve.best])


def _worsening_evaluations(curve: MetricCurve) -> int:
    """The evaluations at the end that were each worse than the one before."""
    better = np.flatnonzero(np.diff(curve.cost) <= 0)
    return len(curve.cost) - 1 - (int(better[-1]) + 1 if len(better) else 0)


def _other_metrics_text(run: Run, tag: str) -> str:
    """How the other metrics of the same images changed."""
    curves = [metric_curve(run, other) for other in ("isc", "recall", "coverage") if other != tag]
    changes = [f"{c.label} {readable(c.values[c.best])} to {readable(c.values[-1])}" for c in curves if c is not None]
    return f" (meanwhile {', '.join(changes)})." if changes else "."


def best_long_before_end(run: Run, objective: Objective) -> Iterator[Observation]:
    for tag in RANKING_TAGS:
        if (curve := metric_curve(run, tag)) is None:
            continue
        best_step = curve.steps[curve.best]
        ratio = curve.final_cost / float(curve.cost[curve.best])
        if curve.steps[-1] - best_step >= MIN_REMAINING_FRACTION * curve.span and ratio >= NOTABLE_RATIO:
            text = f"{curve.label} is best at {best_step:,} of {run.last_step:,}"
            text += f" with {readable(curve.values[curve.best])}, and {curve.end_text(run)}."
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
        text = f"{name} is {readable(third)} in the third quarter and {readable(fourth)} in the last."
        yield Observation("info", int(steps[half]), int(steps[-1]), text, tag)
