"""A progress line that rewrites itself on a terminal and stays readable in a log file."""

from __future__ import annotations

import sys
import time

from ganlib.settings import progress_interval


class ProgressLine:
    def __init__(self) -> None:
        self._on_terminal = sys.stderr.isatty()
        self._interval = 0.5 if self._on_terminal else progress_interval()
        self._last = time.monotonic()
        self._width = 0
        self._stage, self._start, self._initial = "", 0.0, 0

    def update_stage(self, name: str, stage: str, done: int, total: int) -> None:
        """One of several stages of work on ``name``. The first report of a stage may count what an earlier attempt left
        finished: the time left is estimated from what came since.
        """
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._start, self._initial = stage, now, done
        new = done - self._initial
        seconds = (now - self._start) * done / new if new else 0.0
        self.update(f"{name}  {stage}  {done:,} of {total:,}", fraction=done / total, seconds=seconds)

    def update(self, text: str, *, fraction: float, seconds: float) -> None:
        """fraction: 0 … 1 of the work; seconds: spent on it, 0 where that is not known."""
        now = time.monotonic()
        if now - self._last < self._interval:
            return
        self._last = now
        left = f"{duration(seconds / fraction - seconds)} left" if fraction and seconds else ""
        text = f"{text}  {fraction:4.0%}  {left}".rstrip()
        if self._on_terminal:
            print(f"\r{text.ljust(self._width)}", end="", file=sys.stderr, flush=True)
            self._width = len(text)
        else:
            print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._on_terminal and self._width:
            print(file=sys.stderr)


def duration(seconds: float) -> str:
    """3725 -> "1:02:05"."""
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02}:{s:02}" if hours else f"{m}:{s:02}"
