"""MLflow's file store: mlruns/<experiment>/<run>/metrics/<key>, lines "milliseconds value step"."""

from __future__ import annotations

import re
from pathlib import Path

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.source import Source, lines_of, seconds
from ganlib.logs.readers.triples import scalars_of_rows

_LINE = re.compile(r"(\d{10,19}) (\S+)(?: (-?\d+))?")
FOLDER = "metrics"


def matches(head: str, path: Path) -> bool:
    lines = [line for line in head.split("\n")[:50] if line.strip()]
    return sum(_LINE.fullmatch(line.strip()) is not None for line in lines) * 5 >= len(lines) * 4


def read(text: bytes, source: Source) -> list[Scalars]:
    """Lines before MLflow 1.0 have no step: those are counted."""
    rows: list[tuple[int, float, float, float]] = []
    for place, line, cut in lines_of(text):
        match = _LINE.fullmatch(line.strip())
        stepless = match is not None and match[3] is None
        if match is None or (cut and stepless and rows):
            source.skip(place, 'it is no "time value step"')
            continue
        try:
            step = float("nan") if stepless else float(match[3])
            rows.append((place, step, seconds(float(match[1])), float(match[2])))
        except ValueError:
            source.skip(place, f"{match[2][:40]!r} is no number")
    return scalars_of_rows(rows, _tag(source.path), source)


def _tag(path: Path) -> str:
    """A key with slashes is a file in folders: metrics/val/loss -> val/loss."""
    parents = [parent.name for parent in path.parents]
    if FOLDER not in parents:
        return path.name
    return path.relative_to(path.parents[parents.index(FOLDER)]).as_posix()
