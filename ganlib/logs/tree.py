"""A tree of many runs of which few are looked at: all are listed from the heads of their logs, the chosen are read."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd

from ganlib.errors import GanlibError
from ganlib.files import read_json, write_atomically
from ganlib.logs.follow import Follower
from ganlib.logs.frame import LogError, concat
from ganlib.logs.merging import FileScalars
from ganlib.logs.readers.source import NotALog, Source
from ganlib.logs.reading import candidate_files, is_candidate, read, read_file, read_head, scalars_by_run
from ganlib.settings import log_cache

PARTS = frozenset(["metrics", "files", "data"])  # folders of a run: MLflow's, Weights & Biases', mimicry's
SETTLED_SECONDS = 60  # since a log was written to, until it is taken to be finished
MAX_ROWS = 5_000_000  # of runs that are no longer chosen, but may be again

Stats = dict[str, tuple[int, int]]  # of a folder's files, by path: size and time


class LogTree:
    """Folders of runs below a folder. ``runs`` lists them, ``read`` reads some; both again and again."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root).absolute()
        self.errors: list[str] = []  # a sentence for each log that could not be read
        self._folders: dict[Path, _Folder] = {}
        self._owners: dict[str, tuple[_Folder, str]] = {}  # of each run, and its name there
        key = hashlib.blake2b(os.fsencode(self.root), digest_size=12).hexdigest()
        self._listing = log_cache() / f"listing-{key}.json"
        self._known = _load_listing(self._listing)
        self._listed = float("-inf")  # when
        self._joined: tuple[list[pd.DataFrame], pd.DataFrame] = ([], concat([]))

    def runs(self, max_age: float = 0) -> dict[str, list[str]]:
        """Run -> tags, those of the log's first lines where it was not read yet. ``max_age``: seconds that the list
        of folders may be old.
        """
        if time.monotonic() - self._listed < max_age:
            return {run: folder.tags[name] for run, (folder, name) in self._owners.items()}
        self._listed = time.monotonic()
        found = self._find()
        for path in set(self._folders) - set(found):
            del self._folders[path]
        self._owners, self.errors = {}, []
        changed = False
        for path, stats in found.items():
            folder = self._folders.setdefault(path, _Folder(path))
            changed |= folder.list_runs(stats, self._known)
            self.errors += folder.errors
            for name in folder.tags:
                self._owners[self._title(path, name)] = (folder, name)
        if changed:
            self._known = {str(path): folder.to_json() for path, folder in self._folders.items()}
            with suppress(OSError, GanlibError):
                write_atomically(self._listing, json.dumps(self._known).encode())
        return {run: folder.tags[name] for run, (folder, name) in self._owners.items()}

    def _find(self) -> dict[Path, Stats]:
        return dict(run_folders(self.root))

    def _title(self, path: Path, name: str) -> str:
        """A name that no other run has."""
        ways = (name, f"{path.parent.name}/{name}", f"{path}/{name}")
        return next((way for way in ways if way not in self._owners), ways[-1])

    def read(self, runs: Iterable[str]) -> pd.DataFrame:
        """All scalars of these runs, of those that ``runs`` listed; the same frame while nothing was appended."""
        frames = []
        chosen: dict[Path, None] = {}
        for run in runs:
            if run in self._owners:
                folder, name = self._owners[run]
                chosen[folder.path] = None
                frames.append(folder.read_run(name, run))
        self._forget(chosen)
        if [id(frame) for frame in frames] != [id(frame) for frame in self._joined[0]]:
            self._joined = frames, concat(frames)
        return self._joined[1]

    def _forget(self, chosen: dict[Path, None]) -> None:
        """Drop the scalars of folders that are not chosen, beyond a limit."""
        others = [folder for path, folder in self._folders.items() if path not in chosen and folder.rows]
        rows = sum(folder.rows for folder in others)
        for folder in others:
            if rows <= MAX_ROWS:
                break
            rows -= folder.rows
            folder.forget()


class RunLogs(LogTree):
    """The logs of this project's runs: ``titles`` gives the name of the run of each file."""

    def __init__(self, titles: Callable[[], Mapping[Path, str]]) -> None:
        super().__init__("run logs")
        self._titles = titles
        self._current: Mapping[Path, str] = {}

    def _find(self) -> dict[Path, Stats]:
        self._current = self._titles()
        return {path: stats for path in self._current if (stats := stat_files(path))}

    def _title(self, path: Path, name: str) -> str:
        return self._current[path]


class _Folder:
    """A folder with one or more runs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tags: dict[str, list[str]] = {}  # by run
        self.errors: list[str] = []
        self._stats: Stats = {}
        self._frame: pd.DataFrame | None = None
        self._read_at: Stats = {}  # what the files were like when they were read
        self._follower: Follower | None = None
        self._runs: dict[str, tuple[pd.DataFrame, str, pd.DataFrame]] = {}  # whole frame, name, the run's own

    @property
    def rows(self) -> int:
        return 0 if self._frame is None else len(self._frame)

    def forget(self) -> None:
        self._frame = self._follower = None
        self._runs.clear()

    def to_json(self) -> dict[str, object]:
        return {"stats": self._stats, "tags": self.tags}

    def list_runs(self, stats: Stats, known: dict[str, dict[str, object]]) -> bool:
        """Find the runs; whether they had to be looked up in the files."""
        if stats == self._stats:
            return False
        before = self._stats
        if not before and (entry := known.get(str(self.path))):
            before, self.tags = _to_stats(entry["stats"]), dict(entry["tags"])  # type: ignore[call-overload]
        self._stats = stats
        # A file that only grew has the runs that it had.
        if self.tags and before.keys() == stats.keys() and all(stats[name][0] >= before[name][0] for name in stats):
            return before != stats
        self.tags, self.errors = _runs_in_heads(self.path)
        return True

    def read_run(self, name: str, title: str) -> pd.DataFrame:
        """A run's scalars under another name."""
        frame = self._read()
        if len(frame) and name not in frame["run"].cat.categories:
            # The log's head did not show yet that it holds several trainings: they are listed from now on.
            by_run = frame.groupby("run", observed=True)["tag"]
            self.tags = {str(run): sorted(tags.astype(str).unique()) for run, tags in by_run}
            return frame
        cached = self._runs.get(name)
        if cached is None or cached[0] is not frame or cached[1] != title:
            own = frame[frame["run"] == name]
            unit = frame.attrs["step_units"].get(name, "steps")
            own = own.assign(run=pd.Categorical.from_codes(np.zeros(len(own), np.int8), pd.Index([title], dtype="str")))
            origin = frame.attrs.get("notebooks", {}).get(name)
            notebooks = {title: origin} if origin else {}
            own.attrs = frame.attrs | {"step_units": {title: unit}, "step_unit": unit, "notebooks": notebooks}
            self._runs[name] = cached = frame, title, own
            self.tags[name] = sorted(own["tag"].astype(str).unique())
        return cached[2]

    def _read(self) -> pd.DataFrame:
        if self._follower is None and self._frame is not None:
            if stat_files(self.path) == self._read_at:
                return self._frame
            self._follower = Follower(self.path)  # it goes on after all
        try:
            newest = max((stamp for _, stamp in self._stats.values()), default=0) / 1e9
            if self._follower is None and self._frame is None and time.time() - newest > SETTLED_SECONDS:
                self._read_at = stat_files(self.path)
                self._frame = read(self.path)
            else:
                self._follower = self._follower or Follower(self.path)
                self._frame = self._follower.read()
        except LogError as error:
            self.errors = [str(error)]
            self._frame = concat([])
        return self._frame


def run_folders(root: Path) -> Iterator[tuple[Path, Stats]]:
    """Each folder whose logs belong together, and its files.

    Links to folders are followed, but into none that is met without them or was met: Weights & Biases links its latest
    run, and a link upwards has no end.
    """
    return _run_folders(root, [os.path.realpath(root)])


def _run_folders(root: Path, linked: list[str]) -> Iterator[tuple[Path, Stats]]:
    """``linked``: real paths of the tree and of what links in it led to so far."""
    try:
        with os.scandir(root) as scanner:
            entries = sorted(scanner, key=lambda entry: entry.name)
    except OSError:
        return
    folders = [entry for entry in entries if not entry.name.startswith(".") and _is(entry.is_dir)]
    has_logs = any(is_candidate(entry.name) and _is(entry.is_file) for entry in entries)
    if has_logs or PARTS & {entry.name for entry in folders}:
        stats = stat_files(root)
        if stats:
            yield root, stats
        return
    for entry in folders:
        if entry.is_symlink():
            target = Path(os.path.realpath(entry.path))
            if any(target.is_relative_to(known) for known in linked):
                continue
            linked.append(str(target))
        yield from _run_folders(Path(entry.path), linked)


def _is(test: Callable[[], bool]) -> bool:
    """False for a link to itself as well, of which the system raises an error."""
    try:
        return test()
    except OSError:
        return False


def stat_files(path: Path) -> Stats:
    """Size and time of a log, or of each below a folder."""
    stats = {}
    for file in candidate_files(path) if path.is_dir() else [path]:
        with suppress(OSError):
            status = file.stat()
            stats[os.path.relpath(file, path)] = (status.st_size, status.st_mtime_ns)
    return stats


def _runs_in_heads(folder: Path) -> tuple[dict[str, list[str]], list[str]]:
    """Run -> tags as the first lines of the folder's logs have them, and what could not be read."""
    files, errors = [], []
    for path in [folder] if folder.is_file() else candidate_files(folder):
        source = Source(path)
        try:
            log_format, scalars = read_head(source) or read_file(source)
        except NotALog as error:
            if folder.is_file():  # which is to be a log; in a folder there may be anything
                errors.append(str(error))
            continue
        except LogError as error:
            errors.append(str(error))
            continue
        if log_format is None and folder.is_file():
            errors.append(str(LogError(path, None, "it is of no known format")))
        if source.skipped and not any(map(len, scalars)):
            first = source.skipped[0]
            errors.append(str(LogError(path, first.line, first.reason)))
        files += [FileScalars(log_format, part, path) for part in scalars if log_format]
    if folder.is_file():
        return ({folder.stem: sorted({tag for file in files for tag in file.scalars.tags})} if files else {}), errors
    runs = scalars_by_run(files, folder)
    return {run: sorted({tag for part in parts for tag in part.tags}) for run, parts in runs.items()}, errors


def _to_stats(value: object) -> Stats:
    return {str(name): (int(pair[0]), int(pair[1])) for name, pair in dict(value).items()}  # type: ignore[call-overload]


def _load_listing(path: Path) -> dict[str, dict[str, object]]:
    try:
        listing = read_json(path)
        return {str(folder): {"stats": dict(e["stats"]), "tags": dict(e["tags"])} for folder, e in listing.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}
