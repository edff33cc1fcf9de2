"""log.txt of NVIDIA's StyleGANs and EDM: "tick 1  kimg 4.0  time 14m 08s  sec/tick 151.7 …" among other lines."""

from __future__ import annotations

import re
from pathlib import Path

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.jsonl import parse_object
from ganlib.logs.readers.nvidia_metrics import flatten_evaluation
from ganlib.logs.readers.records import records_to_scalars
from ganlib.logs.readers.source import Source, iter_lines
from ganlib.logs.readers.stylegan_tf import parse_snapshot

_TICK = re.compile(r"^tick +\d+ +kimg +\d", re.MULTILINE)
_PAIR = re.compile(
    r"([A-Za-z][\w/]*) +(\d+d +\d+h +\d+m\b|(?:\d+h +)?(?:\d+m +)?\d+s\b|[-+]?(?:\d[\d.e+-]*|nan|inf)\b)"
)


def matches(head: str, path: Path) -> bool:
    return _TICK.search(head) is not None


def read(text: bytes, source: Source) -> list[Scalars]:
    source.aliases = {"time": "elapsed"}
    records, lines, width = [], [], 0
    for line_number, line, cut in iter_lines(text):
        if line.startswith("tick "):
            pairs = dict(_PAIR.findall(line))
            if "kimg" not in pairs or (cut and len(pairs) < width):
                source.skip(line_number, "the line is half written")
                continue
            width = len(pairs)
            records.append(pairs)
        elif line.startswith('{"results"') and (record := flatten_evaluation(parse_object(line) or {})):
            records.append(record)
        elif line.startswith("network-"):
            if not (record := parse_snapshot(line)):
                source.skip(line_number, "it names no snapshot with a result")
                continue
            records.append(record)
        else:
            continue
        lines.append(line_number)
    return records_to_scalars(records, lines, source)
