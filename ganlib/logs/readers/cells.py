"""Numbers in rows under names -> scalars: which of the names is the step, which the wall time, which a tag."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganlib.logs.frame import Scalars, Unit
from ganlib.logs.readers.headings import Heading
from ganlib.logs.readers.source import Source, to_seconds
from ganlib.logs.readers.steps import EpochSteps, count_through_bars, count_through_epochs, training_counter
from ganlib.logs.tags import (
    BATCH_NAMES,
    EPOCH_NAMES,
    IMAGE_NAMES,
    STEP_NAMES,
    WALL_TIME_NAMES,
    axis_name,
    canonical_tags,
    normalize_name,
)

MIN_UNIX_TIME = 1e8  # seconds; a smaller time counts from the start of the run
MIN_CONSTANT_ROWS = 3  # more rows with one and the same step: the column is a setting, such as the batch's size
STEP_TOTAL, BATCH_TOTAL = "\0steps", "\0batches"  # columns of what "step" and "batch" run up to; no scalars
OTHER_SPLIT = "\0other split"  # marks the rows of a table that are of no training data; no scalar
MAX_STEP = 2**53  # a float64 step beyond it is not exact


class Cells(NamedTuple):
    """The cells of a table that are not blank, sorted by column, then by row."""

    names: list[str]  # of the columns
    code: NDArray[np.int32]  # index in names
    row: NDArray[np.int32]
    value: NDArray[np.float64]
    lines: NDArray[np.int64]  # (rows,) line numbers in the file
    run: str = ""
    headings: tuple[Heading, ...] | None = None  # of a text log, which may hold several trainings

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
    """How the step of a row is found."""

    column: str | None  # None: the rows are counted
    unit: Unit = "steps"
    scale: float = 1
    epoch_column: str | None = None  # where the step starts over in each epoch
    epochs: EpochSteps | None = None
    total_column: str | None = None


def concat_cells(earlier: Cells, later: Cells) -> Cells:
    """A table and the rows that were appended to it."""
    names = list(dict.fromkeys([*earlier.names, *later.names]))
    index = {name: code for code, name in enumerate(names)}
    new_codes = [np.array([index[name] for name in cells.names], np.int32)[cells.code] for cells in (earlier, later)]
    code = np.concatenate(new_codes)
    order = np.argsort(code, kind="stable")
    row = np.concatenate([earlier.row, later.row + np.int32(len(earlier.lines))])[order]
    value = np.concatenate([earlier.value, later.value])[order]
    headings = earlier.headings
    if headings is not None and later.headings is not None:
        headings = (*headings, *(heading.moved(len(earlier.lines)) for heading in later.headings))
    lines = np.concatenate([earlier.lines, later.lines])
    return Cells(names, code[order], row, value, lines, earlier.run, headings)


def cells_to_scalars(cells: Cells, source: Source) -> Scalars:
    axis = detect_step_axis(cells, source)
    step = _compute_steps(cells, axis)
    code, row, value = cells.code, cells.row, cells.value
    usable = np.isfinite(step) & (np.abs(step) < MAX_STEP)
    for index in np.flatnonzero(~usable):
        source.skip_line_of_file(int(cells.lines[index]), "the row has no step")
    wall_name, wall = _find_wall_time(cells)
    tags = canonical_tags(cells.names, source.aliases)
    keep = usable[cells.row]
    for name in cells.names:
        if name in (axis.column, wall_name) or name.startswith("\0") or _is_row_number(cells, name):
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


def _is_row_number(cells: Cells, name: str) -> bool:
    """Whether a column only counts rows: W&B's "_step", the index that pandas writes without a name."""
    normalized = normalize_name(name)
    if normalized in ("_step", "_runtime_step"):
        return True
    if not normalized.startswith("unnamed") and normalized not in ("", "index"):
        return False
    value = cells.value[cells.bounds(name)]
    return bool((np.diff(value) == 1).all())


def detect_step_axis(cells: Cells, source: Source) -> StepAxis:
    """The column chosen by the user, else one of a known name, else one that counts up, else the rows themselves."""
    by_name = {axis_name(name): name for name in reversed(cells.names)}
    by_name |= {normalize_name(name): name for name in reversed(cells.names)}
    if source.step_column is not None:
        return _chosen_axis(cells, source, source.step_column, by_name)
    epoch = next((by_name[alias] for alias in EPOCH_NAMES if alias in by_name), None)
    for alias in (*STEP_NAMES, *(BATCH_NAMES if epoch else ())):
        if (name := by_name.get(alias)) and _is_counter(column := cells.column(name)):
            total = {"step": STEP_TOTAL, "batch": BATCH_TOTAL}.get(name)
            total = total if total in cells.names else None
            if not epoch:
                return StepAxis(name, total_column=total)
            totals = cells.column(total) if total else None
            counter = _training_counter(cells, name, epoch)
            return StepAxis(name, "steps", 1, epoch, count_through_epochs(counter, cells.column(epoch), totals), total)
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
    return StepAxis(None)


def _chosen_axis(cells: Cells, source: Source, choice: str, by_name: dict[str, str]) -> StepAxis:
    name = choice if choice in cells.names else by_name.get(normalize_name(choice))
    if name is None:
        raise source.error(f"it has no column {choice!r}, only {', '.join(cells.names[:20])}")
    alias = axis_name(name)
    unit: Unit = "images" if alias in IMAGE_NAMES else "epochs" if alias in EPOCH_NAMES else "steps"
    return StepAxis(name, unit, IMAGE_NAMES.get(alias, 1))


def _epoch_repeats(cells: Cells, epoch: NDArray[np.float64], name: str) -> bool:
    """Whether scalars were logged several times in most epochs, so that the epoch alone is no step."""
    counts = np.bincount(cells.code, minlength=len(cells.names))
    counts[cells.names.index(name)] = 0
    rows = cells.row[cells.bounds(cells.names[int(counts.argmax())])]
    return len(rows) > 1 and bool(np.mean(np.diff(epoch[rows]) == 0) >= 0.5)


def _training_counter(cells: Cells, name: str, epoch: str) -> NDArray[np.float64]:
    column = cells.column(name)
    if OTHER_SPLIT not in cells.names:
        return column
    return training_counter(column, cells.column(epoch), np.isfinite(cells.column(OTHER_SPLIT)))


def _compute_steps(cells: Cells, axis: StepAxis) -> NDArray[np.float64]:
    if axis.column is None:
        return (cells.lines - cells.lines[:1]).astype(np.float64)
    step = cells.column(axis.column) * axis.scale
    if axis.epoch_column:
        step = _training_counter(cells, axis.column, axis.epoch_column)
    if "_step" in cells.names and not axis.epochs:  # Weights & Biases' history: a row without the step has the last
        place = np.maximum.accumulate(np.where(np.isnan(step), -1, np.arange(len(step))))
        step = np.where(place < 0, np.nan, step[place])
    if axis.epoch_column and axis.epochs:
        epoch = cells.column(axis.epoch_column)
        # A row of an epoch of which no iteration was logged before it stands at its begin.
        step = np.where(np.isnan(step), 0, step) + (epoch - axis.epochs.first) * axis.epochs.length
    elif axis.total_column and not axis.epoch_column:
        step = count_through_bars(step, cells.column(axis.total_column))
    return step


def _is_counter(column: NDArray[np.float64], integer: bool = True) -> bool:
    """Whether at least half the rows have a number there, and these can be steps: they are not all the same."""
    values = column[np.abs(column) < MAX_STEP]
    if len(values) * 2 < len(column) or not len(values):
        return False
    if len(values) > MIN_CONSTANT_ROWS and (values == values[0]).all():
        return False
    return not integer or bool((values % 1 == 0).all())


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
