"""Logs that are still being written: each read parses only what was appended since the last."""

from __future__ import annotations

import os
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from ganlib.logs.frame import LogError, Scalars, build_frame, concat_scalars
from ganlib.logs.merging import FileScalars
from ganlib.logs.readers import LogFormat
from ganlib.logs.readers.cells import concat_cells
from ganlib.logs.readers.source import NotALog, Source
from ganlib.logs.readers.trainings import cells_to_runs
from ganlib.logs.reading import HEAD_BYTES, candidate_files, detect_format, parse_scalars, scalars_by_run
from ganlib.logs.tags import canonical_tags

COMPARED_BYTES = 64  # before the offset: if they changed, the file was replaced


class Follower:
    """``read`` of a log, a run's folder or a tree of runs, again and again.

    Half a line or record waits until it is complete. A file that was truncated, replaced or rewritten is read anew,
    and so is one whose training started over. The frame is the same object as long as nothing was appended.
    """

    def __init__(self, path: Path | str, step: str | None = None) -> None:
        self.path = Path(path).absolute()
        self._step = step
        self._files: dict[Path, _FollowedFile] = {}
        self._frame: pd.DataFrame | None = None

    def read(self) -> pd.DataFrame:
        """All scalars so far; an empty frame for a file without any yet. LogError if there is no such path."""
        is_tree = self.path.is_dir()
        paths = list(candidate_files(self.path)) if is_tree else [self.path]
        removed = [path for path in self._files if path not in paths]
        changed = bool(removed) or self._frame is None
        for path in removed:
            del self._files[path]
        for path in paths:
            file = self._files.setdefault(path, _FollowedFile(path, self._step))
            try:
                changed |= file.update()
            except LogError as error:
                if not is_tree:
                    raise
                if not isinstance(error, NotALog):
                    file.reset(error)
                    changed = True
        if self._frame is None or changed:
            self._frame = self._build_frame(is_tree)
        return self._frame

    def _build_frame(self, is_tree: bool) -> pd.DataFrame:
        sources = [source for file in self._files.values() for source in file.sources()]
        skipped = [line for source in sources for line in source.skipped]
        total = sum(source.skipped_total for source in sources)
        if is_tree:
            files = [file_scalars for file in self._files.values() for file_scalars in file.file_scalars()]
            return build_frame(scalars_by_run(files, self.path), skipped, total)
        runs = self._files[self.path].scalars
        return build_frame({run or self.path.stem: [scalars] for run, scalars in runs.items()}, skipped, total)


class _FollowedFile:
    """One file, as far as it was read."""

    def __init__(self, path: Path, step: str | None) -> None:
        self.path, self._step = path, step
        self._stat: tuple[int, ...] | None = None
        self.reset()

    def reset(self, error: LogError | None = None) -> None:
        """Forget what was read; of an unreadable file the error remains."""
        self.source = Source(self.path, self._step, keeps_cells=True)
        self._steps = Source(self.path)  # what was skipped because it has no step
        self._parts: dict[str, Scalars] = {}  # by run
        self.scalars: dict[str, Scalars] = {}  # the same with their steps
        self._format: LogFormat | None = None
        self._offset = 0
        self._last_bytes = b""
        self._head = b""
        self._is_redrawn = False
        if error:
            self.source.skip(error.line, error.reason)

    def sources(self) -> tuple[Source, Source]:
        return self.source, self._steps

    def file_scalars(self) -> list[FileScalars]:
        return [FileScalars(self._format, scalars, self.path) for scalars in self.scalars.values() if self._format]

    def update(self) -> bool:
        """Read what was appended; whether there was anything."""
        try:
            with self.path.open("rb") as file:
                status = os.fstat(file.fileno())
                stat = (status.st_ino, status.st_size, status.st_mtime_ns, *self._stat_unmerged())
                if stat == self._stat:
                    return False
                file.seek(max(self._offset - COMPARED_BYTES, 0))
                last_bytes = file.read(min(COMPARED_BYTES, self._offset))
                if last_bytes != self._last_bytes or (self._stat and stat[0] != self._stat[0]):
                    self.reset()
                    file.seek(0)
                data = self._read_content(file)
        except OSError as error:
            raise self.source.error(f"it cannot be opened ({error.strerror})") from None
        self._stat = stat
        return self._parse(data)

    def _stat_unmerged(self) -> tuple[int, ...]:
        """Size and time of what a database has not merged into its file yet."""
        if not self._format or self._format.content != "path":
            return ()
        try:
            status = os.stat(f"{self.path}-wal")
        except OSError:
            return ()
        return status.st_size, status.st_mtime_ns

    def _read_content(self, file: BinaryIO) -> bytes:
        """The rest of the file; of one that its reader opens itself only the head."""
        if self._format and self._format.content != "path":
            return file.read()
        head = file.read(HEAD_BYTES)
        log_format = self._format or detect_format(head, self.path)
        return head if log_format and log_format.content == "path" else head + file.read()

    def _parse(self, data: bytes) -> bool:
        if len(self._head) < HEAD_BYTES:
            # The first lines alone may look like another format, or like none.
            self._head = (self._head[: self._offset] + data)[:HEAD_BYTES]
            log_format = detect_format(self._head, self.path)
            if log_format is not self._format and (self._offset or self.scalars):
                return self._parse_again()
            self._format = log_format
        if self._format is None:
            return False
        if not self._format.appended or self._head.startswith((b"\xff\xfe", b"\xfe\xff")):
            return self._parse_document(data, self._format)
        return self._parse_appended(data, self._format)

    def _parse_again(self) -> bool:
        self.reset()
        with self.path.open("rb") as file:
            return self._parse(self._read_content(file))

    def _parse_document(self, data: bytes, log_format: LogFormat) -> bool:
        """A file that is not appended to, but rewritten; half of it is nothing yet."""
        self.reset()
        try:
            self._parts = {part.run: part for part in parse_scalars(log_format, data, self.source)}
        except LogError:
            return False
        self._find_steps([])
        self._format = log_format
        return True

    def _parse_appended(self, data: bytes, log_format: LogFormat) -> bool:
        end, count = log_format.find_end(data, self.source)
        if end:
            self._is_redrawn = data[end - 1 : end] in (b"\r", b"\x08")
            complete = data[:end]
            appended = parse_scalars(log_format, complete, self.source)
            units = {run: part.unit for run, part in self._parts.items()}
            other_unit = any(units.get(part.run, part.unit) != part.unit for part in appended)
            if (other_unit or self.source.state.pop("read again", False)) and self._offset:
                return self._parse_again()  # the first lines were taken for something else
            for part in appended:
                self._parts[part.run] = self._join(self._parts.get(part.run), part)
            self.source.first_line += count
            self._offset += end
            self._last_bytes = (self._last_bytes + complete)[-COMPARED_BYTES:]
        # Of a bar that is drawn anew after a carriage return, the last drawing has no end yet.
        is_bar = self._is_redrawn and log_format.name == "text"
        last = self._parse_last_line(data[end:], log_format) if is_bar and data[end:].strip() else []
        if end or last:
            self._find_steps(last)
        return bool(end or last)

    def _parse_last_line(self, data: bytes, log_format: LogFormat) -> list[Scalars]:
        source = replace(self.source, state=deepcopy(self.source.state), skipped=[])
        try:
            return parse_scalars(log_format, data, source)
        except LogError:
            return []

    def _join(self, earlier: Scalars | None, later: Scalars) -> Scalars:
        if earlier is None:
            return later
        if later.cells is not None:
            return replace(later, cells=concat_cells(earlier.cells, later.cells))
        joined = concat_scalars([earlier, later])
        tags = [tag.name for tag in canonical_tags(joined.originals, self.source.aliases)]
        return replace(joined, tags=tags)

    def _find_steps(self, last: list[Scalars]) -> None:
        """The scalars so far: the step of a line may depend on all lines. ``last``: of a line that is not yet whole."""
        parts = self._parts | {part.run: self._join(self._parts.get(part.run), part) for part in last}
        self._steps = Source(self.path, self._step, aliases=self.source.aliases)
        self.scalars = {
            scalars.run: scalars
            for part in parts.values()
            for scalars in ([part] if part.cells is None else cells_to_runs(part.cells, self._steps))
        }
