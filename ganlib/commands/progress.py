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
        self._start = self._last = time.monotonic()
        self._width = 0

    def update(self, text: str, *, share: float, seconds: float | None = None) -> None:
        """share: 0 … 1 of the work; seconds: spent on it, when not since this line began."""
        now = time.monotonic()
        if now - self._last < self._every:
            return
        self._last = now
        spent = now - self._start if seconds is None else seconds
        left = f"{duration(spent / share - spent)} left" if share > 0 else ""
        text = f"{text}  {share:4.0%}  {left}"
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
