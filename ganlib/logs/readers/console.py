"""Console output of training scripts: lines with a step or epoch and "name: number" pairs, in any order.

"[Epoch 3/200] [Batch 12/938] [D loss: 0.61] [G loss: 1.2]" (PyTorch-GAN), "30 [D loss: 0.6, acc.: 54%] [G loss: 1.2]"
(Keras-GAN), "[3/25][100/1583] Loss_D: 0.5 D(x): 0.7" (PyTorch's DCGAN example), "(epoch: 1, iters: 100, time: 0.1)
D_A: 0.3" (CycleGAN and pix2pix), Keras' progress lines, tqdm's bars.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.cells import BATCH_TOTAL, STEP_TOTAL
from ganlib.logs.readers.columns import Column, columns_to_scalars
from ganlib.logs.readers.commas import CommaNumbers
from ganlib.logs.readers.headings import MAX_LINES_ABOVE, Heading, find_headings
from ganlib.logs.readers.names import is_metric
from ganlib.logs.readers.numerals import to_ascii_numerals
from ganlib.logs.readers.printed import plain_numbers
from ganlib.logs.readers.shapes import MAX_LINE, NOTHING, Shape, analyse, split_finite_numbers, split_numbers
from ganlib.logs.readers.source import Source

# A log has a few dozen shapes of lines. What may be analysed of new ones: this much, and a part of the file's size.
ANALYSED_CHARACTERS, ANALYSED_FRACTION, NUMBER_COST = 300_000, 5, 60
MAX_KNOWN_SHAPES = 1000  # that tell whether the last line is whole
MAX_CONTRADICTIONS = 0.5  # of the lines with an epoch alone, which is none of those of the lines around them
MIN_UNPLACED_LINES = 3  # with the same names, to make a log of lines without any step or epoch
# CycleGAN and pix2pix print losses under the names that others give to the outputs of D.
CYCLEGAN = {"D": "loss/D", "G": "loss/G", "G_GAN": "loss/G", "D_real": "loss/D/real", "D_fake": "loss/D/fake"}
_CYCLEGAN = re.compile(rb"^\(epoch: \d+, iters: \d+, ", re.MULTILINE)
_CONTROL = re.compile("[\0-\x08\x0b-\x1f]")
_NAN = re.compile(rb"[nN][aA][nN]|[iI][nN][fF]")
_LOSS = re.compile("loss|err", re.IGNORECASE)


@dataclass
class _Group:
    """The lines of one shape."""

    shape: Shape
    rows: list[int] = field(default_factory=list)
    numbers: list[list[str]] = field(default_factory=list)

    def column(self, number: int) -> NDArray[np.float64]:
        return np.array([float(texts[number]) for texts in self.numbers])


def matches(head: str, path: Path) -> bool:
    """Whether two lines have the same names and a position each, or one has several names, an epoch and a step; or
    several lines have the same losses.
    """
    known: dict[tuple[str, ...], int] = {}
    has_position = False
    for line in head.split("\n")[:2000]:
        shape = _shape_of(line)[0]
        names = tuple(scalar.name for scalar in shape.fields) or ((shape.unreadable,) if shape.unreadable else ())
        roles = {role for role, _ in shape.position if not role.endswith("s")}
        has_position = has_position or bool(roles)
        if not names:
            continue
        known[names] = known.get(names, 0) + 1
        if len(roles) > 1 and len(names) > 1:
            return True
        if has_position and known[names] > 1:
            return True
        if known[names] >= MIN_UNPLACED_LINES and any(map(_LOSS.search, names)):
            return True
    return False


def read(text: bytes, source: Source) -> list[Scalars]:
    if _CYCLEGAN.search(text):
        source.aliases = CYCLEGAN
    lines, groups, all_lines = _group_lines(text, source)
    positions = _read_positions(groups, len(lines), source)
    line_numbers = np.array(lines, np.int64)
    first = _first_position(positions, len(lines), source)
    commas = CommaNumbers(source)
    for group in groups:
        if any(scalar.kind == "commas" for scalar in group.shape.fields):
            commas.add(group.numbers, group.shape.fields)
        else:
            commas.see_dots(group.numbers, group.shape.fields)
    parts: dict[str, list[tuple[NDArray[np.int32], NDArray[np.float64]]]] = {}
    problems: list[tuple[int, str]] = []
    for group in groups:
        rows = np.array(group.rows, np.int32)
        if rows[0] < first and any(is_metric(scalar.name) for scalar in group.shape.fields):
            problems += [(lines[row], "it stands before the first step or epoch") for row in group.rows if row < first]
        if group.shape.unreadable:
            problems += [(lines[row], group.shape.unreadable) for row in group.rows]
        for scalar in group.shape.fields:
            values, wrong = commas.convert(group.numbers, scalar) if scalar.kind != "number" else (None, [])
            if values is None:
                terms = enumerate(scalar.factors or (1.0,), scalar.number)
                values = np.sum([factor * group.column(number) for number, factor in terms], axis=0)
            problems += [(lines[group.rows[index]], reason) for index, reason in wrong]
            good = rows >= first
            good[[index for index, _ in wrong]] = False
            parts.setdefault(scalar.name, []).append((rows[good], values[good] * scalar.factor))
    for line, reason in sorted(problems):
        source.skip(line, reason)
    headings = _find_headings(positions, groups, lines, all_lines, source)
    headings = [heading.moved(-first) for heading in headings]
    columns = [_column(name, pieces) for name, pieces in parts.items()]
    columns = [column._replace(row=column.row - np.int32(first)) for column in (*positions, *columns)]
    return columns_to_scalars(columns, line_numbers[first:], source, headings=headings)


def _group_lines(text: bytes, source: Source) -> tuple[list[int], list[_Group], list[str]]:
    """The numbers of the lines that say anything, these lines by shape, and all lines."""
    groups: dict[object, _Group] = {}
    lines: list[int] = []
    known: set[object] = source.state.setdefault("shapes", set())
    is_cut = not text.endswith(b"\n")
    text = plain_numbers(text)
    split = split_numbers if _NAN.search(text) else split_finite_numbers
    all_lines = text.decode("utf-8", errors="replace").split("\n")
    last = len(all_lines) if is_cut else 0
    budget = source.state.get("budget", ANALYSED_CHARACTERS) + len(text) // ANALYSED_FRACTION
    for number, line in enumerate(all_lines, 1):
        if not line:
            continue
        if len(line) > MAX_LINE:
            source.skip(number, f"a line of {len(line):,} characters is none of scalars")
            continue
        parts = split(line)
        if len(parts) == 1 and (line.isascii() or len(parts := split(to_ascii_numerals(line))) == 1):
            continue
        key: object = tuple(parts[::2])
        group = groups.get(key)
        if group is None or group.shape.literals:
            if group is None:
                budget -= len(line) + NUMBER_COST * (len(parts) // 2 + 1)
            if budget < 0:
                source.skip(number, "it is unlike all lines before, as too many are")
                continue
            shape, parts, key = _shape_of(line)
            group = groups.get(key)
            if group is None:
                if number == last and shape.fields and known and key not in known:
                    source.skip(number, "the last line is half written")
                    continue
                group = groups[key] = _Group(shape)
        if group.shape is NOTHING:
            continue
        if group.shape.fields and len(known) < MAX_KNOWN_SHAPES:
            known.add(key)
        group.rows.append(len(lines))
        group.numbers.append(parts[1::2])
        lines.append(number)
    source.state["budget"] = budget
    return lines, [group for group in groups.values() if group.rows], all_lines


def _shape_of(line: str) -> tuple[Shape, list[str], object]:
    """A line's shape, its parts (text and number in turn), and the key of lines of the same shape."""
    line = to_ascii_numerals(line)
    line = plain_numbers(line.encode("utf-8", errors="replace")).decode()
    if len(line) > MAX_LINE:
        return NOTHING, [line], None
    if _CONTROL.search(line):
        line = _CONTROL.sub(" ", line)
    parts = split_numbers(line)
    if len(parts) == 1:
        return NOTHING, parts, tuple(parts)
    key = tuple(parts[::2])
    shape = analyse(key)
    if shape.literals:
        literals = tuple((number, parts[2 * number + 1]) for number in shape.literals)
        return analyse(key, literals)._replace(literals=shape.literals), parts, (key, literals)
    return (shape if shape.fields or shape.position or shape.unreadable else NOTHING), parts, key


def _read_positions(groups: list[_Group], rows: int, source: Source) -> list[Column]:
    """The columns of the epoch, the step and the batch; a row that names none has those of the row before."""
    found: dict[str, NDArray[np.float64]] = {}
    for group in groups:
        for role, number in group.shape.position:
            column = found.setdefault(role, np.full(rows, np.nan))
            value = group.column(number)
            value[np.isinf(value)] = np.nan
            # Only a count can be a position; an epoch may be a fraction.
            column[group.rows] = np.where((value >= 0) & ((value % 1 == 0) | (role == "epoch")), value, np.nan)
    _drop_other_epochs(found, groups, source)
    blank = np.full(rows, np.nan)
    epoch = _carry_forward(found.get("epoch", blank), source, "epoch")
    columns = {"epoch": epoch}
    batch, batches = found.get("batch", blank).copy(), found.get("batches", blank).copy()
    step, steps = found.get("step", blank).copy(), found.get("steps", blank).copy()
    count, counts = found.get("count", blank), found.get("counts", blank)
    step = np.where(np.isnan(step), 1000 * found.get("thousands", blank), step)
    in_epoch = np.isfinite(epoch) & np.isnan(batch)
    batch[in_epoch], batches[in_epoch] = count[in_epoch], counts[in_epoch]
    in_run = np.isnan(epoch) & np.isnan(step)
    step[in_run], steps[in_run] = count[in_run], counts[in_run]
    if "lead" in found and np.isnan(step).all() and np.isnan(batch).all():
        step = found["lead"]
    for name, values, total_name, totals in (
        ("step", step, STEP_TOTAL, steps), ("batch", batch, BATCH_TOTAL, batches),
    ):  # fmt: skip
        if np.isfinite(values).any() or f"{name} seen" in source.state:
            source.state[f"{name} seen"] = True
            columns[name] = _carry_forward(values, source, name, epoch)
            columns[total_name] = _carry_forward(totals, source, total_name)
    result = []
    for name, values in columns.items():
        row = np.flatnonzero(np.isfinite(values)).astype(np.int32)
        if len(row):
            result.append(Column(name, row, values[row]))
    return result


def _drop_other_epochs(found: dict[str, NDArray[np.float64]], groups: list[_Group], source: Source) -> None:
    """Epochs of lines without a scalar that count from another begin than the lines with scalars around them."""
    has_scalars: dict[bool, list[int]] = {True: [], False: []}
    for group in groups:
        has_scalars[bool(group.shape.fields)] += group.rows
    bare, others = np.sort(np.array(has_scalars[False], np.int64)), np.sort(np.array(has_scalars[True], np.int64))
    if (epoch := found.get("epoch")) is None:
        return
    bare, others = bare[np.isfinite(epoch[bare])], others[np.isfinite(epoch[others])]
    if len(bare) and len(others):
        place = np.searchsorted(others, bare)
        before = np.where(place > 0, epoch[others[(place - 1).clip(0)]], np.nan)
        after = np.where(place < len(others), epoch[others[place.clip(max=len(others) - 1)]], np.nan)
        if np.mean((epoch[bare] != before) & (epoch[bare] != after)) > MAX_CONTRADICTIONS:
            source.state["read again"] = not source.state.get("other epochs")  # what was read before has them
            source.state["other epochs"] = True
    if source.state.get("other epochs"):
        epoch[bare] = np.nan


def _find_headings(
    positions: list[Column], groups: list[_Group], lines: list[int], all_lines: list[str], source: Source
) -> list[Heading]:
    """What stands above the trainings of the text; the lines after the last step or epoch wait for the next."""
    is_position = np.zeros(len(lines), bool)
    for group in groups:
        is_position[group.rows] = any(not role.endswith("s") for role, _ in group.shape.position)
    above: list[str] = source.state.get("lines above", [])
    axes = [column for column in positions if not column.name.startswith("\0")]
    values = np.full((len(axes), len(lines)), np.nan)
    for index, column in enumerate(axes):
        values[index, column.row] = column.value
    headings = find_headings(list(values), is_position, lines, all_lines, above)
    end = lines[int(np.flatnonzero(is_position)[-1])] if is_position.any() else 0
    later = [line for line in all_lines[max(end, len(all_lines) - MAX_LINES_ABOVE) :] if line]
    source.state["lines above"] = (later if end else [*above, *later])[-MAX_LINES_ABOVE:]
    return headings


def _first_position(positions: list[Column], rows: int, source: Source) -> int:
    """The first row with a step or epoch: what is printed before belongs to none. 0 for a log without any."""
    if source.state.get("has positions"):
        return 0
    if not positions:
        source.state["has unplaced lines"] = True
        return 0
    source.state["has positions"] = True
    if source.state.get("has unplaced lines"):
        source.state["read again"] = True
    return int(min(column.row[0] for column in positions))


def _carry_forward(
    values: NDArray[np.float64], source: Source, name: str, epoch: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Each NaN replaced by the last number before it, of the same epoch; also by that of the file's earlier part."""
    if not len(values):
        return values
    before, before_epoch = source.state.get(f"last {name}", (np.nan, np.nan))
    values = np.concatenate([[before], values])
    index = np.maximum.accumulate(np.where(np.isfinite(values), np.arange(len(values)), 0))
    carried = values[index]
    last_epoch = np.nan
    if epoch is not None:
        epoch = np.concatenate([[before_epoch], epoch])
        other = (epoch[index] != epoch) & np.isfinite(epoch)
        # The first lines of an epoch may come before its first step: they stand at its begin.
        carried[other] = np.nan
        last_epoch = float(epoch[index[-1]])
    source.state[f"last {name}"] = (float(values[index[-1]]), last_epoch)
    return carried[1:]


def _column(name: str, pieces: list[tuple[NDArray[np.int32], NDArray[np.float64]]]) -> Column:
    rows = np.concatenate([rows for rows, _ in pieces])
    values = np.concatenate([values for _, values in pieces])
    order = np.argsort(rows, kind="stable")
    return Column(name, rows[order], values[order])
