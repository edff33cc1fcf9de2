"""SQLite databases of MLflow (``mlflow.db``, its default since 3.7) and trackio (``<project>.db``), read-only."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.columns import Column, columns_to_scalars
from ganlib.logs.readers.records import RecordTable, table_to_scalars
from ganlib.logs.readers.source import Source

MAGIC = b"SQLite format 3\0"
MAX_ROWS = 20_000_000  # of one database; a million take about a second
MAX_SECONDS = 120.0  # of one query: a database may define tables that never end
ROWS_AT_ONCE = 10_000
_LARGEST = 1.7976931348623157e308  # stands for infinity in MLflow


def matches(data: bytes, path: Path) -> bool:
    return data.startswith(MAGIC)


def read(_: bytes, source: Source) -> list[Scalars]:
    """The runs of a database; NotALog for one that is of another program."""
    try:
        with _open_read_only(source.path) as database:
            columns = _metric_columns(database)
            if {"key", "value", "timestamp", "run_uuid", "step"} <= columns:
                return _read_mlflow(database, source)
            if {"timestamp", "run_name", "step", "metrics"} <= columns:
                return _read_trackio(database, source, "run_id" if "run_id" in columns else "run_name")
    except (sqlite3.Error, UnicodeDecodeError, OSError) as error:  # names of columns may be no text
        raise source.error(f"the database cannot be read ({error})") from None
    raise source.not_a_log("it is a database, but none of MLflow or trackio")


@contextmanager
def _open_read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that leaves no file and no lock beside the database.

    What a running writer has not merged yet lies in ``<name>-wal``. SQLite would need a third file beside it, so
    both are read from a copy.
    """
    log = Path(f"{path}-wal")
    with tempfile.TemporaryDirectory() as folder:
        if log.exists() and log.stat().st_size:
            copy = Path(folder, "copy.db")
            shutil.copyfile(path, copy)
            shutil.copyfile(log, f"{copy}-wal")
            uri = f"{copy.as_uri()}?mode=rw"
        else:
            uri = f"{path.as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as database:
            database.text_factory = lambda text: text.decode("utf-8", errors="replace")
            database.execute("PRAGMA trusted_schema = OFF")
            end = time.monotonic() + MAX_SECONDS
            database.set_progress_handler(lambda: time.monotonic() > end, 100_000)
            yield database


def _metric_columns(database: sqlite3.Connection) -> set[str]:
    """The columns of the table ``metrics``; none for a view or a virtual table, which could run anything."""
    query = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'metrics'"
    definitions = [str(sql) for (sql,) in database.execute(query)]
    if len(definitions) != 1 or not definitions[0].lstrip().upper().startswith("CREATE TABLE"):
        return set()
    return {str(row[1]) for row in database.execute("PRAGMA table_info(metrics)")}


def _read_mlflow(database: sqlite3.Connection, source: Source) -> list[Scalars]:
    names, deleted = _mlflow_runs(database)
    keys: dict[str, int] = {}
    runs: dict[str, int] = {}
    blocks = [pd.DataFrame({name: np.empty(0) for name in ("run", "key", "step", "time", "value")})]
    query = "SELECT run_uuid, key, step, timestamp, CASE WHEN is_nan THEN 'nan' ELSE value END FROM metrics"
    for rows in _iter_blocks(database, query, source):
        block = pd.DataFrame(rows, columns=["run", "key", "step", "time", "value"])
        for name in ("step", "time", "value"):
            block[name] = pd.to_numeric(block[name], errors="coerce").astype(np.float64)
        for name, codes in (("run", runs), ("key", keys)):
            block[name] = [codes.setdefault(str(text), len(codes)) for text in block[name]]
        blocks.append(block)
    table = pd.concat(blocks[1:] or blocks, ignore_index=True)
    table["value"] = table["value"].replace({_LARGEST: np.inf, -_LARGEST: -np.inf})
    if deleted:
        source.skip(None, f"{len(deleted)} run{'s are' if len(deleted) > 1 else ' is'} deleted")
    tags, uuids = list(keys), list(runs)
    rows_by_run = dict(table.groupby("run").indices)
    return [
        scalars
        for code, uuid in enumerate(uuids)
        if uuid not in deleted
        for scalars in _mlflow_scalars(table.iloc[rows_by_run[code]], tags, names.get(uuid, uuid), source)
    ]


def _mlflow_scalars(rows: pd.DataFrame, tags: list[str], run: str, source: Source) -> list[Scalars]:
    """The scalars of one run, a row for each. Who logs without a step gets step 0 each time: these are counted."""
    # As they were logged: the steps of a resumed run go back, and what it logs again is not a second point of each.
    rows = rows.sort_values(["time", "step"], kind="stable")
    step = rows["step"].to_numpy(np.float64)
    if not step.any():
        step = rows.groupby("key").cumcount().to_numpy(np.float64)
    index = np.arange(len(rows), dtype=np.int32)
    columns = [Column("step", index, step), Column("timestamp", index, rows["time"].to_numpy())]
    values, codes = rows["value"].to_numpy(), rows["key"].to_numpy()
    order = np.argsort(codes, kind="stable")
    bounds = np.flatnonzero(np.diff(codes[order], prepend=-1, append=-1))
    for first, last in pairwise(bounds.tolist()):
        own = order[first:last]
        columns.append(Column(tags[int(codes[own[0]])], index[own], values[own]))
    return columns_to_scalars(columns, np.arange(1, len(rows) + 1), source, run)


def _mlflow_runs(database: sqlite3.Connection) -> tuple[dict[str, str], set[str]]:
    """The runs' names by identifier, the experiment before them where there are several; the deleted runs."""
    query = (
        "SELECT r.run_uuid, coalesce(nullif(r.name, ''), t.value, r.run_uuid), e.name, r.lifecycle_stage FROM runs r "
        "LEFT JOIN tags t ON t.run_uuid = r.run_uuid AND t.key = 'mlflow.runName' "
        "LEFT JOIN experiments e ON e.experiment_id = r.experiment_id"
    )
    rows = [tuple(map(str, row)) for row in database.execute(query)]
    deleted = {run for run, _, _, stage in rows if stage == "deleted"}
    alive = [row for row in rows if row[0] not in deleted]
    several = len({experiment for _, _, experiment, _ in alive}) > 1
    names = {run: f"{experiment}/{name}" if several else name for run, name, experiment, _ in alive}
    return _distinct(names), deleted


def _read_trackio(database: sqlite3.Connection, source: Source, identifier: str) -> list[Scalars]:
    tables: dict[str, RecordTable] = {}
    names: dict[str, str] = {}
    query = f"SELECT {identifier}, run_name, step, timestamp, metrics FROM metrics ORDER BY rowid"
    records: dict[str, list[dict[str, Any]]] = {}
    rows = (row for block in _iter_blocks(database, query, source) for row in block)
    for number, (run, name, step, stamp, text) in enumerate(rows, 1):
        try:
            metrics = json.loads(text)
        except (TypeError, ValueError, RecursionError):
            metrics = None
        if not isinstance(metrics, dict) or not isinstance(step, int | float):
            source.skip(number, "the row holds no metrics at a step")
            continue
        names.setdefault(str(run), str(name))
        own = records.setdefault(str(run), [])
        own.append({"step": step, "timestamp": str(stamp)} | metrics)
        if len(own) == ROWS_AT_ONCE:
            tables.setdefault(str(run), RecordTable()).add(own)
            own.clear()
    for run, rest in records.items():
        tables.setdefault(run, RecordTable()).add(rest)
    distinct = _distinct(names)
    return [
        scalars
        for run, table in tables.items()
        for scalars in table_to_scalars(table, list(range(1, table.rows + 1)), source, distinct[run])
    ]


def _iter_blocks(database: sqlite3.Connection, query: str, source: Source) -> Iterator[list[tuple[Any, ...]]]:
    cursor, total = database.execute(query), 0
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        total += len(rows)
        if total > MAX_ROWS:
            raise source.error(f"it holds more than {MAX_ROWS:,} values; delete runs or read an export of some")
        yield rows


def _distinct(names: dict[str, str]) -> dict[str, str]:
    """Names of which several are the same with the start of their identifier."""
    seen = pd.Series(names, dtype="object")
    several = set(seen[seen.duplicated(keep=False)])
    return {run: f"{name} ({run[:8]})" if name in several else name for run, name in names.items()}
