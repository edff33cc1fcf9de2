"""The step of each row: one column as it is, or an iteration that starts over with each epoch, counted through."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

COMPLETE = 0.9  # of a bar that starts over: the part it had reached when the epoch was complete
MIN_RESTARTS = 0.1  # of the changes of epoch, at which the iteration goes back: it starts over with each

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class EpochSteps(NamedTuple):
    """How an iteration is counted through the epochs."""

    length: float  # iterations of an epoch
    first: float  # the first epoch's number


def count_through_epochs(counter: Floats, epoch: Floats, total: Floats | None = None) -> EpochSteps | None:
    """How to count an iteration that starts over with each epoch; None where it goes on through them.

    ``counter``, ``epoch``: (rows,) in the order of the file, NaN where a row has none; ``total``: what the counter
    runs up to, as in "[12/938]". An epoch is as long as the last iteration in it, plus the interval between
    iterations, minus the first iteration of the next.
    """
    known = np.isfinite(counter) & np.isfinite(epoch)
    counter, number = counter[known], epoch[known]
    if not len(number) or (number % 1 != 0).any():  # fractions of epochs are computed from a step that goes on
        return None
    # Some count epochs from 1; a log that begins later is that of a resumed run.
    first = float(number.min() == 1)
    totals = None if total is None else total[known]
    forward, change = np.diff(counter), np.diff(number)
    later = change > 0
    goes_back = later & (forward <= 0)
    if not later.any():
        length = _common_total(counter, totals)
        return EpochSteps(length, first) if length else None
    if goes_back.sum() < max(1, MIN_RESTARTS * later.sum()):
        return None
    if length := _common_total(counter, totals):
        return EpochSteps(length, first)
    return EpochSteps(_epoch_length(counter, forward, change), first)


def _common_total(counter: Floats, totals: Floats | None) -> float:
    """What the counter runs up to in each epoch; 0 where that is not known."""
    if totals is None or not np.isfinite(totals).any():
        return 0
    total = float(np.nanmedian(totals))
    return total if float(np.mean(counter <= totals)) > 0.5 and total > 0 else 0


def _epoch_length(counter: Floats, forward: Floats, change: Floats) -> float:
    gaps = forward[(change == 0) & (forward > 0)]
    if not len(gaps):  # one row an epoch
        return max(float(np.median(counter)), 1.0) if np.ptp(counter) == 0 else _length_by_regression(counter, change)
    gap = float(np.median(gaps))
    ends = np.flatnonzero(change > 0)
    last, following = counter[ends], counter[ends + 1]
    before = np.concatenate([[np.nan], forward])[ends]
    is_inside = np.concatenate([[False], change == 0])[ends]
    # A last interval that is shorter than the others ends with the epoch.
    with np.errstate(invalid="ignore"):
        shorter = is_inside & (before > 0) & (before < gap)
    length = np.where(shorter, last + (following == 0), (last + gap - following) / change[ends])
    plausible = length[length > 0]
    return max(float(np.round(np.median(plausible))), 1.0) if len(plausible) else float(np.ptp(counter)) + gap


def _length_by_regression(counter: Floats, change: Floats) -> float:
    """Rows at a constant interval, rarer than epochs: counter = a + interval × row − length × epoch."""
    epochs = np.concatenate([[0.0], np.cumsum(change)])
    rows = np.arange(len(counter), dtype=np.float64)
    design = np.stack([np.ones_like(rows), rows, -epochs], 1)
    (_, interval, length), _, rank, _ = np.linalg.lstsq(design, counter, rcond=None)
    if rank == 3 and interval > 0 and length >= 1:
        return float(np.round(length))
    return float(np.ptp(counter)) + 1


def training_counter(counter: Floats, epoch: Floats, is_other: Bools) -> Floats:
    """(rows,) an iteration as the training counts it, also in the rows of another split, which may count their own.

    ``is_other`` (rows,): those rows. One whose number is not the next after that of the training's row before it, in
    the same epoch, stands where that row does. Rows in another order, such as all of a split together, stay.
    """
    known = np.isfinite(counter) & np.isfinite(epoch)
    place = np.maximum.accumulate(np.where(known & ~is_other, np.arange(len(counter)), -1))
    rows = np.flatnonzero(known & is_other & (place >= 0))
    before = place[rows]
    same_epoch = epoch[rows] == epoch[before]
    is_in_turn = len(rows) == 1 or len(np.unique(before)) > 1
    if not len(rows) or not is_in_turn or same_epoch.mean() <= 0.5:
        return counter
    training = np.flatnonzero(known & ~is_other)
    forward = np.diff(counter[training])[np.diff(epoch[training]) == 0]
    gap = np.median(forward[forward > 0]) if (forward > 0).any() else np.inf
    last = counter[before]
    own = same_epoch & ((counter[rows] < last) | (counter[rows] > last + gap))
    result = counter.copy()
    result[rows[own]] = last[own]
    return result


def count_through_bars(counter: Floats, total: Floats) -> Floats:
    """(rows,) the counter of progress bars that follow each other, one an epoch, counted through."""
    known = np.flatnonzero(np.isfinite(counter) & np.isfinite(total))
    values, totals = counter[known], total[known]
    back = np.flatnonzero(np.diff(values) < 0)
    result = counter.copy()
    if len(back) and np.mean(values[back] >= COMPLETE * totals[back]) > 0.5:
        offsets = np.zeros(len(values))
        offsets[back + 1] = totals[back]
        result[known] = values + np.cumsum(offsets)
    return result
