"""Logs that are being written: each look reads only what was appended since the last."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pandas as pd

from ganlib.logs.frame import LogError, Scalars, build, one_after_another, segments
from ganlib.logs.merging import Part
from ganlib.logs.readers import EVENTS, Format
from ganlib.logs.readers.source import NoLog, Source
from ganlib.logs.readers.tensorboard import records
from ganlib.logs.reading import HEAD, assembled, candidates, recognised, scalars_of
from ganlib.logs.tags import canonical_all

TAIL = 64  # bytes before the place reached; if they changed, the file is another one


class Follower:
    """``read`` of a log, a run's folder or a tree of runs, again and again.

    A half line or record waits until it is whole. A file that was cut, replaced or rewritten is read anew, and so
    is one whose training started over. The frame is the same object as long as nothing was appended.
    """

    def __init__(self, path: Path | str, step: str | None = None) -> None:
        self.path = Path(path).absolute()
        self._step = step
        self._tails: dict[Path, _Tail] = {}
        self._frame: pd.DataFrame | None = None

    def read(self) -> pd.DataFrame:
        """All scalars so far; none from a file that says nothing yet. LogError if there is no such path."""
        tree = self.path.is_dir()
        paths = list(candidates(self.path)) if tree else [self.path]
        gone = [path for path in self._tails if path not in paths]
        changed = bool(gone) or self._frame is None
        for path in gone:
            del self._tails[path]
        for path in paths:
            tail = self._tails.setdefault(path, _Tail(path, self._step))
            try:
                changed |= tail.update()
            except LogError as error:
                if not tree:
                    raise
                if not isinstance(error, NoLog):
                    changed |= tail.fail(error)
        if self._frame is None or changed:
            self._frame = self._built(tree)
        return self._frame

    def _built(self, tree: bool) -> pd.DataFrame:
        sources = [tail.source for tail in self._tails.values()]
        skipped = [line for source in sources for line in source.skipped]
        total = sum(source.total for source in sources)
        if tree:
            parts = [part for tail in self._tails.values() for part in tail.parts()]
            return build(assembled(parts, self.path), skipped, total)
        found = self._tails[self.path].found
        return build({run or self.path.stem: [scalars] for run, scalars in found.items()}, skipped, total)


class _Tail:
    """One file, as far as it was read."""

    def __init__(self, path: Path, step: str | None) -> None:
        self.path, self._step = path, step
        self._stamp: tuple[int, int, int] | None = None
        self._restart()

    def _restart(self) -> None:
        self.source = Source(self.path, self._step)
        self.found: dict[str, Scalars] = {}
        self._form: Format | None = None
        self._offset = 0
        self._before = b""
        self._head = b""

    def parts(self) -> list[Part]:
        return [Part(self._form, scalars, self.path) for scalars in self.found.values() if self._form]

    def fail(self, error: LogError) -> bool:
        self._restart()
        self.source.skip(error.line, error.reason)
        return True

    def update(self) -> bool:
        """Whether there is something new."""
        try:
            with self.path.open("rb") as file:
                status = os.fstat(file.fileno())
                stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
                if stamp == self._stamp:
                    return False
                file.seek(max(self._offset - TAIL, 0))
                before = file.read(min(TAIL, self._offset))
                if before != self._before or (self._stamp and stamp[0] != self._stamp[0]):
                    self._restart()
                    file.seek(0)
                data = file.read()
        except OSError as error:
            raise self.source.error(f"it cannot be opened ({error.strerror})") from None
        self._stamp = stamp
        return self._take(data)

    def _take(self, data: bytes) -> bool:
        if len(self._head) < HEAD:
            # The first lines alone may look like another format, or like none.
            self._head = (self._head[: self._offset] + data)[:HEAD]
            form = recognised(self._head, self.path)
            if form is not self._form and (self._offset or self.found):
                self._restart()
                return self._take(self.path.read_bytes())
            self._form = form
        if self._form is None:
            return False
        if not self._form.appended or self._head.startswith((b"\xff\xfe", b"\xfe\xff")):
            return self._whole(data, self._form)
        if self._form is EVENTS:
            starts, end = records(data)
            count = len(starts)
        else:
            end = data.rfind(b"\n") + 1
            count = data.count(b"\n", 0, end)
        if not end:
            return False
        whole = data[:end]
        levels = {run: _restarts(scalars) for run, scalars in self.found.items()}
        new = scalars_of(self._form, whole, self.source)
        units = {run: scalars.unit for run, scalars in self.found.items()}
        again = any(units.get(scalars.run, scalars.unit) != scalars.unit for scalars in new)
        if not again:
            self._add(new)
            again = any(_restarts(self.found[run]) > level for run, level in levels.items())
        if again and self._offset:
            # What the first lines told may be wrong by now (a step that starts over in each epoch): look at all.
            self._restart()
            return self._take(self.path.read_bytes())
        self.source.first_line += count
        self._offset += end
        self._before = (self._before + whole)[-TAIL:]
        return True

    def _whole(self, data: bytes, form: Format) -> bool:
        """A file that is not appended to, but written anew; half of it is nothing yet."""
        self._restart()
        try:
            self._add(scalars_of(form, data, self.source))
        except LogError:
            return False
        self._form = form
        return True

    def _add(self, new: list[Scalars]) -> None:
        for scalars in new:
            before = self.found.get(scalars.run)
            joined = one_after_another([before, scalars]) if before else scalars
            tags = [tag.name for tag in canonical_all(joined.originals, self.source.dialect)]
            self.found[scalars.run] = replace(joined, tags=tags)


def _restarts(scalars: Scalars) -> int:
    return int(segments(scalars).max(initial=0))
