"""The tidy frame of logs: its columns, and how it is built from the scalars of the readers."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ganlib.errors import GanlibError
from ganlib.logs.tags import EVALUATION_TAGS
from ganlib.naming import displayable

DTYPES = {
    "run": "category",
    "step": "int64",  # in the run's unit, see attrs["step_units"]
    "wall_time": "float64",  # Unix seconds; NaN where unknown
    "tag": "category",  # canonical, see ganlib.logs.tags
    "value": "float64",
    "original": "category",  # the tag as the file has it
    "segment": "int16",  # number of restarts of the run before this row
}
COLUMNS = list(DTYPES)
MAX_LISTED = 100  # skipped lines that are listed one by one: pandas copies attrs with every operation
MAX_OVERTAKEN = 0.5  # of the steps that go back, until all are taken for lines of several threads
Unit = Literal["steps", "images", "epochs"]


class LogError(GanlibError):
    """A log that cannot be read: ``path``, ``line`` (None where no line is to blame) and ``reason``."""

    def __init__(self, path: Path | str, line: int | None, reason: str) -> None:
        self.path, self.line = Path(path), line
        self.reason = displayable(" ".join(reason.split()).rstrip(".")[:200])
        select = f"{path}, line {line}," if line else f"{path}"
        super().__init__(f"{select} cannot be read as a training log: {self.reason}.")


class SkippedLine(NamedTuple):
    """A line that a reader left out, and why; ``line`` counts from 1 and is None where no line is to blame."""

    path: str
    line: int | None
    reason: str


@dataclass(frozen=True)
class Scalars:
    """The scalars of one run in one file: arrays of equal length, sorted by tag, then by position in the file."""

    originals: list[str]
    tags: list[str]  # canonical, in the order of ``originals``
    code: NDArray[np.int32]  # index in both lists
    row: NDArray[np.int32]  # position in the file
    step: NDArray[np.int64]
    wall: NDArray[np.float64]
    value: NDArray[np.float64]
    unit: Unit = "steps"
    run: str = ""  # where one file holds several runs
    cells: Any = None  # of a log that is followed: what the steps will be found from, and no scalars yet
    notebook: Path | None = None  # that shows pictures beside these scalars

    @classmethod
    def of_cells(cls, cells: Any, run: str) -> Scalars:
        ints, floats = np.empty(0, np.int32), np.empty(0)
        return cls([], [], ints, ints, ints.astype(np.int64), floats, floats, run=run, cells=cells)

    def __post_init__(self) -> None:
        """Names as they can be written anywhere: JSON may hold half a character."""
        if not _is_text("".join([*self.originals, *self.tags, self.run])):
            object.__setattr__(self, "originals", list(map(displayable, self.originals)))
            object.__setattr__(self, "tags", list(map(displayable, self.tags)))
            object.__setattr__(self, "run", displayable(self.run))

    def __len__(self) -> int:
        return len(self.value)

    def select(self, mask: NDArray[Any]) -> Scalars:
        """The scalars at a mask or at positions."""
        columns = (self.code[mask], self.row[mask], self.step[mask], self.wall[mask], self.value[mask])
        return Scalars(self.originals, self.tags, *columns, unit=self.unit, run=self.run, notebook=self.notebook)


def _is_text(text: str) -> bool:
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def concat_scalars(parts: list[Scalars]) -> Scalars:
    """Files that continue each other (event files of a resumed run, lines appended since) as one."""
    if len(parts) == 1:
        return parts[0]
    names = dict.fromkeys(pair for part in parts for pair in zip(part.originals, part.tags, strict=True))
    index = {pair: index for index, pair in enumerate(names)}
    codes, rows, end = [], [], 0
    for part in parts:
        pairs = zip(part.originals, part.tags, strict=True)
        codes.append(np.array([index[pair] for pair in pairs], np.int32)[part.code])
        rows.append(part.row + np.int32(end))
        end += int(part.row.max(initial=-1)) + 1
    code = np.concatenate(codes)
    order = np.argsort(code, kind="stable")
    return Scalars(
        [original for original, _ in names],
        [tag for _, tag in names],
        code[order],
        np.concatenate(rows)[order],
        np.concatenate([part.step for part in parts])[order],
        np.concatenate([part.wall for part in parts])[order],
        np.concatenate([part.value for part in parts])[order],
        unit=parts[0].unit,
        run=parts[0].run,
        notebook=parts[0].notebook,
    )


def compute_segments(scalars: Scalars) -> NDArray[np.int16]:
    """(n,) number of restarts of the run before each scalar.

    A step lower than the previous one of the same tag begins a segment of all tags: the other tags go back in the
    rows that follow, which is the same restart. The evaluation of an old checkpoint is no restart, nor are lines of
    several threads out of their order.
    """
    code, row, step = scalars.code, scalars.row, scalars.step
    decreases = np.flatnonzero((step[1:] < step[:-1]) & (code[1:] == code[:-1]))
    if not len(decreases):
        return np.zeros(len(step), np.int16)
    is_training = np.array([_is_training_tag(name) for name in scalars.tags])
    if is_training.any():
        decreases = decreases[is_training[code[decreases]]]
    # Lines of two threads that overtake each other: the step after the lower one is beyond that before it.
    following = np.minimum(decreases + 2, len(step) - 1)
    overtaken = (step[following] > step[decreases]) & (code[following] == code[decreases])
    if len(decreases):
        decreases = decreases[~overtaken] if overtaken.mean() < MAX_OVERTAKEN else decreases[:0]
    if not len(decreases):
        return np.zeros(len(step), np.int16)
    starts: list[int] = []
    for row_after, row_before in sorted(zip(row[decreases + 1].tolist(), row[decreases].tolist(), strict=True)):
        if not starts or row_before >= starts[-1]:
            starts.append(row_after)
    # int16 must not overflow on a log whose steps mostly decrease.
    return np.minimum(np.searchsorted(starts, row, side="right"), np.iinfo(np.int16).max).astype(np.int16)


def _is_training_tag(name: str) -> bool:
    """Whether a scalar is logged as the training goes on, not when some checkpoint is evaluated."""
    return name not in EVALUATION_TAGS and not name.lower().startswith(("val", "test", "eval", "best"))


def build_frame(runs: Mapping[str, list[Scalars]], skipped: list[SkippedLine], skipped_total: int) -> pd.DataFrame:
    """The frame of runs, each of one or more files whose tags do not overlap; sorted by run, tag, file order.

    ``attrs``: ``step_unit`` of all and ``step_units`` per run, ``skipped`` (the first lines), ``skipped_total``;
    ``notebooks`` by run: the file that may have pictures of it, and what the run is called there.
    """
    frames = [_run_frame(run, scalars) for run, parts in runs.items() for scalars in parts]
    frame = concat(frames)
    units: dict[str, set[str]] = {run: {part.unit for part in parts} for run, parts in runs.items()}
    frame.attrs = _attrs({run: _common_unit(unit) for run, unit in units.items()}, skipped, skipped_total)
    for run, parts in runs.items():
        if parts and (path := parts[0].notebook):
            frame.attrs["notebooks"][run] = str(path), parts[0].run
    return frame


def concat(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Frames of ``read`` as one, with the categories and the attrs of all."""
    frames = list(frames)
    units: dict[str, set[str]] = {}
    for frame in frames:
        for run, unit in frame.attrs.get("step_units", {}).items():
            units.setdefault(run, set()).add(unit)
    skipped = [line for frame in frames for line in frame.attrs.get("skipped", [])]
    total = sum(frame.attrs.get("skipped_total", 0) for frame in frames)
    attrs = _attrs({run: _common_unit(unit) for run, unit in units.items()}, skipped, total)
    for frame in frames:
        attrs["notebooks"] |= frame.attrs.get("notebooks", {})
    if len(frames) == 1:
        result = frames[0].copy(deep=False)
    else:
        columns: dict[Hashable, Any] = {}
        for name, dtype in DTYPES.items():
            parts = [frame[name] for frame in frames]
            if dtype == "category":
                columns[name] = _concat_categories(parts)
            else:
                columns[name] = np.concatenate([part.to_numpy() for part in parts]) if parts else np.empty(0, dtype)
        result = pd.DataFrame(columns, copy=False)
    result.attrs = attrs
    return result


def _run_frame(run: str, scalars: Scalars) -> pd.DataFrame:
    segment = compute_segments(scalars)
    step, code = scalars.step, scalars.code
    if ((step[1:] < step[:-1]) & (code[1:] == code[:-1]) & (segment[1:] == segment[:-1])).any():
        order = np.lexsort((scalars.row, step, segment, code))
        scalars, segment = scalars.select(order), segment[order]
    # Tags without a scalar left (it went to another file or axis) are no categories.
    used = np.flatnonzero(np.bincount(scalars.code, minlength=len(scalars.tags)))
    position = np.zeros(len(scalars.tags), np.int64)
    position[used] = np.arange(len(used))
    tags, merged = np.unique(np.array([scalars.tags[code] for code in used], dtype=object), return_inverse=True)
    named = _downcast(position, len(used))[scalars.code]
    tag = _downcast(merged, len(used))[named]
    originals, original = _merge([scalars.originals[code] for code in used], named)
    columns: dict[Hashable, Any] = {
        "run": pd.Categorical.from_codes(np.zeros(len(scalars), np.int8), pd.Index([run], dtype="str")),
        "step": scalars.step,
        "wall_time": scalars.wall,
        "tag": pd.Categorical.from_codes(tag, pd.Index(tags, dtype="str")),
        "value": scalars.value,
        "original": pd.Categorical.from_codes(original, pd.Index(originals, dtype="str")),
        "segment": segment,
    }
    return pd.DataFrame(columns, copy=False)


def _merge(names: list[str], codes: NDArray[np.integer]) -> tuple[list[str], NDArray[np.integer]]:
    """Each name once: a file may use one twice, and what cannot be shown becomes the same �."""
    index = {name: i for i, name in enumerate(dict.fromkeys(names))}
    if len(index) == len(names):
        return names, codes
    return list(index), _downcast(np.array([index[name] for name in names]), len(index))[codes]


def _concat_categories(parts: list[pd.Series]) -> pd.Categorical:
    names = {name: None for part in parts for name in part.cat.categories}
    index = {name: index for index, name in enumerate(names)}
    codes = [
        _downcast(np.array([index[name] for name in part.cat.categories], np.int64), len(names))[part.cat.codes]
        for part in parts
        if len(part)
    ]
    code = np.concatenate(codes) if codes else np.empty(0, np.int8)
    return pd.Categorical.from_codes(code, pd.Index(list(names), dtype="str"))


def _downcast(codes: NDArray[np.integer], count: int) -> NDArray[np.integer]:
    return codes.astype(np.int8 if count < 2**7 else np.int16 if count < 2**15 else np.int32)


def _common_unit(units: set[str]) -> str:
    return units.pop() if len(units) == 1 else "mixed" if units else "steps"


def _attrs(units: dict[str, str], skipped: list[SkippedLine], total: int) -> dict[Hashable | None, Any]:
    return {
        "step_unit": _common_unit(set(units.values())),
        "step_units": units,
        "skipped": skipped[:MAX_LISTED],
        "skipped_total": total,
        "notebooks": {},
    }
