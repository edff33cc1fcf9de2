"""What a text log says above each of its trainings: "lr=2e-4", "--- SGD ---", "Training with width=32"."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MAX_HEADINGS = 1_000  # places of a log that may begin a training
MAX_LINES_ABOVE = 10  # of such a place that are looked at
MAX_HEADING = 60  # characters

_DECORATION = " \t-=*#~_+|<>[]():.,!"
_DECORATED = re.compile(r"\s*([-=*#>~\[]{2,}|#+ ).{1,100}")
_INTRODUCTION = re.compile(
    r"(?:(?:start(?:ing)?|begin(?:ning)?|now|running|run|training|train|trial|experiment|config(?:uration)?|settings?"
    r"|hyper-?parameters?|using|model|with|for)\b[ :]*)+",
    re.IGNORECASE,
)
_SETTING = re.compile(r"[A-Za-z_]\w*\s*[=:]\s*[^\s=:]+|[A-Za-z_]\w*\s+[-+]?\d[\d.eE+-]*")
# Of a result or of a time: lines that stand below a training, not above the next.
_RESULT = re.compile(
    r"loss|acc|fid\b|kid\b|score|err|time|took|elapsed|sav(?:e|ing)|load|done|finish|complet|\d:\d\d|epoch|step|iter"
    r"|device|cuda|gpu|memory|warn|param(?:eter)?s\b|[\\/]",
    re.IGNORECASE,
)


class Heading(NamedTuple):
    """The lines above a row that may begin a training, and those of the rows that are such lines."""

    row: int
    texts: tuple[str, ...]
    rows: tuple[int, ...] = ()

    def moved(self, by: int) -> Heading:
        return self._replace(row=self.row + by, rows=tuple(row + by for row in self.rows))


def find_headings(
    positions: list[NDArray[np.float64]],
    is_position: NDArray[np.bool_],
    lines: list[int],
    all_lines: list[str],
    above: list[str],
) -> list[Heading]:
    """The headings of a text: above its first row with a position, and above each that goes back.

    ``positions``: (rows,) each, epoch and steps; ``is_position`` (rows,): which rows name one; ``above``: the end of
    the text before this one.
    """
    rows = np.flatnonzero(is_position)
    if not len(rows):
        return []
    goes_back = np.zeros(len(rows), bool)
    goes_back[0] = True
    for values in positions:
        goes_back[1:] |= np.diff(values[rows]) < 0
    headings = []
    for index in np.flatnonzero(goes_back)[:MAX_HEADINGS].tolist():
        row = int(rows[index])
        first = lines[rows[index - 1]] if index else 0  # the line after that with the last position
        numbers = range(max(first, lines[row] - 1 - MAX_LINES_ABOVE), lines[row] - 1)
        texts = {number: text for number in numbers if (text := heading_of(all_lines[number]))}
        own_rows = tuple(
            earlier for earlier in range(rows[index - 1] + 1 if index else 0, row) if lines[earlier] - 1 in texts
        )
        before = [text for line in above if (text := heading_of(line))] if not index else []
        headings.append(Heading(row, (*before, *texts.values()), own_rows))
    return headings


def heading_of(line: str) -> str:
    """What a line says about the training below it: its settings, or the text within its decoration; or nothing."""
    if len(line) > 2 * MAX_HEADING or _RESULT.search(line):
        return ""
    text = line.strip(_DECORATION)
    rest = _INTRODUCTION.sub("", text, count=1).strip(_DECORATION)
    is_heading = _DECORATED.fullmatch(line) or _SETTING.search(line) or (rest != text and rest)
    return (rest or text)[:MAX_HEADING] if is_heading else ""
