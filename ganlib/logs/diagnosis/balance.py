"""Rules for the balance of D and G: one has won, or learning stopped."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ganlib.logs.diagnosis.curves import Curve, Mask, Run, Windows, sustained_spans
from ganlib.logs.diagnosis.finding import Observation, Severity, percent
from ganlib.logs.diagnosis.objectives import CROSS_ENTROPY, UNKNOWN, Objective

D_CERTAIN = 0.2  # D's cross-entropy at 90 % certainty of every image, -2 log 0.9
WORSE_THAN_GUESSING = 1.5  # times the loss of guessing: D is wrong more often than right, not just undecided
VANISHED_RATIO = 1e-3  # of G's early gradient. Measured: the largest fall in ganlib's healthy runs is to 0.09 of it
FLAT_LOSS = 0.01  # |log(1 - D(G(z)))|: D(G(z)), by which the gradient of the logit is multiplied, is 1 %
FROZEN_TOLERANCE = 1e-6  # of a loss's value: below what single precision tells apart in a mean over a batch
OVERFITTED_R_T = 0.8  # r_t, of which 0.6 is the paper's target and 1 is complete overfitting
MIN_COMPARED = 3  # values of a window that all have to be the same


def discriminator_wins(run: Run, objective: Objective) -> Iterator[Observation]:
    for d, g in run.adversarial_losses():
        if (windows := d.windows) is None:
            continue
        generator = g.medians_at(windows) if g else None
        near_zero = windows.median < objective.d_wins_below
        if objective is UNKNOWN:
            # For cross-entropy and hinge alike this means a win; least squares cannot get there, and a critic's
            # loss is negative where it tells images apart.
            if generator is None or d.values.min() < 0:
                continue
            certain = (windows.median < CROSS_ENTROPY.d_wins_below) & (generator > CROSS_ENTROPY.g_loses_above)
        elif generator is None:
            certain = near_zero
        else:
            certain = near_zero | ((windows.median < D_CERTAIN) & (generator > objective.g_loses_above))
        for first, last in sustained_spans(certain):
            part = slice(first, last + 1)
            text = f"D's loss has a median of {np.median(windows.median[part]):.2g}"
            text += f" for {percent(last + 1 - first, len(certain))} of the run"
            if objective is not UNKNOWN:
                text += f", where guessing would give {objective.scale:.2g}"
            if generator is not None:
                text += f"; G's loss is {np.median(generator[part]):.2g}"
            lasting = last == len(certain) - 1 and np.mean(near_zero[part]) > 0.5
            yield _observe("critical" if lasting else "warning", windows, first, last, f"{text}.", d)


def generator_wins(run: Run, objective: Objective) -> Iterator[Observation]:
    for d, g in run.adversarial_losses():
        if (windows := d.windows) is None or g is None or (generator := g.medians_at(windows)) is None:
            continue
        fooled = (windows.median > WORSE_THAN_GUESSING * objective.d_guessing) & (generator < objective.g_wins_below)
        for first, last in sustained_spans(fooled):
            part = slice(first, last + 1)
            text = (
                f"D's loss has a median of {np.median(windows.median[part]):.2g}, worse than guessing "
                f"({objective.d_guessing:.2g}), while G's is {np.median(generator[part]):.2g}: "
                f"D takes generated images for real for {percent(last + 1 - first, len(fooled))} of the run."
            )
            yield _observe(_severity(last, fooled), windows, first, last, text, d)


def discriminator_overfits(run: Run, _: Objective) -> Iterator[Observation]:
    curve = run.curves.get("ada/r_t")
    if curve is None or (windows := curve.windows) is None:
        return
    overfitted = windows.median > OVERFITTED_R_T
    for first, last in sustained_spans(overfitted):
        if last < len(overfitted) - 1:
            continue  # augmentation that adapts takes a while, and then has cured it
        value = np.median(windows.median[first:])
        text = (
            f"The mean sign of D on training images, r_t, has a median of {value:.2f} for "
            f"{percent(last + 1 - first, len(overfitted))} of the run, to its end: D knows them by heart."
        )
        yield _observe("warning", windows, first, last, text, curve)


def vanished_gradient(run: Run, objective: Objective) -> Iterator[Observation]:
    yield from _vanished(run)
    for d, g in run.adversarial_losses():
        if objective.saturating and g is not None and (windows := g.windows) is not None:
            flat = np.abs(windows.median) < FLAT_LOSS
            for first, last in sustained_spans(flat):
                value = np.median(windows.median[first : last + 1])
                text = f"G's minimax loss is {value:.2g}: where D is so sure, it is flat and its gradient near zero."
                yield _observe(_severity(last, flat), windows, first, last, text, g)
        yield from _constant_losses([d] if g is None else [d, g])


def _vanished(run: Run) -> Iterator[Observation]:
    for tag, curve in run.curves.items():
        if not tag.startswith("grad/") or tag.startswith("grad/D") or (windows := curve.windows) is None:
            continue
        early = np.median(windows.median[: max(1, len(windows.median) // 5)])
        vanished = windows.median < VANISHED_RATIO * early
        for first, last in sustained_spans(vanished):
            value = np.median(windows.median[first : last + 1])
            text = f"The gradient's norm ({tag}) fell from {early:.2g} to {value:.2g}."
            yield _observe(_severity(last, vanished), windows, first, last, text, curve)


def _constant_losses(curves: list[Curve]) -> Iterator[Observation]:
    """Both losses are constant, which over different batches happens only with a saturated D."""
    windows = curves[0].windows
    if windows is None or any(curve.windows is None for curve in curves):
        return
    constant = np.ones(len(windows.median), dtype=np.bool_)
    for curve in curves:
        own = curve.windows
        assert own is not None
        nearest = np.abs(own.middle[:, None] - windows.middle).argmin(axis=0)
        same = (own.high - own.low <= FROZEN_TOLERANCE * np.abs(own.median)) & (own.size >= MIN_COMPARED)
        constant &= same[nearest]
    for first, last in sustained_spans(constant):
        values = " and ".join(f"{c.tag} at {c.medians_at(windows)[first]:.4g}" for c in curves)  # type: ignore[index]
        text = f"The losses stand still ({values}) for {percent(last + 1 - first, len(constant))} of the run."
        yield _observe(_severity(last, constant), windows, first, last, text, curves[0])


def collapsed_by_loss(run: Run, objective: Objective) -> Iterator[Observation]:
    """D's loss near zero, then far above guessing for good: how D's loss shows a collapse of BigGAN.

    Brock et al., arXiv:1809.11096, section 4.2.
    """
    if not objective.bounded:
        return
    for d, _ in run.adversarial_losses():
        if (windows := d.windows) is None or (objective is UNKNOWN and d.values.min() < 0):
            continue
        near_zero = windows.median < D_CERTAIN * objective.scale / CROSS_ENTROPY.scale
        after = windows.median > WORSE_THAN_GUESSING * objective.scale
        spans = list(sustained_spans(after))
        if spans and spans[-1][1] == len(after) - 1:
            first, last = spans[-1]
            if near_zero[:first].sum() * 2 >= max(first, 2):
                text = (
                    f"D's loss was near zero (median {np.median(windows.median[:first]):.2g}), then jumped to "
                    f"{np.median(windows.median[first:]):.2g} and stayed there."
                )
                yield _observe("critical", windows, first, last, text, d)


def _observe(severity: Severity, windows: Windows, first: int, last: int, evidence: str, curve: Curve) -> Observation:
    return Observation(severity, int(windows.start[first]), int(windows.end[last]), evidence, curve.tag)


def _severity(last: int, mask: Mask) -> Severity:
    return "critical" if last == len(mask) - 1 else "warning"
