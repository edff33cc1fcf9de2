"""MLflow's file store: mlruns/<experiment>/<run>/metrics/<key>, lines "milliseconds value step"."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.single_scalar import rows_to_scalars
from ganlib.logs.readers.source import Source, iter_lines, most_lines_match, to_seconds

_LINE = re.compile(r"\s*(\d{10,19}) (\S+)(?: (-?\d+))?\s*")
_NAME = re.compile(r"^run_name: *(.+)$", re.MULTILINE)  # in YAML
_DELETED = re.compile(r"^lifecycle_stage: *deleted", re.MULTILINE)
_WHOLE = re.compile(r"(.+)")
METRICS_FOLDER = "metrics"


def matches(head: str, path: Path) -> bool:
    return most_lines_match(head, _LINE)


def read(text: bytes, source: Source) -> list[Scalars]:
    """Lines before MLflow 1.0 have no step: those are counted. NotALog of a run that was deleted in MLflow."""
    if _find_in_run(source.path, "meta.yaml", _DELETED):
        raise source.not_a_log("its run is deleted in MLflow")
    rows: list[tuple[int, float, float, float]] = []
    for line_number, line, cut in iter_lines(text):
        match = _LINE.fullmatch(line)
        stepless = match is not None and match[3] is None
        if match is None or (cut and stepless and rows):
            source.skip(line_number, 'it is no "time value step"')
            continue
        try:
            step = float("nan") if stepless else float(match[3])
            rows.append((line_number, step, to_seconds(float(match[1])), float(match[2])))
        except ValueError:
            source.skip(line_number, f"{match[2][:40]!r} is no number")
    if "counted" not in source.state:  # who logs without a step gets step 0 each time
        source.state["counted"] = len(rows) > 1 and not any(step for _, step, _, _ in rows)
    if source.state["counted"]:
        rows = [(line, float("nan"), time, value) for line, _, time, value in rows]
    scalars = rows_to_scalars(rows, _tag_of_file(source.path), source)
    return [replace(own, run=_run_name(source.path)) for own in scalars]


def _run_name(path: Path) -> str:
    """The name that the run's folder gives it, none if it does not."""
    for file, pattern in (("meta.yaml", _NAME), ("tags/mlflow.runName", _WHOLE)):
        if (match := _find_in_run(path, file, pattern)) and (name := match[1].strip().strip("\"'")):
            return name
    return ""


def _find_in_run(path: Path, file: str, pattern: re.Pattern[str]) -> re.Match[str] | None:
    """Where a file of the run's folder matches; None where it does not, or is not there."""
    names = [parent.name for parent in path.parents]
    if METRICS_FOLDER not in names:
        return None
    try:
        with (path.parents[names.index(METRICS_FOLDER) + 1] / file).open(encoding="utf-8", errors="replace") as stream:
            return pattern.search(stream.read(2**16))
    except OSError:
        return None


def _tag_of_file(path: Path) -> str:
    """A key with slashes is a file in folders: metrics/val/loss -> val/loss."""
    parents = [parent.name for parent in path.parents]
    if METRICS_FOLDER not in parents:
        return path.name
    return path.relative_to(path.parents[parents.index(METRICS_FOLDER)]).as_posix()
