"""What Hugging Face's Trainer prints: "{'loss': 1.99, 'learning_rate': 5e-05, 'epoch': 0.1}" between its bars."""

from __future__ import annotations

import re
from pathlib import Path

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.records import records_to_scalars
from ganlib.logs.readers.source import Source, iter_lines

_DICT = re.compile(r"\{('[^{}]*'epoch': ?'?[\d.e+-]+'?[^{}]*)\}")
_PAIR = re.compile(r"'([^':,{}]{1,80})': ?'?([^',{}]{1,40})'?(?=,|$)")
_BAR = re.compile(r"%\|[^|]{0,300}\| {0,12}(\d{1,15})/(\d{1,15}) \[")


def matches(head: str, path: Path) -> bool:
    return any(_DICT.search(line) for line in head.split("\n")[:2000] if "'epoch'" in line)


def read(text: bytes, source: Source) -> list[Scalars]:
    """Along the steps of the training's bar, which is the longest; without a bar the lines are counted."""
    records: list[dict[str, str | int]] = []
    lines: list[int] = []
    bars: dict[int, int] = source.state.setdefault("bars", {})  # the step of each bar by its total
    for number, line, _ in iter_lines(text):
        for step, total in _BAR.findall(line):
            bars[int(total)] = int(step)
        if "'epoch'" in line and (match := _DICT.search(line)):
            position: dict[str, str | int] = {"step": bars[max(bars)]} if bars else {}
            records.append(position | dict(_PAIR.findall(match[1])))
            lines.append(number)
    return records_to_scalars(records, lines, source)
