"""Numbers in rows under names -> scalars: which of the names is the step, which the wall time, which a tag."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganlib.logs.frame import Scalars, Unit
from ganlib.logs.readers.source import Source, to_seconds
from ganlib.logs.tags import (
    BATCH_NAMES,
    EPOCH_NAMES,
    IMAGE_NAMES,
    STEP_NAMES,
    WALL_TIME_NAMES,
    canonical_tags,
    normalize_name,
)

MIN_UNIX_TIME = 1e8  # seconds; a smaller time counts from the start of the run
MAX_STEP = 2**53  # a float64 step beyond it is not exact


class Cells(NamedTuple):
    """The cells of a table that are not blank, sorted by column, then by row."""

    names: list[str]  # of the columns
    code: NDArray[np.int32]  # index in names
    row: NDArray[np.int32]
    value: NDArray[np.float64]
    lines: NDArray[np.int64]  # (rows,) line numbers in the file
    run: str = ""

    def bounds(self, name: str) -> slice:
        """The cells of a column."""
        code = self.names.index(name)
        first, end = np.searchsorted(self.code, [code, code + 1])
        return slice(int(first), int(end))

    def column(self, name: str) -> NDArray[np.float64]:
        """(rows,) with NaN in blank cells."""
        cells = self.bounds(name)
        column = np.full(len(self.lines), np.nan)
        column[self.row[cells]] = self.value[cells]
        return column


class StepAxis(NamedTuple):
    """How the step of a row is found. A follower keeps it, so that later lines are read as the first ones were."""

    column: str | None  # None: the rows are counted
    unit: Unit = "steps"
    scale: float = 1
    epoch_column: str | None = None  # where the step starts over in each epoch
    epoch_length: float = 0  # in steps
    first: int = 0  # line of the first row, or the first epoch


def cells_to_scalars(cells: Cells, source: Source) -> Scalars:
    key = f"step axis of {cells.run}"
    axis: StepAxis = source.state.get(key) or detect_step_axis(cells, source)
    source.state[key] = axis
    step = _compute_steps(cells, axis, source)
    code, row, value = cells.code, cells.row, cells.value
    usable = np.isfinite(step) & (np.abs(step) < MAX_STEP)
    for index in np.flatnonzero(~usable):
        source.skip(int(cells.lines[index]), "the row has no step")
    wall_name, wall = _find_wall_time(cells)
    tags = canonical_tags(cells.names, source.aliases)
    keep = usable[cells.row]
    for name in cells.names:
        if name in (axis.column, wall_name):
            keep[cells.bounds(name)] = False
    scale = np.array([tag.scale for tag in tags])
    if (scale != 1).any():
        value = value * scale[code]
    if not keep.all():
        code, row, value = code[keep], row[keep], value[keep]
    # Names without cells of their own, such as the step's, are no tags of the frame.
    used = np.flatnonzero(np.bincount(code, minlength=len(tags))) if len(code) else np.empty(0, np.int64)
    new_code = np.zeros(len(tags), np.int32)
    new_code[used] = np.arange(len(used))
    integer_step = np.zeros(len(step), np.int64)
    integer_step[usable] = np.round(step[usable])
    return Scalars(
        [cells.names[index] for index in used],
        [tags[index].name for index in used],
        new_code[code],
        row,
        integer_step[row],
        wall[row],
        value,
        unit=axis.unit,
        run=cells.run,
    )


def detect_step_axis(cells: Cells, source: Source) -> StepAxis:
    """The column chosen by the user, else one of a known name, else one that counts up, else the rows themselves."""
    by_name = {normalize_name(name): name for name in reversed(cells.names)}
    if source.step_column is not None:
        return _chosen_axis(cells, source, source.step_column, by_name)
    epoch = next((by_name[alias] for alias in EPOCH_NAMES if alias in by_name), None)
    for alias in (*STEP_NAMES, *(BATCH_NAMES if epoch else ())):
        if (name := by_name.get(alias)) and _is_counter(column := cells.column(name)):
            if epoch and (length := _epoch_length(column, epochs := cells.column(epoch))):
                # Some count epochs from 1; a log that begins later is that of a resumed run.
                return StepAxis(name, epoch_column=epoch, epoch_length=length, first=int(np.nanmin(epochs) == 1))
            return StepAxis(name)
    for alias, scale in IMAGE_NAMES.items():
        if (name := by_name.get(alias)) and _is_counter(cells.column(name), integer=False):
            return StepAxis(name, "images", scale)
    if epoch:
        column = cells.column(epoch)
        if _is_counter(column) and not _epoch_repeats(cells, column, epoch):
            return StepAxis(epoch, "epochs")
    for name in cells.names:
        if normalize_name(name).startswith(("unnamed", "column_")) or normalize_name(name) in ("", "index"):
            column = cells.column(name)
            if _is_counter(column) and len(column) > 1 and (np.diff(column) > 0).all():
                return StepAxis(name)
    return StepAxis(None, first=int(cells.lines[0]) + source.first_line if len(cells.lines) else 0)


def _chosen_axis(cells: Cells, source: Source, choice: str, by_name: dict[str, str]) -> StepAxis:
    name = choice if choice in cells.names else by_name.get(normalize_name(choice))
    if name is None:
        raise source.error(f"it has no column {choice!r}, only {', '.join(cells.names[:20])}")
    alias = normalize_name(name)
    unit: Unit = "images" if alias in IMAGE_NAMES else "epochs" if alias in EPOCH_NAMES else "steps"
    return StepAxis(name, unit, IMAGE_NAMES.get(alias, 1))


def _epoch_repeats(cells: Cells, epoch: NDArray[np.float64], name: str) -> bool:
    """Whether scalars were logged several times in most epochs, so that the epoch alone is no step."""
    counts = np.bincount(cells.code, minlength=len(cells.names))
    counts[cells.names.index(name)] = 0
    rows = cells.row[cells.bounds(cells.names[int(counts.argmax())])]
    return len(rows) > 1 and bool(np.mean(np.diff(epoch[rows]) == 0) >= 0.5)


def _compute_steps(cells: Cells, axis: StepAxis, source: Source) -> NDArray[np.float64]:
    if axis.column is None:
        return (cells.lines + source.first_line - axis.first).astype(np.float64)
    if axis.column not in cells.names:
        return np.full(len(cells.lines), np.nan)
    step = cells.column(axis.column) * axis.scale
    if axis.epoch_column and axis.epoch_column in cells.names:
        step = step + (cells.column(axis.epoch_column) - axis.first) * axis.epoch_length
    return step


def _is_counter(column: NDArray[np.float64], integer: bool = True) -> bool:
    """Whether at least half the rows have a number there, and these can be steps."""
    values = column[np.abs(column) < MAX_STEP]
    if len(values) * 2 < len(column) or not len(values):
        return False
    return not integer or bool((values % 1 == 0).all())


def _epoch_length(step: NDArray[np.float64], epoch: NDArray[np.float64]) -> float:
    """Steps per epoch where the step starts over whenever the epoch goes up; else 0."""
    finite = np.isfinite(step) & np.isfinite(epoch)
    step, epoch = step[finite], epoch[finite]
    next_epoch = np.diff(epoch) > 0
    if not next_epoch.any() or (np.diff(step)[next_epoch] > 0).any():
        return 0
    gaps = np.diff(step)[np.diff(epoch) == 0]
    gap = float(np.median(gaps[gaps > 0])) if (gaps > 0).any() else 1.0
    return float(step.max() - step.min()) + gap


def _find_wall_time(cells: Cells) -> tuple[str | None, NDArray[np.float64]]:
    """Name and (rows,) values, in Unix seconds, of the column with the wall time; None and NaN where there is none."""
    by_name = {normalize_name(name): name for name in reversed(cells.names)}
    for alias in WALL_TIME_NAMES:
        if name := by_name.get(alias):
            column = cells.column(name)
            latest = np.nanmax(np.abs(column), initial=0) if np.isfinite(column).any() else 0
            if MIN_UNIX_TIME < latest < np.inf:
                return name, column * (to_seconds(float(latest)) / latest)
    return None, np.full(len(cells.lines), np.nan)
