"""Rules for the balance of D and G: one has won, or learning stopped."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ganlib.logs.diagnosis.curves import Curve, Floats, Mask, Run, Windows, sustained_spans
from ganlib.logs.diagnosis.finding import Observation, Severity, percent
from ganlib.logs.diagnosis.metric_curves import improving_within, worse_than_best
from ganlib.logs.diagnosis.objectives import CROSS_ENTROPY, HINGE, LEAST_SQUARES, UNKNOWN, Objective
from ganlib.naming import readable

D_CERTAIN = 0.2  # D's cross-entropy at 90 % certainty of every image, -2 log 0.9
START_FRACTION = 0.1  # of the windows: what the losses began with
D_FALLEN, G_RISEN = 0.15, 1.5  # times the start, for an unknown loss
REJECTED_LEAST_SQUARES_G = 0.4, 1.3  # (1 - D(G(z)))², or half of it, where D(G(z)) is within 0.1 of 0
REJECTED_G, REJECTED_G_RISEN, D_HALVED = CROSS_ENTROPY.g_loses_above, 3.0, 0.5  # D(G(z)) = 1/150; times before
HINGE_NEAR_ZERO = 0.01  # reached in good health too, by large networks: counts where a metric gets worse meanwhile
EXACT_ZERO = 1e-4  # of D's loss where G's is not logged: hundredfold below the least of a large network in good health
SURE_ACCURACY, SURE_G = 0.95, 3.0  # D(G(z)) = 5 %
SUM_OF_HALVES = 0.75  # of 2 log 2: what begins with less is a mean
SMOOTHED_FLOOR, FLOOR_TOLERANCE = 0.325, 0.01  # -0.9 log 0.9 - 0.1 log 0.1
PASSING = 0.05  # D(G(z)), as a probability: with more of it G still learns
WORSE_THAN_GUESSING = 1.5  # times the loss of guessing: D is wrong more often than right, not just undecided
VANISHED_RATIO = 1e-3  # of G's early gradient. Measured: the largest fall in ganlib's healthy runs is to 0.09 of it
FLAT_LOSS = 0.01  # |log(1 - D(G(z)))|: D(G(z)), by which the gradient of the logit is multiplied, is 1 %
FROZEN_TOLERANCE = 1e-6  # of a loss's value: below what single precision tells apart in a mean over a batch
OVERFITTED_R_T = 0.8  # r_t, of which 0.6 is the paper's target and 1 is complete overfitting
MIN_COMPARED = 3  # values of a window that all have to be the same
# Between D's mean outputs for real and generated images, whose targets lie 1 apart or more. Measured in 124 logs: of
# three PGGANs of dark blobs 86 to 94 % of the windows are below it, of others but critics' and codes' at most 15 %.
INDISTINCT, INDISTINCT_SHARE = 0.01, 0.75  # the share: of all windows, and of the first third


def discriminator_wins(run: Run, objective: Objective) -> Iterator[Observation]:
    for d, g in run.adversarial_losses():
        if (windows := d.windows) is None or not objective.bounded:
            continue
        generator = g.medians_at(windows) if g else None
        if objective is UNKNOWN:
            # A critic's loss is negative where it tells images apart.
            if d.values.min() < 0:
                continue
            near_zero = windows.median < CROSS_ENTROPY.d_wins_below
            if generator is None:
                certain = (windows.median < EXACT_ZERO) & (windows.median < EXACT_ZERO / HINGE.scale * d.values[0])
            else:
                certain = _wins_for_any_loss(windows.median, generator, d.values[0]) | _wins_by_accuracy(
                    run, windows, generator
                )
        else:
            near_zero = windows.median < objective.d_wins_below
            certain = near_zero | _wins_while_pictures_get_worse(run, windows, objective)
            if generator is not None:
                certain |= (windows.median < objective.d_certain_below) & (generator > objective.g_loses_above)
                if objective.g_loses_above == CROSS_ENTROPY.g_loses_above:
                    certain |= _rejected(windows.median, generator, d.values[0]) | _wins_by_accuracy(
                        run, windows, generator
                    )
        for first, last in sustained_spans(certain & _outputs_allow_a_win(run, windows), begun=True):
            if improving_within(run, windows.start[first], windows.end[last]):
                continue  # large networks' hinge loss is near zero while the pictures improve
            lasting = last == len(certain) - 1 and np.mean(near_zero[first : last + 1]) > 0.5
            text = _win_text(windows.median, generator, first, last, objective)
            yield _observe("critical" if lasting else "warning", windows, first, last, text, d)


def _wins_for_any_loss(d: Floats, g: Floats, first: float) -> Mask:
    """Windows in which D's and G's loss, for what they are and against their own start, say that D has won.

    D's near zero even for hinge; or cross-entropy's levels of both; or least squares': D's near zero and G's where no
    image passes, or D's low and a small part of what it began with, while G's has risen.
    """
    beginning = max(1, round(START_FRACTION * len(d)))
    d_start, g_start = d[:beginning].max(), g[:beginning].min()
    cross_entropy = (d < CROSS_ENTROPY.d_certain_below) & (g > CROSS_ENTROPY.g_loses_above)
    any_loss = (d < HINGE.d_wins_below) & (g > REJECTED_LEAST_SQUARES_G[0])
    least_squares = (d < LEAST_SQUARES.d_wins_below) & (g > REJECTED_LEAST_SQUARES_G[0])
    least_squares &= g < REJECTED_LEAST_SQUARES_G[1]
    fallen = (d < LEAST_SQUARES.d_certain_below) & (d < D_FALLEN * d_start)
    relative = fallen & (g > LEAST_SQUARES.g_loses_above) & (g > G_RISEN * max(g_start, 0.0))
    return any_loss | cross_entropy | least_squares | relative | _rejected(d, g, first)


def _rejected(d: Floats, g: Floats, first: float) -> Mask:
    """Windows in which G's cross-entropy has risen from its lowest to where nothing passes.

    Meanwhile D's, which began with ``first``, has halved, or is at its floor. Where labels are smoothed to 0.9 on one
    side, as is usual, that is the entropy of 0.9 rather than 0.
    """
    beginning = max(1, round(START_FRACTION * len(d)))
    risen = (g > REJECTED_G) & (g > REJECTED_G_RISEN * np.maximum(np.minimum.accumulate(g), 0.0))
    at_floor = (np.abs(d - SMOOTHED_FLOOR) < FLOOR_TOLERANCE) & (g > CROSS_ENTROPY.g_loses_above)
    # A sum of both halves begins with 2 log 2, a mean with log 2.
    guessing = CROSS_ENTROPY.d_guessing * (1.0 if first > SUM_OF_HALVES * CROSS_ENTROPY.d_guessing else 0.5)
    return (risen & (d < D_HALVED * min(d[:beginning].max(), guessing))) | at_floor


def _wins_while_pictures_get_worse(run: Run, windows: Windows, objective: Objective) -> Mask:
    """Windows in which D's hinge loss is near zero, as in large networks in good health, but a metric gets worse."""
    if objective.name != HINGE.name:
        return np.zeros(len(windows.median), dtype=np.bool_)
    return (windows.median < HINGE_NEAR_ZERO) & worse_than_best(run, windows)


def _wins_by_accuracy(run: Run, windows: Windows, g: Floats) -> Mask:
    """Windows in which D errs on one image in twenty at most, and G's loss has risen."""
    none = np.zeros(len(g), dtype=np.bool_)
    curve = run.curves.get("D/accuracy", run.curves.get("accuracy"))
    if curve is None or (accuracy := curve.medians_at(windows)) is None:
        return none
    if accuracy.max() > 1:
        accuracy = accuracy / 100
    beginning = max(1, round(START_FRACTION * len(g)))
    return (accuracy > SURE_ACCURACY) & (g > G_RISEN * g[:beginning].min()) & (g > SURE_G)


def _outputs_allow_a_win(run: Run, windows: Windows) -> Mask:
    """Where D's outputs, if they were logged as probabilities, do not say that images still pass."""
    allowed = np.ones(len(windows.median), dtype=np.bool_)
    fake, real = run.curves.get("D/fake"), run.curves.get("D/real")
    for curve in (fake, real):
        if curve is None or not len(curve.values) or curve.values.min() < 0 or curve.values.max() > 1:
            return allowed
    assert fake is not None
    passing = fake.medians_at(windows)
    return allowed if passing is None else passing < PASSING


def _win_text(d: Floats, g: Floats | None, first: int, last: int, objective: Objective) -> str:
    part = slice(first, last + 1)
    text = (
        f"D's loss has a median of {readable(np.median(d[part]), 2)} for {percent(last + 1 - first, len(d))} of the run"
    )
    if objective is not UNKNOWN:
        text += f", where guessing would give {readable(objective.scale, 2)}"
    elif first > 0:
        text += f", after {readable(np.max(d[:first]), 2)} at most"
    if g is not None:
        text += f"; G's loss is {readable(np.median(g[part]), 2)}"
        if first > 0:
            text += f", after {readable(np.min(g[:first]), 2)} at least"
    return f"{text}."


def generator_wins(run: Run, objective: Objective) -> Iterator[Observation]:
    for d, g in run.adversarial_losses():
        if (windows := d.windows) is None or g is None or (generator := g.medians_at(windows)) is None:
            continue
        fooled = (windows.median > WORSE_THAN_GUESSING * objective.d_guessing) & (generator < objective.g_wins_below)
        for first, last in sustained_spans(fooled):
            part = slice(first, last + 1)
            text = (
                f"D's loss has a median of {readable(np.median(windows.median[part]), 2)}, worse than guessing "
                f"({readable(objective.d_guessing, 2)}), while G's is {readable(np.median(generator[part]), 2)}: "
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


def discriminator_learns_nothing(run: Run, objective: Objective) -> Iterator[Observation]:
    """From the start on: late in a training of its own D may fail to tell images apart because they are good.

    Not of a critic, whose outputs have no scale, nor where D judges an autoencoder's codes, which may be the prior's.
    """
    real, fake = run.curves.get("D/real"), run.curves.get("D/fake")
    if real is None or fake is None or "loss/reconstruction" in run.curves or not objective.bounded:
        return
    if objective is UNKNOWN and any(d.values.min(initial=0) < 0 for d, _ in run.adversarial_losses()):
        return
    if (windows := real.windows) is None or (generated := fake.medians_at(windows)) is None:
        return
    same = np.abs(windows.median - generated) < INDISTINCT
    if min(same.mean(), same[: max(1, len(same) // 3)].mean()) < INDISTINCT_SHARE:
        return
    first, last = np.flatnonzero(same)[[0, -1]]
    text = (
        f"D's mean output is {readable(np.median(windows.median), 2)} for real images and "
        f"{readable(np.median(generated), 2)} for generated ones, less than {INDISTINCT} apart for "
        f"{percent(int(same.sum()), len(same))} of the run, from its beginning: it tells nothing apart."
    )
    yield _observe("critical", windows, int(first), int(last), text, real)


def vanished_gradient(run: Run, objective: Objective) -> Iterator[Observation]:
    yield from _vanished(run)
    for d, g in run.adversarial_losses():
        if objective.saturating and g is not None and (windows := g.windows) is not None:
            flat = np.abs(windows.median) < FLAT_LOSS
            for first, last in sustained_spans(flat):
                value = np.median(windows.median[first : last + 1])
                text = f"G's minimax loss is {readable(value, 2)}: where D is so sure, "
                text += "it is flat and its gradient near zero."
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
            text = f"The gradient's norm ({tag}) fell from {readable(early, 2)} to {readable(value, 2)}."
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
                    f"D's loss was near zero (median {readable(np.median(windows.median[:first]), 2)}), then jumped to "
                    f"{readable(np.median(windows.median[first:]), 2)} and stayed there."
                )
                yield _observe("critical", windows, first, last, text, d)


def _observe(severity: Severity, windows: Windows, first: int, last: int, evidence: str, curve: Curve) -> Observation:
    return Observation(severity, int(windows.start[first]), int(windows.end[last]), evidence, curve.tag)


def _severity(last: int, mask: Mask) -> Severity:
    return "critical" if last == len(mask) - 1 else "warning"
