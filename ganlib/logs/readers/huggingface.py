"""What Hugging Face's Trainer prints: "{'loss': 1.99, 'learning_rate': 5e-05, 'epoch': 0.1}" between its bars."""

from __future__ import annotations

import re
from pathlib import Path

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.records import records_to_scalars
from ganlib.logs.readers.source import Source, iter_lines

_DICT = re.compile(r"\{('[^{}]*)\}")
_PAIR = re.compile(r"'([^':,{}]{1,80})': ?'?([^',{}]{1,40})'?(?=,|$)")
_BAR = re.compile(r"%\|[^|]{0,300}\| {0,12}(\d{1,15})/(\d{1,15}) \[")


def matches(head: str, path: Path) -> bool:
    return any(_find_pairs(line) for line in head.split("\n")[:2000])


def read(text: bytes, source: Source) -> list[Scalars]:
    """Along the steps of the training's bar, which is the longest; without a bar the lines are counted."""
    records: list[dict[str, str | int]] = []
    lines: list[int] = []
    bars: dict[int, int] = source.state.setdefault("bars", {})  # the step of each bar by its total
    for number, line, _ in iter_lines(text):
        for step, total in _BAR.findall(line):
            bars[int(total)] = int(step)
        if pairs := _find_pairs(line):
            position: dict[str, str | int] = {"step": bars[max(bars)]} if bars else {}
            records.append({**position, **pairs})
            lines.append(number)
    return records_to_scalars(records, lines, source)


def _find_pairs(line: str) -> dict[str, str]:
    """The dictionary on a line; an empty one unless it has an epoch."""
    match = _DICT.search(line) if "'epoch'" in line else None
    pairs = dict(_PAIR.findall(match[1])) if match else {}
    return pairs if "epoch" in pairs else {}
