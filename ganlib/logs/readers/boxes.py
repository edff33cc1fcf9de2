"""Boxes that OpenAI's logger prints (baselines, guided and improved diffusion) and Stable-Baselines3 after it.

A box is a line of dashes, rows "| loss | 0.01 |" and dashes again; its rows are the scalars of one step.
"""

from __future__ import annotations

import re
from pathlib import Path

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.records import records_to_scalars
from ganlib.logs.readers.source import Source, iter_lines

_ROW = re.compile(r"\| ?( *)(\S[^|]*?) *\| *([^|]*?) *\|")
_RULE = re.compile(r"-{8,}")
_RULE_LINE = re.compile(rb"^[ \t]*-{8,}[ \t\r]*\n", re.MULTILINE)
_NUMBER = re.compile(r"[-+]?(?:\d[\d.]*(?:e[-+]?\d+)?|nan|inf)", re.IGNORECASE)
# What may be the step, in order of preference; baselines count updates, others the environment's steps.
STEPS = ("step", "steps", "time/total_timesteps", "total_timesteps", "nupdates", "time/iterations")
MIN_ROWS = 2  # of a box


def matches(head: str, path: Path) -> bool:
    """Whether a box is among the first lines."""
    rows = 0
    for line in head.split("\n")[:2000]:
        line = line.strip()
        if _RULE.fullmatch(line):
            if rows >= MIN_ROWS:
                return True
            rows = 0
        elif match := _ROW.fullmatch(line):
            rows += _NUMBER.fullmatch(match[3]) is not None
        else:
            rows = 0
    return False


def find_last_box(data: bytes, source: Source) -> tuple[int, int]:
    """The end of the last rule, and the number of lines up to there."""
    end = max((match.end() for match in _RULE_LINE.finditer(data)), default=0)
    return end, data.count(b"\n", 0, end)


def read(text: bytes, source: Source) -> list[Scalars]:
    """The last box counts once a rule closes it."""
    records: list[dict[str, str]] = []
    lines: list[int] = []
    box: dict[str, str] = {}
    group, begin, in_box = "", 0, bool(source.state.get("in box"))  # one rule may end a box and begin the next
    for number, raw, _ in iter_lines(text):
        line = raw.strip()
        if _RULE.fullmatch(line):
            if box:
                records.append(box)
                lines.append(begin)
            box, group, begin, in_box = {}, "", number, True
        elif in_box and (match := _ROW.fullmatch(line)):
            indent, name, value = match.groups()
            if not value:  # "| time/ | |" stands above the indented rows
                group = name
            elif _NUMBER.fullmatch(value):
                box[f"{group}{name}" if indent and group.endswith("/") else name] = value
        elif line:
            in_box = False
    source.state["in box"] = in_box
    if box:
        source.skip(begin, "the box is half written")
    return records_to_scalars([_with_step(record) for record in records], lines, source)


def _with_step(box: dict[str, str]) -> dict[str, str]:
    name = next((name for name in STEPS if name in box), None)
    return box if name in (None, "step") else {"step": box.pop(str(name)), **box}
