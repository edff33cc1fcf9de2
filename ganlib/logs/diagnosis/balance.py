"""Signs that one of the two networks has won, and that learning stopped."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ganlib.logs.diagnosis.curves import Curve, Mask, Run, Windows, stretches
from ganlib.logs.diagnosis.finding import Claim, Severity, share
from ganlib.logs.diagnosis.objectives import CROSS_ENTROPY, UNKNOWN, Objective

SURE = 0.2  # D's cross-entropy at 90 % certainty of every image, -2 log 0.9
WORSE = 1.5  # times the loss of guessing: D is wrong more often than right, not just undecided
FADED = 1e-3  # of G's early gradient. Measured: the largest fall in ganlib's healthy runs is to 0.09 of it
FLAT = 0.01  # |log(1 - D(G(z)))|: D(G(z)), by which the gradient of the logit is multiplied, is 1 %
FROZEN = 1e-6  # of a loss's value: below what single precision tells apart in a mean over a batch
OVERFIT = 0.8  # r_t, of which 0.6 is the paper's target and 1 is complete overfitting
COMPARED = 3  # values of a window that all have to be the same


def discriminator_wins(run: Run, objective: Objective) -> Iterator[Claim]:
    for d, g in run.duels():
        if (windows := d.windows) is None:
            continue
        generator = g.medians_at(windows) if g else None
        won = windows.median < objective.won
        if objective is UNKNOWN:
            # For cross-entropy and hinge alike this means a win; least squares cannot get there, and a critic's
            # loss is negative where it tells images apart.
            if generator is None or d.values.min() < 0:
                continue
            certain = (windows.median < CROSS_ENTROPY.won) & (generator > CROSS_ENTROPY.beaten)
        elif generator is None:
            certain = won
        else:
            certain = won | ((windows.median < SURE) & (generator > objective.beaten))
        for first, last in stretches(certain):
            part = slice(first, last + 1)
            text = f"D's loss has a median of {np.median(windows.median[part]):.2g}"
            text += f" for {share(last + 1 - first, len(certain))} of the run"
            if objective is not UNKNOWN:
                text += f", where guessing would give {objective.level:.2g}"
            if generator is not None:
                text += f"; G's loss is {np.median(generator[part]):.2g}"
            lasting = last == len(certain) - 1 and np.mean(won[part]) > 0.5
            yield _claim("critical" if lasting else "warning", windows, first, last, f"{text}.", d)


def generator_wins(run: Run, objective: Objective) -> Iterator[Claim]:
    for d, g in run.duels():
        if (windows := d.windows) is None or g is None or (generator := g.medians_at(windows)) is None:
            continue
        fooled = (windows.median > WORSE * objective.chance) & (generator < objective.fooled)
        for first, last in stretches(fooled):
            part = slice(first, last + 1)
            text = (
                f"D's loss has a median of {np.median(windows.median[part]):.2g}, worse than guessing "
                f"({objective.chance:.2g}), while G's is {np.median(generator[part]):.2g}: "
                f"D takes generated images for real for {share(last + 1 - first, len(fooled))} of the run."
            )
            yield _claim(_lasting(last, fooled), windows, first, last, text, d)


def discriminator_overfits(run: Run, _: Objective) -> Iterator[Claim]:
    curve = run.curves.get("ada/r_t")
    if curve is None or (windows := curve.windows) is None:
        return
    sure = windows.median > OVERFIT
    for first, last in stretches(sure):
        if last < len(sure) - 1:
            continue  # augmentation that adapts takes a while, and then has cured it
        value = np.median(windows.median[first:])
        text = (
            f"The mean sign of D on training images, r_t, has a median of {value:.2f} for "
            f"{share(last + 1 - first, len(sure))} of the run, to its end: D knows them by heart."
        )
        yield _claim("warning", windows, first, last, text, curve)


def vanished_gradient(run: Run, objective: Objective) -> Iterator[Claim]:
    yield from _faded(run)
    for d, g in run.duels():
        if objective.saturating and g is not None and (windows := g.windows) is not None:
            flat = np.abs(windows.median) < FLAT
            for first, last in stretches(flat):
                value = np.median(windows.median[first : last + 1])
                text = f"G's minimax loss is {value:.2g}: where D is so sure, it is flat and its gradient near zero."
                yield _claim(_lasting(last, flat), windows, first, last, text, g)
        yield from _frozen([d] if g is None else [d, g])


def _faded(run: Run) -> Iterator[Claim]:
    for tag, curve in run.curves.items():
        if not tag.startswith("grad/") or tag.startswith("grad/D") or (windows := curve.windows) is None:
            continue
        early = np.median(windows.median[: max(1, len(windows.median) // 5)])
        faded = windows.median < FADED * early
        for first, last in stretches(faded):
            value = np.median(windows.median[first : last + 1])
            text = f"The gradient's norm ({tag}) fell from {early:.2g} to {value:.2g}."
            yield _claim(_lasting(last, faded), windows, first, last, text, curve)


def _frozen(curves: list[Curve]) -> Iterator[Claim]:
    """All losses of a duel stand still: over batches of other images and other noise only a saturated D does that."""
    windows = curves[0].windows
    if windows is None or any(curve.windows is None for curve in curves):
        return
    still = np.ones(len(windows.median), dtype=np.bool_)
    for curve in curves:
        own = curve.windows
        assert own is not None
        nearest = np.abs(own.middle[:, None] - windows.middle).argmin(axis=0)
        same = (own.high - own.low <= FROZEN * np.abs(own.median)) & (own.size >= COMPARED)
        still &= same[nearest]
    for first, last in stretches(still):
        values = " and ".join(f"{c.tag} at {c.medians_at(windows)[first]:.4g}" for c in curves)  # type: ignore[index]
        text = f"The losses stand still ({values}) for {share(last + 1 - first, len(still))} of the run."
        yield _claim(_lasting(last, still), windows, first, last, text, curves[0])


def collapsed_by_loss(run: Run, objective: Objective) -> Iterator[Claim]:
    """D's loss near zero, then far above guessing for good: what a collapse of BigGAN looks like in D's loss.

    Brock et al., arXiv:1809.11096, section 4.2.
    """
    if not objective.bounded:
        return
    for d, _ in run.duels():
        if (windows := d.windows) is None or (objective is UNKNOWN and d.values.min() < 0):
            continue
        near_zero = windows.median < SURE * objective.level / CROSS_ENTROPY.level
        after = windows.median > WORSE * objective.level
        found = list(stretches(after))
        if found and found[-1][1] == len(after) - 1:
            first, last = found[-1]
            if near_zero[:first].sum() * 2 >= max(first, 2):
                text = (
                    f"D's loss was near zero (median {np.median(windows.median[:first]):.2g}), then jumped to "
                    f"{np.median(windows.median[first:]):.2g} and stayed there."
                )
                yield _claim("critical", windows, first, last, text, d)


def _claim(severity: Severity, windows: Windows, first: int, last: int, evidence: str, curve: Curve) -> Claim:
    return Claim(severity, int(windows.start[first]), int(windows.end[last]), evidence, curve.tag)


def _lasting(last: int, mask: Mask) -> Severity:
    return "critical" if last == len(mask) - 1 else "warning"
