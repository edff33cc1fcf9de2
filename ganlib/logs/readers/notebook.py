"""Jupyter notebooks: what the cells printed and the tables that they showed. Each training is a run."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from ganlib.logs.frame import LogError, Scalars, concat_scalars
from ganlib.logs.readers import console, delimited, jsonl, nvidia_ticks, python_lists, studiogan
from ganlib.logs.readers.columns import AXIS_COLUMNS
from ganlib.logs.readers.html_tables import find_tables
from ganlib.logs.readers.notebook_cells import Cell, parse_cells
from ganlib.logs.readers.source import Source, to_utf8
from ganlib.logs.tags import PROGRESS, axis_name, canonical_tag

# What a cell may print, the more specific first.
PRINTED: tuple[ModuleType, ...] = (nvidia_ticks, jsonl, studiogan, python_lists, console, delimited)
_START = re.compile(r'\s*\{\s*"(?:cells|metadata|worksheets|nbformat|nbformat_minor)"\s*:')
MAX_TRAININGS = 400  # of a notebook, about a second


class Training(NamedTuple):
    """The cells of a training, and its scalars: one, unless a table holds several runs."""

    cells: list[Cell]
    scalars: list[Scalars]
    run: str = ""


def matches(head: str, path: Path) -> bool:
    """By its first key, for what tells a notebook from other JSON ("nbformat") stands at the end."""
    return _START.match(head) is not None and ('"cell_type"' in head or path.suffix.lower() == ".ipynb")


def read(text: bytes, source: Source) -> list[Scalars]:
    """The curves of each cell that trains. Cells that print single values are left out, and said to be."""
    try:
        cells = parse_cells(text)
    except ValueError as error:
        raise source.error(str(error)) from None
    trainings = find_trainings(cells, source)
    if not trainings:
        raise source.not_a_log("no cell of the notebook shows losses or metrics over a training")
    return [
        replace(part, run=f"{training.run}/{part.run}".strip("/"), notebook=source.path)
        for training in trainings
        for part in training.scalars
    ]


def find_trainings(cells: list[Cell], source: Source) -> list[Training]:
    """The trainings of a notebook, each of one cell or of several that go on."""
    trainings: list[Training] = []
    for cell in cells:
        if len(trainings) == MAX_TRAININGS:
            source.skip(None, f"cell {cell.number} and what follows: it has more than {MAX_TRAININGS} trainings")
            break
        scalars = read_cell(cell, source)
        curves = [part for part in scalars if _has_curve(part)]
        if len(curves) < len(scalars):
            source.skip(None, f"cell {cell.number} prints single values and no curve")
        if not curves:
            continue
        if trainings and _goes_on(trainings[-1].scalars, curves):
            joined = concat_scalars([*trainings[-1].scalars, *curves])
            trainings[-1] = Training([*trainings[-1].cells, cell], [joined])
        else:
            trainings.append(Training([cell], curves))
    names = _name_runs([training.cells[0] for training in trainings])
    return [training._replace(run=name) for training, name in zip(trainings, names, strict=True)]


def _name_runs(cells: list[Cell]) -> list[str]:
    """The run of each cell that trains: none where there is one cell, the heading above it, or its number."""
    counts = Counter(cell.heading for cell in cells)
    return [
        ""
        if len(cells) == 1
        else cell.heading
        if cell.heading and counts[cell.heading] == 1
        else f"{cell.heading or 'training'} (cell {cell.number})"
        for cell in cells
    ]


def read_cell(cell: Cell, source: Source) -> list[Scalars]:
    """What a cell printed and, where that holds nothing, its tables."""
    printed = "".join(output.text for output in cell.outputs if output.kind == "text")
    if scalars := read_printed(printed, cell, source):
        return scalars
    result = []
    for output in cell.outputs:
        if output.kind == "html":
            for table in find_tables(output.text):
                result += _read_table(table, cell, source)
    return result[-1:]  # a table that grows is shown again and again


def read_printed(text: str, cell: Cell, source: Source, whole: str = "") -> list[Scalars]:
    """What a cell printed. ``whole``: what it went on to print, which has the format that one line does not tell."""
    content = to_utf8(text.encode("utf-8", errors="replace"))
    head = to_utf8((whole or text).encode("utf-8", errors="replace"))[: 2**16].decode("utf-8", errors="replace")
    if table := _printed_frame(content.decode("utf-8", errors="replace")):
        return _read_table(table, cell, source)
    for reader in PRINTED if text.strip() else ():
        if reader.matches(head, source.path) and (reader is not delimited or _is_log_table(head)):
            return _read_part(reader, content, cell, source)
    return []


def _read_table(table: list[list[str]], cell: Cell, source: Source) -> list[Scalars]:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(row for row in table if set(row) != {"..."})
    text = stream.getvalue()
    if not table or not _has_log_names(table[0]) or not delimited.matches(text[: 2**16], source.path):
        return []
    return _read_part(delimited, text.encode("utf-8", errors="replace"), cell, source)


def _read_part(reader: ModuleType, content: bytes, cell: Cell, source: Source) -> list[Scalars]:
    """The scalars of a part as of a file of its own; the lines that it skips are named by cell."""
    part = Source(source.path, source.step_column)
    try:
        scalars: list[Scalars] = reader.read(content, part)
    except LogError as error:
        source.skip(None, f"cell {cell.number}: {error.reason}")
        return []
    for line in part.skipped:
        at = f", line {line.line}" if line.line else ""
        source.skip(None, f"cell {cell.number}{at}: {line.reason}")
    source.skipped_total += part.skipped_total - len(part.skipped)
    return scalars


def _printed_frame(text: str) -> list[list[str]]:
    """The rows of a printed data frame, whose index has no name; none for other text."""
    rows = [line.split() for line in text.split("\n") if line.strip()]
    if len(rows) < 2 or len(rows[1]) != len(rows[0]) + 1 or not rows[1][0].isdecimal():
        return []
    return [["", *rows[0]], *(row for row in rows[1:] if len(row) == len(rows[1]) and row[0].isdecimal())]


def _is_log_table(head: str) -> bool:
    """Whether a printed table has a step, or names of metrics: a notebook prints other tables, too."""
    header = next((line for line in head.split("\n") if line.strip()), "")
    return _has_log_names(re.split(r"[\s,;|]+", header))


def _has_log_names(names: list[str]) -> bool:
    known = [name for name in names if canonical_tag(name).name != name or re.search("loss|fid", name, re.IGNORECASE)]
    return bool(known) or any(axis_name(name) in AXIS_COLUMNS - {"date", "time", "i"} for name in names)


def _has_curve(scalars: Scalars) -> bool:
    """Whether some scalar has values at two steps."""
    for code, tag in enumerate(scalars.tags):
        step = scalars.step[scalars.code == code]
        if tag not in PROGRESS and len(step) and step.max() > step.min():
            return True
    return False


def _goes_on(earlier: list[Scalars], later: list[Scalars]) -> bool:
    """Whether the second goes on where the first ended: the same scalars at later steps."""
    if len(earlier) != 1 or len(later) != 1:
        return False
    (first,), (second,) = earlier, later
    same = set(first.tags) == set(second.tags) and first.unit == second.unit
    return same and int(second.step.min()) > int(first.step.max())
