"""A command over several runs: what is wrong with one must not cost the hours that the others take."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ganlib.distributed import LostProcess
from ganlib.errors import GanlibError
from ganlib.runs import Run


class Failures:
    """``with failures.collect(run)`` prints a GanlibError and goes on; of one run alone it is raised as it is."""

    def __init__(self, runs: Sequence[Run], *, quiet: bool = False) -> None:
        """``quiet``: another process prints."""
        self._several, self._quiet = len(runs) > 1, quiet
        self._names: list[str] = []

    @contextmanager
    def collect(self, run: Run) -> Iterator[None]:
        try:
            yield
        except GanlibError as error:
            if not self._several or isinstance(error, LostProcess):
                raise
            if not self._quiet:
                print(f"ganlib: {error}", file=sys.stderr)
            self._names.append(run.name)

    def raise_any(self, done: str) -> None:
        """GanlibError that names the runs that were not ``done``, "evaluated"."""
        if self._names:
            raise GanlibError(f"Not {done}, for the reasons above: {', '.join(self._names)}.")
