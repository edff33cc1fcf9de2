"""Rules for unstable training, whatever is learned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import isfinite, log

import numpy as np

from ganlib.logs.diagnosis.curves import Curve, Floats, Mask, Restart, Run, Windows, sustained_spans
from ganlib.logs.diagnosis.finding import Observation, Severity
from ganlib.logs.diagnosis.objectives import HINGE, UNKNOWN, WASSERSTEIN, Objective
from ganlib.naming import readable
from ganlib.records import METRICS

MAX_NAMED_TAGS = 3  # tags named in a sentence
MAX_OVERFLOW_FRACTION = 0.05  # of a gradient's values: loss scaling of mixed precision meets them and skips the step

EARLY_FRACTION, LATE_FRACTION = 0.1, 0.1  # of the windows: what the run began with, and how it stands
# Measured, with the loss of guessing as the least level to compare with: no healthy run ends above where it began,
# Chainer's DCGAN ends at 1.9 times, a collapsed cGAN at 36. WGAN-GP's G goes to 5 times in good health.
DIVERGED_RATIO, DIVERGED_RATIO_UNBOUNDED = 10.0, 1000.0

ABSURD_LOSS = 1000.0  # no mean over images of a sound network's outputs is in the thousands
# -log of the least number of single precision, 2⁻¹⁴⁹: a cross-entropy beyond it is of outputs whose probability is 0.
SINGLE_PRECISION_LIMIT = 149 * log(2)
# Two images in [-1, 1] of 3 × 256 × 256 lie 887 apart at most, and a critic of slope 1 cannot tell them apart by more.
LIPSCHITZ_LIMIT = 1000.0
# A critic that answers the same for all images pays nothing but the gradient penalty, 10 (arXiv:1704.00028).
WORTHLESS_CRITIC = 10.0
# Where a cross-entropy is cut off: PyTorch's BCELoss clamps log(0) to -100; others add to a probability or clip it. In
# single precision 1 - 1e-7 is 1 - 2⁻²³, whose complement is 1.19e-7.
LIMITS = (100.0, *(-log(smallest) for smallest in (1e-6, 1e-7, 2**-23, 1e-8, 1e-10, 1e-12)), SINGLE_PRECISION_LIMIT)
LIMIT_TOLERANCE, PRINTED_TOLERANCE = 1e-3, 0.006  # of it, and absolute: losses are printed with two decimals
MIN_STUCK_WINDOWS = 3
MIN_GROWTH = 1.5  # times the first value, of a loss that may have been a sum over pixels from the start

# Measured as the fraction of a curve's variance in its strongest rhythm, harmonics included: at most 0.43 in all logs
# with ten cycles or more (nine in ten below 0.28), at most 0.65 with five to nine, which are harder to tell from drift.
MIN_CYCLES, MANY_CYCLES = 5, 10
MIN_POWER_FRACTION, MIN_POWER_FRACTION_FEW_CYCLES = 0.6, 0.8
MIN_SWING = 0.5  # peak to peak, of the loss's median: smaller ones are no concern
TREND_FRACTION = 0.2  # of the curve: slower movements are trend
MIN_VALUES = 64  # values
ROUNDING = 1e-9  # of a constant curve's own value

# ganhacks, section 10: in a sound run D's loss "has low variance", a failing one "has huge variance and [is] spiking".
# Measured: in healthy runs at most 0.6 % of the values reach five times their window's median and guessing.
SPIKE_RATIO, MIN_SPIKE_FRACTION, MIN_SPIKE_WINDOWS = 5.0, 0.02, 3  # times, fraction of the values, windows
# A likelihood falls from the first step on; twice its start is worse than an untrained network.
RISEN_RATIO = 2.0


def not_finite(run: Run, objective: Objective) -> Iterator[Observation]:
    # A metric that is NaN is an evaluation that failed: impossible_metric says so.
    bad = {tag: curve for tag, curve in run.curves.items() if not curve.finite.all() and tag not in METRICS}
    if not bad:
        return
    steps = {tag: curve.raw_steps[~curve.finite] for tag, curve in bad.items()}
    first = min(bad, key=lambda tag: (steps[tag][0], not tag.startswith("loss"), tag))
    count = sum(len(s) for s in steps.values())
    total = sum(len(curve.finite) for curve in bad.values())
    names = ", ".join([first, *sorted(set(bad) - {first})][:MAX_NAMED_TAGS])
    more = f" and {len(bad) - MAX_NAMED_TAGS} more" if len(bad) > MAX_NAMED_TAGS else ""
    text = f"NaN or infinity in {names}{more}: {count:,} of {total:,} values."
    end = max(int(s[-1]) for s in steps.values())
    yield Observation(
        max((_non_finite_severity(c) for c in bad.values()), key=_SEVERITIES.index),
        int(steps[first][0]),
        end,
        text,
        first,
    )


_SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")


def _non_finite_severity(curve: Curve) -> Severity:
    if curve.tag.startswith("loss"):
        return "warning" if curve.finite[-1] else "critical"
    lasting = curve.tag.startswith("grad/") and np.mean(~curve.finite) > MAX_OVERFLOW_FRACTION
    return "warning" if lasting else "info"


def divergence(run: Run, objective: Objective) -> Iterator[Observation]:
    bounded = _is_bounded(run, objective)
    adversarial = any(True for _ in run.adversarial_losses()) or "loss/G" in run.curves
    for curve in run.losses():
        generator = curve.tag.startswith("loss/G")
        if (windows := curve.windows) is None:
            continue
        if (limit := _limit_of_computation(windows)) is not None:
            text = f"{curve.tag} stays at {limit:.4g}, where a cross-entropy is cut off: the outputs are saturated."
            yield _observe_from(_onset(np.abs(windows.median - limit) > LIMIT_TOLERANCE * limit), windows, text, curve)
            continue
        if generator and not bounded:
            continue
        medians = windows.median if bounded else np.abs(windows.median)
        early = float(np.abs(medians[: max(1, round(EARLY_FRACTION * len(medians)))]).max())
        late = float(np.median(medians[_late(medians)]))
        # An untrained network knows nothing, and a loss may run away within the first rows. G's rises where D wins.
        first = float(np.abs(curve.values[0]))
        usual = max(
            early if generator or not bounded else first, _reference(objective, generator) if adversarial else 0
        )
        if bounded and curve.tag.startswith(("loss/D", "loss/G")) and late > ABSURD_LOSS:
            # A loss of unknown scale may have begun there.
            usual = max(_reference(objective, generator), first if objective is UNKNOWN else 0)
        runaway = 0 < usual * (DIVERGED_RATIO if bounded else DIVERGED_RATIO_UNBOUNDED) < late
        runaway |= _is_out_of_bounds(run, curve, windows, objective, late, early)
        if runaway:
            text = f"{curve.tag} ends at {readable(late)}, after {readable(early)} at most"
            text += (
                f" in the first {100 * EARLY_FRACTION:.0f} % of the run and {readable(curve.values[0])} at its start."
            )
            level = max(usual, early) if late > max(usual, early) else usual
            onset = _onset(medians <= level) if late > level else 0
            yield _observe_from(onset, windows, text, curve)


def _reference(objective: Objective, generator: bool) -> float:
    return max(objective.scale, objective.g_loses_above if generator and isfinite(objective.g_loses_above) else 0.0)


def _late(medians: Floats) -> slice:
    return slice(-max(1, round(LATE_FRACTION * len(medians))), None)


def _onset(sound: Mask) -> int:
    """The first window after the last sound one."""
    return min(int(np.flatnonzero(np.append(True, sound))[-1]), len(sound) - 1)


def _observe_from(onset: int, windows: Windows, text: str, curve: Curve) -> Observation:
    return Observation("critical", int(windows.start[onset]), int(windows.end[-1]), text, curve.tag)


def _limit_of_computation(windows: Windows) -> float | None:
    """The limit at which a loss, or the mean of two of which one is 0, stays to the end; None where it moves."""
    late = slice(-max(MIN_STUCK_WINDOWS, round(LATE_FRACTION * len(windows.median))), None)
    low, high = float(windows.low[late].min()), float(windows.high[late].max())
    for limit in (value * half for value in LIMITS for half in (1.0, 0.5)):
        tolerance = max(LIMIT_TOLERANCE * limit, PRINTED_TOLERANCE)
        if abs(low - limit) <= tolerance and abs(high - limit) <= tolerance:
            return limit
    return None


def _is_out_of_bounds(
    run: Run, curve: Curve, windows: Windows, objective: Objective, late: float, early: float
) -> bool:
    """Whether a loss ends where that of a sound network cannot be, wherever it began."""
    if not curve.tag.startswith(("loss/D", "loss/G")):
        return False
    if objective.name == WASSERSTEIN.name or (objective is UNKNOWN and not _is_bounded(run, objective)):
        worthless = float(np.median(windows.median[_late(windows.median)])) > DIVERGED_RATIO * WORTHLESS_CRITIC
        return (worthless and objective is not UNKNOWN) or late > max(LIPSCHITZ_LIMIT, DIVERGED_RATIO * early)
    return late > SINGLE_PRECISION_LIMIT and _outputs_exploded(run, curve, late)


def _outputs_exploded(run: Run, curve: Curve, late: float) -> bool:
    """D's outputs, as they were logged or by its loss, leave the probabilities of single precision.

    Its loss is no sum over pixels; it ends near zero, or the outputs are no critic's, whose loss is their difference.
    """
    for d, g in run.adversarial_losses():
        if curve not in (d, g) or d.windows is None:
            continue
        end = float(np.median(d.windows.median[_late(d.windows.median)]))
        outputs = [run.curves[tag].values for tag in ("D/real", "D/fake") if tag in run.curves]
        if len(outputs) == 2:
            real, fake = (float(np.median(values[_late(values)])) for values in outputs)
            if max(abs(real), abs(fake)) > SINGLE_PRECISION_LIMIT and end < 0.5 * abs(real - fake):
                return True
        if end < HINGE.d_wins_below and curve is g:
            return bool(d.values.max() > SINGLE_PRECISION_LIMIT or late > MIN_GROWTH * abs(curve.values[0]))
    return False


def oscillation(run: Run, objective: Objective) -> Iterator[Observation]:
    rate_cycles = any(_dominant_cycle(curve.values) is not None for curve in _learning_rates(run))
    bounded = _is_bounded(run, objective)
    for curve in run.losses():
        if curve.tag.startswith("loss/G") and not bounded:
            continue
        n = len(curve.values)
        for part in (slice(0, n), slice(n // 2, n), slice(0, n // 2)):
            values = curve.values[part]
            if (cycle := _dominant_cycle(values)) is None:
                continue
            cycles, height = cycle
            if height <= MIN_SWING * abs(np.median(values)):
                continue
            steps = curve.steps[part]
            text = f"{curve.tag} swings {cycles} times by {readable(height, 2)} around {readable(np.median(values), 2)}"
            text += ", and the learning rate swings too." if rate_cycles else "."
            yield Observation("info" if rate_cycles else "warning", int(steps[0]), int(steps[-1]), text, curve.tag)
            break


def _dominant_cycle(values: Floats) -> tuple[int, float] | None:
    """Cycles and peak-to-peak height of what dominates a curve's movements around its own running mean."""
    n = len(values)
    if n < MIN_VALUES or n // 4 <= MIN_CYCLES:
        return None
    clipped = np.clip(values, *np.quantile(values, [0.01, 0.99]))  # else one spike is all frequencies
    if not (largest := float(np.abs(clipped).max())):
        return None
    clipped /= largest  # squares of a diverged loss leave float64
    half = int(TREND_FRACTION * n) // 2
    sums = np.concatenate([[0.0], np.cumsum(clipped)])
    low, high = np.maximum(np.arange(n) - half, 0), np.minimum(np.arange(n) + half + 1, n)
    detrended = clipped - (sums[high] - sums[low]) / (high - low)
    power = np.abs(np.fft.rfft(detrended)) ** 2
    if power.sum() <= (ROUNDING * n) ** 2:
        return None
    strongest = MIN_CYCLES + int(power[MIN_CYCLES : n // 4].argmax())
    band = np.zeros(len(power), dtype=np.bool_)
    for harmonic in (strongest, 2 * strongest, 3 * strongest):
        width = max(1, strongest // 10)
        band[harmonic - width : harmonic + width + 1] = True
    band_power = power[band].sum()
    if band_power < (MIN_POWER_FRACTION if strongest >= MANY_CYCLES else MIN_POWER_FRACTION_FEW_CYCLES) * power.sum():
        return None
    return strongest, float(largest * 2 * np.sqrt(2 * 2 * band_power) / n)  # of a sine of that variance, 2 within / n²


def learning_rate_too_high(run: Run, objective: Objective) -> Iterator[Observation]:
    if not _is_bounded(run, objective):
        return
    has_adversary = any(True for _ in run.adversarial_losses())
    for curve in run.losses():
        adversarial = curve.tag.startswith("loss/D")
        if (windows := curve.windows) is None or (has_adversary and not adversarial):  # G's loss follows D's
            continue
        yield from _spikes(run, curve, windows, objective.scale if adversarial else 0.1 * abs(windows.median[0]))
        if not adversarial and windows.median[0] > 0:
            above = windows.median > RISEN_RATIO * windows.median[0]
            for first, last in sustained_spans(above):
                top = windows.median[first : last + 1].max()
                text = f"{curve.tag} began at {readable(windows.median[0])} and rose to {readable(top)}"
                text += f"{_learning_rate_text(run)}."
                yield Observation("warning", int(windows.start[first]), int(windows.end[last]), text, curve.tag)


def _spikes(run: Run, curve: Curve, windows: Windows, reference: float) -> Iterator[Observation]:
    usual = np.maximum(windows.median, reference)[curve.window_index]
    spikes = curve.values > SPIKE_RATIO * usual
    if spikes.mean() >= MIN_SPIKE_FRACTION and len(np.unique(curve.window_index[spikes])) >= MIN_SPIKE_WINDOWS:
        steps, count = curve.steps[spikes], int(spikes.sum())
        text = (
            f"{curve.tag} spikes above {SPIKE_RATIO:.0f} times its usual value in {count:,} of {len(spikes):,} values"
        )
        text += f", up to {readable(curve.values.max())}{_learning_rate_text(run)}."
        yield Observation("warning", int(steps[0]), int(steps[-1]), text, curve.tag)


def _learning_rate_text(run: Run) -> str:
    """ " (lr 0.0002)"."""
    highest = [f"{curve.tag} {readable(curve.values.max(), 2)}" for curve in _learning_rates(run)]
    return f" ({', '.join(highest)})" if highest else ""


def _learning_rates(run: Run) -> list[Curve]:
    return [curve for tag, curve in run.curves.items() if tag.split("/")[0] == "lr" and len(curve.values)]


def log_restarted(run: Run, objective: Objective) -> Iterator[Observation]:
    texts = Counter((_restart_text(restart), restart.to_step, restart.from_step) for restart in run.restarts)
    for (text, to_step, from_step), count in texts.items():
        times = f" ({count} times)" if count > 1 else ""
        yield Observation(
            "info", to_step, from_step, f"The log goes back from {from_step:,} to {to_step:,}{times}{text}", ""
        )


def _restart_text(restart: Restart) -> str:
    if restart.to_step <= restart.first_step:
        return ", where it began: this is a second training in one log, and the first is left out here."
    return ": the training was resumed, and what was written twice counts as it was written last."


def _is_bounded(run: Run, objective: Objective) -> bool:
    """Whether the losses have a floor and a scale; an unknown one that falls below zero may be a critic's."""
    if objective is UNKNOWN:
        return all(d.values.min(initial=0) >= 0 for d, _ in run.adversarial_losses())
    return objective.bounded
