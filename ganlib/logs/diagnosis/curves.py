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

WINDOWS = 50  # 2 % of the run each: shorter than any state worth a finding, long enough for a median
POINTS = 4  # of a window, on average
FEWEST = 6  # windows: with fewer the run is too young to say anything
SUSTAINED, LEAST = 0.1, 3  # of the windows, and windows: what is over sooner was a phase, not a state
REWRITTEN = 3  # steps in a later segment: fewer are a restart of which nothing can be said yet, or one row amiss

DUEL = re.compile(r"loss/D(/\d+)?")
LOSS = re.compile(r"loss(/(D|G|E|GE|total|train|classify|denoise))?(/\d+)?")


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
    def place(self) -> NDArray[np.int64]:
        """(n,) the window of each finite value, counted from 0 without gaps."""
        steps = self.steps
        count = min(WINDOWS, len(steps) // POINTS)
        if count < FEWEST or steps[-1] == steps[0]:
            return np.empty(0, np.int64)
        along = steps.astype(np.float64) - float(steps[0])  # in float64, because products of steps may leave int64
        window = np.minimum(along * count // along[-1], count - 1)
        return np.cumsum(np.diff(window, prepend=0.0) > 0)

    @cached_property
    def windows(self) -> Windows | None:
        """None where the curve is too short."""
        if not len(self.place):
            return None
        first = np.searchsorted(self.place, np.arange(self.place[-1] + 1))
        last = np.append(first[1:], len(self.steps)) - 1
        ordered = self.values[np.lexsort((self.values, self.place))]
        start, end = self.steps[first], self.steps[last]
        low, median, high = ordered[first], ordered[(first + last) // 2], ordered[last]
        return Windows(start, end, start / 2 + end / 2, last + 1 - first, low, median, high)

    def medians_at(self, windows: Windows) -> Floats | None:
        """This curve's medians in the middle of another's windows."""
        own = self.windows
        return None if own is None else np.interp(windows.middle, own.middle, own.median)


class Restart(NamedTuple):
    """A log went back from ``left`` to ``again``; ``first`` is where the run began."""

    first: int
    again: int
    left: int


@dataclass(frozen=True)
class Run:
    name: str
    curves: dict[str, Curve]
    restarts: list[Restart]

    def duels(self) -> Iterator[tuple[Curve, Curve | None]]:
        """D's losses, one per level of a pyramid, and the G's that play against them."""
        for tag, curve in self.curves.items():
            if DUEL.fullmatch(tag):
                yield curve, self.curves.get(tag.replace("/D", "/G"))

    def losses(self) -> Iterator[Curve]:
        """What is minimised; its parts and penalties may well rise while the whole falls."""
        return (curve for tag, curve in self.curves.items() if LOSS.fullmatch(tag))


def runs(frame: pd.DataFrame) -> Iterator[Run]:
    """The runs of a frame in its order. Where a log went back, the steps written anew replace the earlier ones."""
    for name, rows in frame.groupby("run", observed=True, sort=False):
        groups = rows.groupby("tag", observed=True).indices
        tags = {str(tag): np.asarray(places, dtype=np.int64) for tag, places in groups.items()}
        steps = rows["step"].to_numpy(np.int64)
        values = rows["value"].to_numpy(np.float64)
        if "segment" in rows:
            segments = rows["segment"].to_numpy(np.int64)
        else:
            segments = np.zeros(len(rows), np.int64)
            for places in tags.values():
                segments[places[1:]] = np.cumsum(np.diff(steps[places]) < 0)
        often = max(tags.values(), key=len, default=np.empty(0, np.int64))
        limit, restarts = _rewritten(segments, steps, often)
        kept = steps < limit
        curves = {}
        for tag, places in sorted(tags.items()):
            places = places[kept[places]]
            places = places[np.argsort(steps[places], kind="stable")]
            if len(places):
                curves[tag] = Curve(tag, steps[places], values[places])
        yield Run(str(name), curves, restarts)


def stretches(mask: Mask) -> Iterator[tuple[int, int]]:
    """First and last window of each state that lasts, over single windows without it."""
    least = max(LEAST, int(np.ceil(SUSTAINED * len(mask))))
    bridged = mask.copy()
    bridged[1:-1] |= mask[:-2] & mask[2:]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], bridged, [False]]).astype(np.int8)))
    for first, after in edges.reshape(-1, 2).tolist():
        if after - first >= least:
            yield first, after - 1


def _rewritten(segments: Steps, steps: Steps, often: NDArray[np.int64]) -> tuple[Steps, list[Restart]]:
    """(n,) the step from which each row was written anew by a later segment, and where the log went back.

    The tag that was logged most ``often`` decides: a metric goes back where an old checkpoint is measured once more.
    """
    limit = np.full(len(steps), np.iinfo(np.int64).max)
    restarts: list[Restart] = []
    for number in np.unique(segments[often])[1:]:
        own, before = steps[often[segments[often] == number]], steps[often[segments[often] < number]]
        if len(np.unique(own)) >= REWRITTEN and own.min() <= before.max():
            earlier = segments < number
            limit[earlier] = np.minimum(limit[earlier], own.min())
            restarts.append(Restart(int(before.min()), int(own.min()), int(before.max())))
    return limit, restarts
