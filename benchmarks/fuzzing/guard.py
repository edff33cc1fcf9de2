"""What a reader may not do: open files elsewhere, connect, start processes, call what a pickle names."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FORBIDDEN = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn", "ctypes.")
WRITES = ("os.remove", "os.rename", "os.rmdir", "os.truncate", "os.symlink", "os.link", "os.chmod", "os.mkdir")
PICKLE = "pickle.find_class"
DATABASE = "sqlite3.connect"
MEMORY = 512 * 2**20  # bytes beyond what the process has


class Guard:
    """``with guard.watching(): …`` collects in ``violations`` what happened outside ``folder``; one a process.

    ``wrote`` says whether anything was written or removed inside.
    """

    def __init__(self, folder: Path) -> None:
        self.violations: list[str] = []
        self.wrote = False
        self._active = False
        self._relevant: dict[str, bool] = {}  # by event: nearly all are of no interest, and there are many
        self._own = (os.path.realpath(folder) + os.sep, os.path.realpath(folder))
        libraries = {sys.prefix, sys.base_prefix, *filter(os.path.isdir, sys.path), str(Path(__file__).parents[2])}
        self._libraries = tuple(os.path.realpath(path) + os.sep for path in libraries)
        sys.addaudithook(self._audit)  # which cannot be taken away again

    @contextmanager
    def watching(self) -> Iterator[None]:
        self.violations.clear()
        self.wrote = False
        self._active = True
        try:
            yield
        finally:
            self._active = False

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._active:
            return
        relevant = self._relevant.get(event)
        if relevant is None:
            exact = event in ("open", DATABASE, PICKLE)
            relevant = self._relevant[event] = exact or event.startswith((*WRITES, *FORBIDDEN))
        if relevant:
            self._judge(event, arguments)

    def _judge(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            self._check_path(event, path, writes=bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)))
        elif event.startswith(WRITES):
            self.wrote = True
            if event != "os.truncate" and arguments[-1] not in (-1, None):
                return  # in a folder that was opened before
            self._check_path(event, arguments[event == "os.symlink"], writes=True)  # of a link, where it comes to lie
        elif event == DATABASE:
            self._check_path(event, str(arguments[0]).removeprefix("file:").partition("?")[0], writes=True)
        else:
            self.violations.append(f"{event} {arguments!r}"[:200])

    def _check_path(self, event: str, path: Any, *, writes: bool) -> None:
        self.wrote |= writes
        if isinstance(path, int) or path is None:  # a file that is open already
            return
        real = os.path.realpath(os.fsdecode(path))
        if real.startswith(self._own[0]) or real == self._own[1] or real == os.devnull:
            return
        if real.startswith(self._libraries) and not writes:  # modules that are imported late
            return
        self.violations.append(f"{event} {real}"[:200])


def limit_memory() -> None:
    """From now on the process may map ``MEMORY`` more than it has mapped."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
