"""The order in which an epoch takes its images: a function of its key, and exact from any position on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
WINDOW_STREAM = 6  # separates the keys of windows from all others


class Order(Protocol):
    """The rows of one epoch."""

    def __getitem__(self, positions: slice, /) -> Rows:
        """From ``positions.start`` on, which is below the number of rows; possibly fewer than up to its stop."""


@dataclass(frozen=True, eq=False)
class Blocks:
    """Rows that lie beside each other on the disk: block k has ``bounds[k]`` … ``bounds[k + 1]`` - 1.

    ``lanes`` of them are read side by side.
    """

    bounds: Rows  # (K + 1,)
    lanes: int

    def of(self, rows: Rows) -> Blocks:
        """The blocks of a selection, given by its sorted ``rows`` and numbered anew."""
        return Blocks(np.unique(np.searchsorted(rows, self.bounds)), self.lanes)


class BlockOrder:
    """Every row once, of few blocks at a time: ``lanes`` random blocks make a window, which takes one random row of
    each block in turn.

    So position p of a window comes from the block p modulo lanes, as long as all blocks have rows left: processes
    that deal out positions between them read different blocks, and no process more than a window's.
    """

    def __init__(self, blocks: Blocks, key: tuple[int, ...]) -> None:
        self._blocks, self._key = blocks, key
        sizes = np.diff(blocks.bounds)
        self._order = generator(*key).permutation(len(sizes))
        starts = np.arange(0, len(sizes), blocks.lanes)
        self._ends = np.cumsum(np.add.reduceat(sizes[self._order], starts))
        self._latest: tuple[int, Rows] = -1, np.empty(0, np.int64)

    def __getitem__(self, positions: slice, /) -> Rows:
        number = int(np.searchsorted(self._ends, positions.start, "right"))
        if self._latest[0] != number:
            self._latest = number, self._window(number)
        begin = int(self._ends[number - 1]) if number else 0
        return self._latest[1][positions.start - begin : positions.stop - begin]

    def _window(self, number: int) -> Rows:
        lanes, bounds = self._blocks.lanes, self._blocks.bounds
        rng = generator(*self._key, WINDOW_STREAM, number)
        chosen = self._order[number * lanes : (number + 1) * lanes]
        parts = [rng.permutation(np.arange(bounds[k], bounds[k + 1])) for k in chosen]
        lane = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        turn = np.concatenate([np.arange(len(part)) for part in parts])
        return np.concatenate(parts)[np.lexsort((lane, turn))]


def epoch_order(n: int, blocks: Blocks | None, key: tuple[int, ...]) -> Order:
    """Of n rows: any permutation, or one by blocks."""
    return generator(*key).permutation(n) if blocks is None else BlockOrder(blocks, key)


def generator(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(list(key)))
