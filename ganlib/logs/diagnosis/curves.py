"""The curves of a run, cut into windows of equal numbers of steps: medians that no single spike moves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Steps = NDArray[np.int64]
Mask = NDArray[np.bool_]

MAX_WINDOWS = 50  # 2 % of the run each: shorter than any state worth a finding, long enough for a median
POINTS_PER_WINDOW = 4  # at least, on average
MIN_WINDOWS = 5  # with fewer the run is too short to diagnose
MIN_SPAN_FRACTION, MIN_SPAN_WINDOWS = 0.1, 3  # of all windows, and windows: anything shorter is a passing phase
MIN_RESTART_STEPS = 3  # in a later segment: fewer are a restart that just began, or one misplaced row

# Stretches of one value, repeated row by row: at least so many, of lengths that differ by no more than this, or by one
# row where the interval of rows is no divisor of an epoch's. Fewer, or others, are a curve that stands still by itself.
MIN_BLOCKS, MIN_REGULAR_BLOCKS, BLOCK_TOLERANCE, MIN_UNEVEN_BLOCK = 3, 0.7, 0.1, 4

D_LOSS = re.compile(r"loss/D(/\d+|/[A-Z])?|(loss_)?[Dd]_[A-Z](_loss)?")  # of a pyramid's levels or CycleGAN's domains
# Halves of D's loss on real and generated images, and G's loss: of many tools, and of Brownlee's tutorials.
HALVES = (("loss/D/real", "loss/D/fake", "loss/G"), ("d1", "d2", "g"))
MINIMISED_LOSS = re.compile(r"loss(/(D|G|E|GE|total|train|classify|denoise))?(/\d+)?")


class Windows(NamedTuple):
    """(w,) each: first and last step, middle, number of values, and the lowest, median and highest of them."""

    start: Steps
    end: Steps
    middle: Floats
    size: Steps
    low: Floats
    median: Floats
    high: Floats


@dataclass(frozen=True)
class Curve:
    """One tag of one run, by step; ``raw_steps`` and ``raw_values`` have the values that are not finite too."""

    tag: str
    raw_steps: Steps
    raw_values: Floats

    @cached_property
    def finite(self) -> Mask:
        return np.isfinite(self.raw_values)

    @cached_property
    def steps(self) -> Steps:
        return self.raw_steps[self.finite]

    @cached_property
    def values(self) -> Floats:
        return self.raw_values[self.finite]

    @cached_property
    def window_index(self) -> NDArray[np.int64]:
        """(n,) the window of each finite value, counted from 0 without gaps."""
        steps = self.steps
        count = min(MAX_WINDOWS, len(steps) // POINTS_PER_WINDOW)
        if count < MIN_WINDOWS or steps[-1] == steps[0]:
            return np.empty(0, np.int64)
        offset = steps.astype(np.float64) - float(steps[0])  # in float64, because products of steps may leave int64
        window = np.minimum(offset * count // offset[-1], count - 1)
        return np.cumsum(np.diff(window, prepend=0.0) > 0)

    @cached_property
    def windows(self) -> Windows | None:
        """None where the curve is too short."""
        if not len(self.window_index):
            return None
        first = np.searchsorted(self.window_index, np.arange(self.window_index[-1] + 1))
        last = np.append(first[1:], len(self.steps)) - 1
        ordered = self.values[np.lexsort((self.values, self.window_index))]
        start, end = self.steps[first], self.steps[last]
        low, median, high = ordered[first], ordered[(first + last) // 2], ordered[last]
        return Windows(start, end, start / 2 + end / 2, last + 1 - first, low, median, high)

    def medians_at(self, windows: Windows) -> Floats | None:
        """This curve's medians in the middle of another's windows."""
        own = self.windows
        return None if own is None else np.interp(windows.middle, own.middle, own.median)


def _generator_letter(match: re.Match[str]) -> str:
    return "G" if match[0] == "D" else "g"


class Restart(NamedTuple):
    """A log went back from ``from_step`` to ``to_step``; the run began at ``first_step``."""

    first_step: int
    to_step: int
    from_step: int


@dataclass(frozen=True)
class Run:
    name: str
    curves: dict[str, Curve]
    restarts: list[Restart]

    def adversarial_losses(self) -> Iterator[tuple[Curve, Curve | None]]:
        """Pairs of D's and G's loss; several for a pyramid, one per level, and for CycleGAN, one per domain."""
        for tag, curve in self.curves.items():
            if D_LOSS.fullmatch(tag):
                yield curve, self.curves.get(re.sub(r"(?<![A-Za-z])[Dd](?=[_/]|$)", _generator_letter, tag, count=1))
        if "loss/D" not in self.curves:
            for real, fake, generator in HALVES:
                if (both := self._sum(real, fake)) is not None:
                    yield both, self.curves.get(generator)

    def _sum(self, real: str, fake: str) -> Curve | None:
        """D's loss as the sum of its halves, under the tag of the first."""
        first, second = self.curves.get(real), self.curves.get(fake)
        if first is None or second is None or not np.array_equal(first.raw_steps, second.raw_steps):
            return None
        return Curve(real, first.raw_steps, first.raw_values + second.raw_values)

    @property
    def first_step(self) -> int:
        return min((int(curve.raw_steps[0]) for curve in self.curves.values()), default=0)

    @property
    def last_step(self) -> int:
        """Where the training ended, by its most logged curve: others may count in images."""
        most_logged = max(self.curves.values(), key=lambda curve: len(curve.raw_steps), default=None)
        return int(most_logged.raw_steps[-1]) if most_logged else 0

    def losses(self) -> Iterator[Curve]:
        """The minimised losses, not their parts and penalties: those may rise while the sum falls."""
        return (curve for tag, curve in self.curves.items() if MINIMISED_LOSS.fullmatch(tag))


def split_runs(frame: pd.DataFrame) -> Iterator[Run]:
    """The runs of a frame in its order. Where a log went back, the steps written anew replace the earlier ones."""
    for name, rows in frame.groupby("run", observed=True, sort=False):
        groups = rows.groupby("tag", observed=True).indices
        tags = {str(tag): np.asarray(positions, dtype=np.int64) for tag, positions in groups.items()}
        steps = rows["step"].to_numpy(np.int64)
        values = rows["value"].to_numpy(np.float64)
        if "segment" in rows:
            segments = rows["segment"].to_numpy(np.int64)
        else:
            segments = np.zeros(len(rows), np.int64)
            for positions in tags.values():
                segments[positions[1:]] = np.cumsum(np.diff(steps[positions]) < 0)
        most_logged = max(tags.values(), key=len, default=np.empty(0, np.int64))
        limit, restarts = _find_restarts(segments, steps, most_logged)
        current = steps < limit
        curves = {}
        for tag, positions in sorted(tags.items()):
            positions = positions[current[positions]]
            positions = positions[np.argsort(steps[positions], kind="stable")]
            if len(positions):
                positions = positions[_without_repeats(values[positions])]
                curves[tag] = Curve(tag, steps[positions], values[positions])
        yield Run(str(name), curves, restarts)


def _without_repeats(values: Floats) -> NDArray[np.int64]:
    """Positions that keep one row an epoch (or tick, or evaluation) of values repeated on every row until the next.

    What stays longer than that at one value keeps a row for each such time, so that it still is a stretch.
    """
    same = (values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))
    starts = np.flatnonzero(np.concatenate([[True], ~same]))
    lengths = np.diff(np.append(starts, len(values)))
    usual = int(np.median(lengths))
    regular = np.abs(lengths - usual) <= max(BLOCK_TOLERANCE * usual, usual >= MIN_UNEVEN_BLOCK)
    if len(starts) < MIN_BLOCKS or usual < 2 or regular.mean() < MIN_REGULAR_BLOCKS:
        return np.arange(len(values))
    offset = np.arange(len(values)) - np.repeat(starts, lengths)
    return np.flatnonzero(offset % usual == 0)


def sustained_spans(mask: Mask, *, begun: bool = False) -> Iterator[tuple[int, int]]:
    """First and last window of each sustained stretch of a mask, gaps of single windows included.

    ``begun``: a stretch that reaches the end may have begun a few windows ago.
    """
    min_length = max(MIN_SPAN_WINDOWS, int(np.ceil(MIN_SPAN_FRACTION * len(mask))))
    bridged = mask.copy()
    bridged[1:-1] |= mask[:-2] & mask[2:]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], bridged, [False]]).astype(np.int8)))
    for first, after in edges.reshape(-1, 2).tolist():
        if after - first >= (MIN_SPAN_WINDOWS if begun and after == len(mask) else min_length):
            yield first, after - 1


def _find_restarts(segments: Steps, steps: Steps, most_logged: NDArray[np.int64]) -> tuple[Steps, list[Restart]]:
    """(n,) the step from which each row was written anew by a later segment, and where the log went back.

    The most logged tag decides: a metric goes back where an old checkpoint is evaluated once more.
    """
    limit = np.full(len(steps), np.iinfo(np.int64).max)
    restarts: list[Restart] = []
    logged_steps, logged_segments = steps[most_logged], segments[most_logged]
    for number in np.unique(logged_segments)[1:]:
        later, before = logged_steps[logged_segments == number], logged_steps[logged_segments < number]
        if len(np.unique(later)) >= MIN_RESTART_STEPS and later.min() <= before.max():
            earlier = segments < number
            limit[earlier] = np.minimum(limit[earlier], later.min())
            restarts.append(Restart(int(before.min()), int(later.min()), int(before.max())))
    return limit, restarts
