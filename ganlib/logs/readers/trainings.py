"""Several trainings in one text log, one after another from the first step: each is a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ganlib.logs.frame import Scalars, compute_segments
from ganlib.logs.readers.cells import Cells, cells_to_scalars
from ganlib.logs.readers.headings import MAX_HEADING, Heading
from ganlib.logs.readers.source import Source

MIN_STEPS = 3  # of a training; what goes back and has fewer has just begun, or was broken off at once
MAX_TRAININGS = 100


def cells_to_runs(cells: Cells, source: Source) -> list[Scalars]:
    """The scalars of each training of a text log; of another table those of its one run."""
    scalars = cells_to_scalars(cells, source)
    if cells.headings is None:
        return [scalars]
    starts = _find_starts(scalars)
    if not 1 < len(starts) <= MAX_TRAININGS:
        return [scalars]
    ends = [*starts[1:], int(scalars.row.max()) + 1]
    headings = [
        next((heading for heading in reversed(cells.headings) if before <= heading.row <= start), Heading(start, ()))
        for before, start in zip([0, *(start + 1 for start in starts[:-1])], starts, strict=True)
    ]
    # Lines above a training that are its name have the step of the training before.
    in_name = np.isin(scalars.row, [row for heading in headings for row in heading.rows])
    parts = [
        scalars.select((scalars.row >= start) & (scalars.row < end) & ~in_name)
        for start, end in zip([0, *starts[1:]], ends, strict=True)
    ]
    names = _name_trainings([heading.texts for heading in headings], parts)
    return [replace(part, run=f"{cells.run}/{name}".strip("/")) for part, name in zip(parts, names, strict=True)]


def _find_starts(scalars: Scalars) -> list[int]:
    """The first row of each training: where the log goes back to where it began, and not to resume."""
    segment = compute_segments(scalars)
    starts, current = [int(scalars.row.min(initial=0))], np.empty(0, np.int64)
    for number in range(int(segment.max(initial=0)) + 1):
        own = segment == number
        step = scalars.step[own]
        is_first = len(current) and step.min() <= current.min()
        if is_first and min(len(np.unique(step)), len(np.unique(current))) >= MIN_STEPS:
            starts.append(int(scalars.row[own].min()))
            current = step
        else:
            current = np.concatenate([current, step])
        if len(starts) > MAX_TRAININGS:
            break
    return starts


def _name_trainings(texts: list[tuple[str, ...]], parts: list[Scalars]) -> list[str]:
    """What tells the trainings apart: the lines above them, a constant in their lines, else their number."""
    common = set(texts[0]).intersection(*texts[1:])
    names = [", ".join(text for text in own if text not in common)[:MAX_HEADING].strip() for own in texts]
    if not all(names):
        names = _name_by_constants(parts) or ["" for _ in parts]
    counts, seen = Counter(names), Counter[str]()
    result = []
    for number, name in enumerate(names, 1):
        seen[name] += 1
        result.append(f"training {number}" if not name else f"{name} ({seen[name]})" if counts[name] > 1 else name)
    return result


def _name_by_constants(parts: list[Scalars]) -> list[str]:
    """ "lr=0.0002" of a scalar that is constant in each training, and another in each."""
    for tag in parts[0].tags:
        values = list(_constants(parts, tag))
        if len(set(values)) == len(parts) and np.isfinite(values).all():
            return [f"{tag}={value:g}" for value in values]
    return []


def _constants(parts: list[Scalars], tag: str) -> Iterator[float]:
    for part in parts:
        values: NDArray[np.float64] = part.value[part.code == part.tags.index(tag)]
        yield float(values[0]) if len(values) > 1 and (values == values[0]).all() else np.nan
