"""``log.csv`` of runs -> one tidy frame, a row per scalar."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from ganlib.errors import GanlibError
from ganlib.experiments.naming import run_names

INDEX = ["step", "images", "wall_time"]
COLUMNS = ["run", *INDEX, "tag", "value"]
LONGEST_GAP = 10  # median intervals; a longer one is a pause: the run was stopped and resumed


def read_log(path: Path, run: str) -> pd.DataFrame:
    """The scalars of one log: ``run, step, images, wall_time, tag, value``, sorted by tag, then step.

    ``run`` and ``tag`` are categories, ``step`` and ``images`` int64, ``wall_time`` (Unix seconds) and
    ``value`` float64. A cell left blank was not logged and is no row; a logged NaN or infinity is one. A last
    line without its newline is being written at this moment and waits for the next reading.
    GanlibError if the file is missing, empty, or not such a log.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, str(error)) from None
    text = text[: text.rfind("\n") + 1]
    columns = next(csv.reader(io.StringIO(text)), [])
    if missing := [name for name in INDEX if name not in columns]:
        what = f"it has no column {', '.join(missing)}" if columns else "it is empty"
        raise _unreadable(path, what)
    if len(set(columns)) < len(columns):
        raise _unreadable(path, "it has two columns of one name")
    try:
        wide = pd.read_csv(io.StringIO(text), dtype=np.float64)
        logged = _logged(text, wide)
    except ValueError as error:  # pandas' parser errors are ValueErrors too
        raise _unreadable(path, str(error)) from None
    if not isinstance(wide.index, pd.RangeIndex):  # pandas took the first cells for row names
        raise _unreadable(path, "its rows are longer than its header")
    index = wide[INDEX].to_numpy()
    if not np.isfinite(index).all() or (index[:, :2] % 1).any() or (np.abs(index) >= 2**53).any():
        raise _unreadable(path, "a step, images or wall_time is no number")
    return _long(wide, logged, run)


def read_runs(folders: Iterable[Path]) -> tuple[pd.DataFrame, list[str]]:
    """The logs of all run folders in one frame, and a sentence for each log that could not be read.

    A run is called as ``run_names`` says; one without a log contributes nothing.
    """
    frames, broken = [], []
    for folder, name in run_names(folders).items():
        if not (folder / "log.csv").exists():
            continue
        try:
            frames.append(read_log(folder / "log.csv", name))
        except GanlibError as error:
            broken.append(str(error))
    if not frames:
        return _frame([], [], np.empty((0, 3)), np.empty(0), np.empty(0, int), np.empty(0, int)), broken
    # Concatenating different categories would give plain text: all frames first get the same ones.
    for key in ("run", "tag"):
        union = pd.Index(sorted({c for frame in frames for c in frame[key].cat.categories}), dtype="str")
        for frame in frames:
            frame[key] = frame[key].cat.set_categories(union)
    return pd.concat(frames, ignore_index=True), broken


def elapsed(frame: pd.DataFrame) -> pd.Series[float]:
    """Seconds of training since each run's first row in the frame, as a column of the frame.

    The intervals between a run's rows add up, but one longer than ten times their median counts as the
    median: the run was stopped there and resumed, and nothing was learned meanwhile. A clock set back counts
    as no time. Call it before choosing tags: among a rare tag's own long intervals a pause goes unnoticed.
    """
    seconds = np.zeros(len(frame))
    for positions in frame.groupby("run", observed=True).indices.values():
        rows = frame.iloc[positions]
        _, first, inverse = np.unique(rows["step"].to_numpy(), return_index=True, return_inverse=True)
        intervals = np.maximum(np.diff(rows["wall_time"].to_numpy()[first]), 0)
        if len(intervals):
            median = np.median(intervals)
            if median > 0:
                intervals[intervals > LONGEST_GAP * median] = median
        seconds[positions] = np.concatenate([[0.0], np.cumsum(intervals)])[inverse]
    return pd.Series(seconds, index=frame.index, name="elapsed")


def _logged(text: str, wide: pd.DataFrame) -> np.ndarray:
    """(rows, columns) bool. A cell read as NaN may say "nan": only then is the text looked at again."""
    logged = wide.notna().to_numpy()
    if not logged.all() and "nan" in text.lower():
        cells = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
        logged |= cells.apply(lambda column: column.str.strip().str.lower() == "nan").to_numpy(dtype=bool)
    return logged


def _long(wide: pd.DataFrame, logged: np.ndarray, run: str) -> pd.DataFrame:
    order = np.argsort(wide["step"].to_numpy(), kind="stable")
    places = {tag: place for place, tag in enumerate(wide.columns) if tag not in INDEX}
    tags = sorted(tag for tag, place in places.items() if logged[:, place].any())
    chosen = np.ix_(order, np.array([places[tag] for tag in tags], dtype=np.int64))
    mask = logged[chosen].T.ravel()  # transposed: all rows of the first tag, then the next
    values = wide.to_numpy()[chosen].T.ravel()[mask]
    codes = np.repeat(np.arange(len(tags)), len(order))[mask]
    index = np.tile(wide[INDEX].to_numpy()[order], (len(tags), 1))[mask]
    return _frame([run], tags, index, values, np.zeros(len(values), int), codes)


def _frame(
    runs: list[str], tags: list[str], index: np.ndarray, values: np.ndarray, run: np.ndarray, tag: np.ndarray
) -> pd.DataFrame:
    columns = {
        "run": pd.Categorical.from_codes(run, pd.Index(runs, dtype="str")),
        "step": index[:, 0].astype(np.int64),
        "images": index[:, 1].astype(np.int64),
        "wall_time": index[:, 2],
        "tag": pd.Categorical.from_codes(tag, pd.Index(tags, dtype="str")),
        "value": values.astype(np.float64),
    }
    return pd.DataFrame(columns, columns=COLUMNS)


def _unreadable(path: Path, reason: str) -> GanlibError:
    reason = " ".join(reason.split()).rstrip(".")[:160]
    return GanlibError(f"{path} is no readable training log ({reason}); restore or delete it.")
