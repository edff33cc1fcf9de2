"""``metric-fid50k.txt`` of StyleGAN, StyleGAN2 and ADA on TensorFlow, whose lines ``log.txt`` repeats.

"network-snapshot-000200   time 4m 32s   fid50k_full 290.0000", one line for each evaluated snapshot.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.records import records_to_scalars
from ganlib.logs.readers.source import Source, iter_lines, most_lines_match

LINE = re.compile(r"network-(?:snapshot-)?(\w+) +time +((?:\d+[dhms] ?)+) +(\S.*)")
_PAIR = re.compile(r"([A-Za-z][\w/]*) +([-+]?(?:\d[\d.]*(?:e[-+]?\d+)?|nan|inf))(?!\S)")


def matches(head: str, path: Path) -> bool:
    return most_lines_match(head, LINE)


def read(text: bytes, source: Source) -> list[Scalars]:
    rows: list[tuple[int, dict[str, Any]]] = []
    for number, line, cut in iter_lines(text):
        if (record := parse_snapshot(line)) and not cut:
            rows.append((number, record))
        else:
            source.skip(number, "the line is half written" if cut else "it names no snapshot with a result")
    # Snapshots are often evaluated later and in any order, which is no restart.
    rows.sort(key=lambda row: row[1]["kimg"])
    return records_to_scalars([row for _, row in rows], [number for number, _ in rows], source)


def parse_snapshot(line: str) -> dict[str, Any]:
    """The results of one snapshot, and its step in kimg; empty for another line, or the final network of no step."""
    match = LINE.fullmatch(line.rstrip())
    pairs = dict(_PAIR.findall(match[3])) if match else {}
    if match is None or not pairs or not match[1].isdecimal():
        return {}
    return {"kimg": int(match[1]), **pairs}
