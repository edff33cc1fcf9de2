"""Numbers in rows under names -> scalars: which of the names is the step, which the time, which the rest."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganlib.logs.frame import Scalars, Unit
from ganlib.logs.readers.source import Source, seconds
from ganlib.logs.tags import BATCHES, EPOCHS, IMAGES, STEPS, WALLS, canonical_all, plain

MIN_UNIX_TIME = 1e8  # Unix seconds; a smaller time counts from the start of the run
LARGEST = 2**53  # a float64 step beyond it is no longer exact


class Cells(NamedTuple):
    """The cells that were logged, name by name and in each name from the first row to the last."""

    names: list[str]
    code: NDArray[np.int32]  # index in names
    row: NDArray[np.int32]
    value: NDArray[np.float64]
    lines: NDArray[np.int64]  # (rows,) where each row stands in the file
    run: str = ""

    def bounds(self, name: str) -> slice:
        place = self.names.index(name)
        first, end = np.searchsorted(self.code, [place, place + 1])
        return slice(int(first), int(end))

    def column(self, name: str) -> NDArray[np.float64]:
        """(rows,) with NaN where nothing was logged."""
        here = self.bounds(name)
        column = np.full(len(self.lines), np.nan)
        column[self.row[here]] = self.value[here]
        return column


class Axes(NamedTuple):
    """What counts the rows. A follower keeps it, so that later lines are read as the first ones were."""

    step: str | None  # None: the rows themselves
    unit: Unit = "steps"
    scale: float = 1
    epoch: str | None = None  # where the step starts over in each
    length: float = 0  # of an epoch, in steps
    first: int = 0  # line of the first row, or the first epoch


def scalars(cells: Cells, source: Source) -> Scalars:
    key = f"axes of {cells.run}"
    axes: Axes = source.memory.get(key) or find_axes(cells, source)
    source.memory[key] = axes
    step = _steps(cells, axes, source)
    code, row, value = cells.code, cells.row, cells.value
    usable = np.isfinite(step) & (np.abs(step) < LARGEST)
    for unknown in np.flatnonzero(~usable):
        source.skip(int(cells.lines[unknown]), "the row has no step")
    wall_name, wall = _walls(cells)
    axis = {axes.step, wall_name}
    tags = canonical_all(cells.names, source.dialect)
    keep = usable[cells.row]
    for name in cells.names:
        if name in axis:
            keep[cells.bounds(name)] = False
    scale = np.array([tag.scale for tag in tags])
    if (scale != 1).any():
        value = value * scale[code]
    if not keep.all():
        code, row, value = code[keep], row[keep], value[keep]
    # Names whose cells all went with the axes are no tags of the frame.
    used = np.flatnonzero(np.bincount(code, minlength=len(tags))) if len(code) else np.empty(0, np.int64)
    places = np.zeros(len(tags), np.int32)
    places[used] = np.arange(len(used))
    whole = np.zeros(len(step), np.int64)
    whole[usable] = np.round(step[usable])
    return Scalars(
        [cells.names[place] for place in used],
        [tags[place].name for place in used],
        places[code],
        row,
        whole[row],
        wall[row],
        value,
        unit=axes.unit,
        run=cells.run,
    )


def find_axes(cells: Cells, source: Source) -> Axes:
    """The column given by the user, else one of a known name, else one that counts up, else the rows themselves."""
    by_name = {plain(name): name for name in reversed(cells.names)}
    if source.step is not None:
        name = source.step if source.step in cells.names else by_name.get(plain(source.step))
        if name is None:
            raise source.error(f"it has no column {source.step!r}, only {', '.join(cells.names[:20])}")
        known = plain(name)
        unit: Unit = "images" if known in IMAGES else "epochs" if known in EPOCHS else "steps"
        return Axes(name, unit, IMAGES.get(known, 1))
    epoch = next((by_name[known] for known in EPOCHS if known in by_name), None)
    for known in (*STEPS, *(BATCHES if epoch else ())):
        if (name := by_name.get(known)) and _counts(column := cells.column(name)):
            if epoch and (length := _epoch_length(column, epochs := cells.column(epoch))):
                # Some count epochs from 1; a log that begins later is that of a resumed run.
                return Axes(name, epoch=epoch, length=length, first=int(np.nanmin(epochs) == 1))
            return Axes(name)
    for known, scale in IMAGES.items():
        if (name := by_name.get(known)) and _counts(cells.column(name), whole=False):
            return Axes(name, "images", scale)
    if epoch:
        column = cells.column(epoch)
        if _counts(column) and not _repeats(cells, column, epoch):
            return Axes(epoch, "epochs")
    for name in cells.names:
        if plain(name).startswith(("unnamed", "column_")) or plain(name) in ("", "index"):
            column = cells.column(name)
            if _counts(column) and len(column) > 1 and (np.diff(column) > 0).all():
                return Axes(name)
    return Axes(None, first=int(cells.lines[0]) + source.first_line if len(cells.lines) else 0)


def _repeats(cells: Cells, epoch: NDArray[np.float64], name: str) -> bool:
    """Whether scalars were logged several times in most epochs, so that the epoch alone is no step."""
    counts = np.bincount(cells.code, minlength=len(cells.names))
    counts[cells.names.index(name)] = 0
    rows = cells.row[cells.bounds(cells.names[int(counts.argmax())])]
    return len(rows) > 1 and bool(np.mean(np.diff(epoch[rows]) == 0) >= 0.5)


def _steps(cells: Cells, axes: Axes, source: Source) -> NDArray[np.float64]:
    if axes.step is None:
        return (cells.lines + source.first_line - axes.first).astype(np.float64)
    if axes.step not in cells.names:
        return np.full(len(cells.lines), np.nan)
    step = cells.column(axes.step) * axes.scale
    if axes.epoch and axes.epoch in cells.names:
        step = step + (cells.column(axes.epoch) - axes.first) * axes.length
    return step


def _counts(column: NDArray[np.float64], whole: bool = True) -> bool:
    """Whether at least half the rows have a number there, and these can be steps."""
    known = column[np.abs(column) < LARGEST]
    if len(known) * 2 < len(column) or not len(known):
        return False
    return not whole or bool((known % 1 == 0).all())


def _epoch_length(step: NDArray[np.float64], epoch: NDArray[np.float64]) -> float:
    """Steps per epoch where the step starts over whenever the epoch goes up by one; else 0."""
    known = np.isfinite(step) & np.isfinite(epoch)
    step, epoch = step[known], epoch[known]
    change = np.diff(epoch) > 0
    if not change.any() or (np.diff(step)[change] > 0).any():
        return 0
    gaps = np.diff(step)[np.diff(epoch) == 0]
    gap = float(np.median(gaps[gaps > 0])) if (gaps > 0).any() else 1.0
    return float(step.max() - step.min()) + gap


def _walls(cells: Cells) -> tuple[str | None, NDArray[np.float64]]:
    by_name = {plain(name): name for name in reversed(cells.names)}
    for known in WALLS:
        if name := by_name.get(known):
            column = cells.column(name)
            latest = np.nanmax(np.abs(column), initial=0) if np.isfinite(column).any() else 0
            if MIN_UNIX_TIME < latest < np.inf:
                return name, column * (seconds(float(latest)) / latest)
    return None, np.full(len(cells.lines), np.nan)
