"""A file as text, the lines that its reader skipped, and dates."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ganlib.logs.frame import MAX_LISTED, LogError, SkippedLine
from ganlib.naming import displayable

_COLOUR = re.compile(rb"\x1b(?:\[[0-9;?]{0,20}[ -/]?[@-~]|[()][A-Z0-9]|[=>78])?")
_BACKSPACES = re.compile(rb"\x08++")


class NotALog(LogError):
    """A file without scalars over steps (a configuration, a summary): passed over in a folder, not reported."""


@dataclass
class Source:
    """A file being read; its reader reports skipped lines here."""

    path: Path
    step_column: str | None = None  # as chosen by the user
    first_line: int = 1  # of what is parsed now: a follower continues in the middle of the file
    skipped: list[SkippedLine] = field(default_factory=list)
    skipped_total: int = 0
    keeps_cells: bool = False  # for a follower, which finds the steps of all lines together
    aliases: dict[str, str] = field(default_factory=dict)  # canonical tags of names that only this format uses so
    state: dict[str, Any] = field(default_factory=dict)  # of the reader, from the first lines for those that follow

    def skip(self, line: int | None, reason: str) -> None:
        self.skipped_total += 1
        if len(self.skipped) < MAX_LISTED:
            number = None if line is None else line + self.first_line - 1
            self.skipped.append(SkippedLine(displayable(str(self.path)), number, displayable(reason)))

    def skip_line_of_file(self, line: int, reason: str) -> None:
        """``skip`` of a line that is counted from the file's first."""
        self.skip(line - self.first_line + 1, reason)

    def error(self, reason: str, line: int | None = None) -> LogError:
        return LogError(self.path, None if line is None else line + self.first_line - 1, reason)

    def not_a_log(self, reason: str) -> NotALog:
        return NotALog(self.path, None, reason)


def to_utf8(data: bytes) -> bytes:
    """Any encoding -> UTF-8 without a byte order mark and colours, lines ending in a line feed."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", errors="replace").encode("utf-8", errors="replace")
    elif data[1:400:2].count(0) > len(data[1:400:2]) // 2:
        data = data.decode("utf-16-le", errors="replace").encode("utf-8", errors="replace")
    elif data[:400:2].count(0) > len(data[:400:2]) // 2:
        data = data.decode("utf-16-be", errors="replace").encode("utf-8", errors="replace")
    elif not data.isascii():
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            # An incomplete character at the end is a line being written, not another encoding.
            if error.start < len(data) - 3:
                data = data.decode("latin-1").encode("utf-8")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if b"\x1b" in data:
        data = _COLOUR.sub(b"", data)
    if b"\x08" in data:
        data = _BACKSPACES.sub(b"\n", data)
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data


def is_binary(data: bytes) -> bool:
    """Whether more than one byte in thirty of decoded text is a control character."""
    return len(data.translate(None, bytes(range(9)) + bytes(range(14, 27)) + b"\x1c\x1d\x1e\x1f")) < len(data) * 29 / 30


def find_last_line(data: bytes, source: Source) -> tuple[int, int]:
    """The end of the last complete line, and the number of lines up to there.

    A carriage return or backspaces end a line, too, as a progress bar is drawn anew.
    """
    redrawn = max(data.rfind(b"\r", 0, -1), data.rfind(b"\x08", 0, -1))
    if data[redrawn + 1 : redrawn + 2] in b"\n\x08":
        redrawn = -1
    end = max(data.rfind(b"\n"), redrawn) + 1
    return end, to_utf8(data[:end]).count(b"\n")


def iter_lines(text: bytes) -> Iterator[tuple[int, str, bool]]:
    """Each line that is not blank: its number, its text, whether its line feed is missing."""
    for line_number, raw in enumerate(io.BytesIO(text), 1):
        if line := raw.decode("utf-8", errors="replace").rstrip("\n"):
            yield line_number, line, not raw.endswith(b"\n")


def parse_date(text: str) -> float:
    """ISO 8601 -> Unix seconds, UTC where it names no zone. ValueError for anything else."""
    time = datetime.fromisoformat(text.strip().replace(",", ".").replace("/", "-"))
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def to_seconds(stamp: float) -> float:
    """A Unix time in seconds, milliseconds, microseconds or nanoseconds -> seconds."""
    for limit, unit in ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3)):
        if abs(stamp) >= limit:
            return stamp / unit
    return stamp


def most_lines_match(head: str, pattern: re.Pattern[str]) -> bool:
    """Whether at least four in five of the first lines are of the pattern."""
    lines = [line for line in head.split("\n")[:50] if line.strip()]
    return sum(pattern.fullmatch(line) is not None for line in lines) * 5 >= len(lines) * 4
