"""A file's content as text, with a record of what was skipped, and numbers as people and tools write them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ganlib.logs.frame import LISTED, LogError, Skipped

MISSING = frozenset(["", "-", "--", "n/a", "na", "none", "null", "no", "<na>", "#n/a", "n.a.", "undefined"])
_TENSOR = re.compile(r"tensor\(\s*\[?([^,\])]+)")
_CLOCK = re.compile(r"(?:(\d+) days?,? *)?(\d+):(\d\d):(\d\d(?:\.\d+)?)")
_UNITS = re.compile(r"(?:(\d+)d)? *(?:(\d+)h)? *(?:(\d+)m)? *(?:(\d+(?:\.\d+)?)s)?")


class NoLog(LogError):
    """A whole file that says nothing of a training's course; in a folder there are many, and none is damaged."""


@dataclass
class Source:
    """A file as its reader sees it; the reader reports here what it leaves out."""

    path: Path
    step: str | None = None  # the column that the user wants as the step
    first_line: int = 1  # of what is read now: a follower reads on in the middle
    skipped: list[Skipped] = field(default_factory=list)
    total: int = 0
    dialect: dict[str, str] = field(default_factory=dict)  # tags that mean this in this format only
    memory: dict[str, Any] = field(default_factory=dict)  # what the first lines told, for those that follow

    def skip(self, line: int | None, reason: str) -> None:
        self.total += 1
        if len(self.skipped) < LISTED:
            place = None if line is None else line + self.first_line - 1
            self.skipped.append(Skipped(str(self.path), place, reason))

    def error(self, reason: str, line: int | None = None) -> LogError:
        return LogError(self.path, None if line is None else line + self.first_line - 1, reason)

    def no_log(self, reason: str) -> NoLog:
        return NoLog(self.path, None, reason)


def utf8(data: bytes) -> bytes:
    """Any encoding -> UTF-8 without a byte order mark, lines ending in a line feed."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", errors="replace").encode("utf-8", errors="replace")
    elif data[1:400:2].count(0) > len(data[1:400:2]) // 2:
        data = data.decode("utf-16-le", errors="replace").encode("utf-8", errors="replace")
    elif data[:400:2].count(0) > len(data[:400:2]) // 2:
        data = data.decode("utf-16-be", errors="replace").encode("utf-8", errors="replace")
    elif not data.isascii():
        data = data.removeprefix(b"\xef\xbb\xbf")
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            # Half a character at the end is a line being written, not another encoding.
            if error.start < len(data) - 3:
                data = data.decode("latin-1").encode("utf-8")
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data


def is_binary(head: bytes) -> bool:
    """Whether decoded text is none: more than one byte in thirty is a control character."""
    return len(head.translate(None, bytes(range(9)) + bytes(range(14, 27)) + b"\x1c\x1d\x1e\x1f")) < len(head) * 29 / 30


def lines_of(text: bytes) -> Iterator[tuple[int, str, bool]]:
    """Each line that is not blank: its number, its text, whether it lacks its line feed."""
    for place, raw in enumerate(io.BytesIO(text), 1):
        if line := raw.decode("utf-8", errors="replace").rstrip("\n"):
            yield place, line, not raw.endswith(b"\n")


def number(text: str, decimal: str = ".") -> float | None:
    """A cell as a float; None for what says that there is no value. ValueError for what is no number."""
    cell = text.strip().strip("\"'")
    if cell.lower() in MISSING:
        return None
    if decimal == ",":
        cell = cell.replace(".", "").replace(",", ".") if "," in cell else cell
    try:
        return float(cell)
    except ValueError:
        if tensor := _TENSOR.match(cell):
            return float(tensor[1])
        if cell.endswith("%"):
            return float(cell[:-1])
        return duration(cell)


def duration(text: str) -> float:
    """ "9 days, 20:04:38", "0:00:05", "1h 07m 31s" -> seconds. ValueError for anything else."""
    text = text.strip()
    if match := _CLOCK.fullmatch(text):
        days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    match = _UNITS.fullmatch(text)
    if match and any(match.groups()):
        days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    raise ValueError(f"{text[:40]!r} is no number")


def date(text: str) -> float:
    """ISO 8601 -> Unix seconds, UTC where it names no zone. ValueError for anything else."""
    moment = datetime.fromisoformat(text.strip().replace(",", ".").replace("/", "-"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def seconds(stamp: float) -> float:
    """A Unix time in seconds, milliseconds, microseconds or nanoseconds -> seconds."""
    for limit, unit in ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3)):
        if abs(stamp) >= limit:
            return stamp / unit
    return stamp
