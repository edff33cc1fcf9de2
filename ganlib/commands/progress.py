"""A progress line that rewrites itself on a terminal and stays readable in a log file.

``GANLIB_PROGRESS``: seconds between its lines where there is no terminal.
"""

from __future__ import annotations

import os
import sys
import time


class ProgressLine:
    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._every = 0.5 if self._live else float(os.environ.get("GANLIB_PROGRESS", 30))
        self._last = time.monotonic()
        self._width = 0
        self._stage, self._start, self._kept = "", 0.0, 0

    def stage(self, name: str, what: str, done: int, total: int) -> None:
        """One of several kinds of work on ``name``. What the first report of each counts may have been kept from an
        earlier attempt: the time left is reckoned from what came since.
        """
        now = time.monotonic()
        if what != self._stage:
            self._stage, self._start, self._kept = what, now, done
        new = done - self._kept
        seconds = (now - self._start) * done / new if new else 0.0
        self.update(f"{name}  {what}  {done:,} of {total:,}", share=done / total, seconds=seconds)

    def update(self, text: str, *, share: float, seconds: float) -> None:
        """share: 0 … 1 of the work; seconds: spent on it, 0 where that is not known."""
        now = time.monotonic()
        if now - self._last < self._every:
            return
        self._last = now
        left = f"{duration(seconds / share - seconds)} left" if share and seconds else ""
        text = f"{text}  {share:4.0%}  {left}".rstrip()
        if self._live:
            print(f"\r{text.ljust(self._width)}", end="", file=sys.stderr, flush=True)
            self._width = len(text)
        else:
            print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._live and self._width:
            print(file=sys.stderr)


def duration(seconds: float) -> str:
    """3725 -> "1:02:05"."""
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02}:{s:02}" if hours else f"{m}:{s:02}"
