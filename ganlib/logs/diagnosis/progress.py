"""Signs in the metrics: the only curves that say whether the images became better."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ganlib.logs.diagnosis.balance import collapsed_by_loss
from ganlib.logs.diagnosis.curves import Curve, Floats, Run, Steps
from ganlib.logs.diagnosis.finding import Claim, Severity
from ganlib.logs.diagnosis.objectives import LIKELIHOOD, Objective
from ganlib.records import METRICS

# What a metric can be. FID of Inception's features is some hundreds at worst; 1e57 is a matrix root that failed.
RANGES = {"fid": (-1e-3, 1e4), "isc": (1.0, 1e4), "precision": (0.0, 1.0), "recall": (0.0, 1.0), "coverage": (0.0, 1.0)}
RANKING = ("fid", "kid", "isc")  # the first that was logged decides which checkpoint is best
EVALUATIONS = 5  # fewer are no curve
LAST = 3  # evaluations whose median is where a run ends: one alone is noisy

# Measured on StudioGAN's CIFAR-10 logs, last FID by best: 1.00 to 1.14 in nine healthy runs, 2.8 to 5.0 in the four
# that collapsed. Worse by a quarter is more than any healthy one; twice the best lies in the middle.
WORSE, COLLAPSED = 1.25, 2.0
NOTED = 1.05  # more than two evaluations of one checkpoint differ (StyleGAN2: 2 %)
BEFORE_END = 0.25  # of the run

# Of the best value, and the evaluations and share of the run for which it stays there. IS: 0.62 in StudioGAN's
# collapsed DCGAN, above 0.97 in its healthy runs. Recall and coverage are shares of the real images' variety.
FELL = {"isc": 1.5, "recall": 2.0, "coverage": 2.0}
STAYED = 0.1
SEEN = 0.1  # a best recall below it says nothing when it halves
LEAST_SHARE = 1e-3  # below one image in a thousand all are alike

STILL = 0.02  # by how much the metric or loss changes in the last quarter against the one before: noise of evaluation
QUARTERED = 12  # evaluations


@dataclass(frozen=True)
class Metric:
    """(n,) each. ``badness`` falls as the metric gets better, by the same ratio."""

    tag: str
    steps: Steps
    values: Floats
    badness: Floats

    @property
    def span(self) -> int:
        return int(self.steps[-1] - self.steps[0])


def metric(run: Run, tag: str) -> Metric | None:
    """The evaluations of a metric that can be true; None where there are too few for a curve."""
    if (curve := run.curves.get(tag)) is None:
        return None
    lower = METRICS[tag].better == "lower"
    possible = _possible(curve) & (curve.values > 0 if lower else True)  # a KID of 0 or less is noise: no ratio to it
    values, steps = curve.values[possible], curve.steps[possible]
    if len(values) < EVALUATIONS or steps[-1] == steps[0]:
        return None
    return Metric(tag, steps, values, values if lower else 1 / np.maximum(values, LEAST_SHARE))


def impossible_metric(run: Run, objective: Objective) -> Iterator[Claim]:
    for tag in RANGES:
        if (curve := run.curves.get(tag)) is None or (possible := _possible(curve)).all():
            continue
        steps, wrong = curve.steps[~possible], curve.values[~possible]
        worst = wrong[np.abs(wrong).argmax()]
        name = METRICS[tag].label
        text = f"{name} has {len(wrong):,} of {len(possible):,} values that cannot be true, such as {worst:.3g}."
        yield Claim("warning", int(steps[0]), int(steps[-1]), text, tag)


def _possible(curve: Curve) -> np.ndarray:
    low, high = RANGES.get(curve.tag, (-np.inf, np.inf))
    return (curve.values >= low) & (curve.values <= high)


def mode_collapse(run: Run, objective: Objective) -> Iterator[Claim]:
    if not objective.adversarial:
        return
    yield from collapsed_by_loss(run, objective)
    for tag in (*RANKING, "recall", "coverage"):
        if (found := metric(run, tag)) is None:
            continue
        best = np.minimum.accumulate(found.badness)
        near = np.flatnonzero(found.badness < FELL.get(tag, COLLAPSED) * best)
        onset = int(near[-1]) + 1
        if len(best) - onset < LAST or found.steps[-1] - found.steps[onset] < STAYED * found.span:
            continue
        at = int(found.badness.argmin())
        if tag in ("recall", "coverage") and found.values[at] < SEEN:
            continue
        left = int(np.flatnonzero(found.badness < WORSE * best)[-1]) + 1  # after the last time it was near its best
        now = np.median(found.values[-LAST:])
        text = f"{METRICS[tag].label} was {found.values[at]:.3g} at {found.steps[at]:,} and ends at {now:.3g}"
        yield Claim("critical", int(found.steps[left]), int(found.steps[-1]), text + _also(run, tag), tag)
        return


def _also(run: Run, tag: str) -> str:
    """What the other metrics of the same images say."""
    words = []
    for other in ("isc", "recall", "coverage"):
        if other != tag and (found := metric(run, other)) is not None:
            at = int(found.badness.argmin())
            words.append(f"{METRICS[other].label} {found.values[at]:.3g} to {np.median(found.values[-LAST:]):.3g}")
    return f" (meanwhile {', '.join(words)})." if words else "."


def best_long_before_end(run: Run, objective: Objective) -> Iterator[Claim]:
    for tag in RANKING:
        if (found := metric(run, tag)) is None:
            continue
        at = int(found.badness.argmin())
        lost = float(np.median(found.badness[-LAST:]) / found.badness[at])
        if found.steps[-1] - found.steps[at] >= BEFORE_END * found.span and lost >= NOTED:
            now = np.median(found.values[-LAST:])
            text = f"{METRICS[tag].label} is best at {found.steps[at]:,} of {found.steps[-1]:,}"
            text += f" with {found.values[at]:.3g}, and {now:.3g} at the end."
            severity: Severity = "warning" if lost >= WORSE else "info"
            yield Claim(severity, int(found.steps[at]), int(found.steps[-1]), text, tag)
        return


def plateau(run: Run, objective: Objective) -> Iterator[Claim]:
    for tag in RANKING:
        if (found := metric(run, tag)) is not None and len(found.values) >= QUARTERED:
            yield from _level(METRICS[tag].label, tag, found.steps, found.badness, found.values)
            return
    for curve in run.losses():
        # Losses of an equilibrium and of denoising stand still while images improve.
        if objective is LIKELIHOOD and (windows := curve.windows) is not None:
            yield from _level(curve.tag, curve.tag, windows.start, windows.median, windows.median)


def _level(name: str, tag: str, steps: Steps, badness: Floats, values: Floats) -> Iterator[Claim]:
    half, last = (int(np.searchsorted(steps, steps[0] + part * (steps[-1] - steps[0]))) for part in (0.5, 0.75))
    if min(last - half, len(steps) - last) < 2:
        return
    before, now = np.median(badness[half:last]), np.median(badness[last:])
    if abs(now - before) <= STILL * abs(before) and now - badness.min() <= (WORSE - 1) * abs(badness.min()):
        third, fourth = np.median(values[half:last]), np.median(values[last:])
        text = f"{name} is {third:.3g} in the third quarter and {fourth:.3g} in the last."
        yield Claim("info", int(steps[half]), int(steps[-1]), text, tag)
