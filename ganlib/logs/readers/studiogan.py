"""Text logs of PyTorch-StudioGAN in their three versions; the names of the losses changed in 2021, ada_p in 2022."""

from __future__ import annotations

import re
from pathlib import Path

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.records import records_to_scalars
from ganlib.logs.readers.source import Source, iter_lines, parse_date

_STAMP = r"^\[\w+\] (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:,\d+)? > "
_STEP = re.compile(_STAMP + r"Step: *(\d+) +Progress: *[\d.]+% +Elapsed: *((?:\d+ days?, *)?[\d:.]+) *(.*)")
_METRIC = re.compile(_STAMP + r"(?!Best )(.+?) \(Step: *(\d+),[^)]*\): *(\S+)")
_PAIR = re.compile(r"([A-Za-z_]\w*): +(\S+)")
_ANY_LINE = re.compile(_STAMP + r"(?:Step: *\d+ +Progress:|Run name : |.+ \(Step: *\d+,)", re.MULTILINE)


def matches(head: str, path: Path) -> bool:
    return _ANY_LINE.search(head) is not None


def read(text: bytes, source: Source) -> list[Scalars]:
    """Times in the log name no zone and are taken as UTC. "Best FID score" repeats an earlier line."""
    records, lines, width = [], [], 0
    for line_number, line, cut in iter_lines(text):
        if " > Step:" in line:
            match = _STEP.match(line)
            pairs = _PAIR.findall(match[4]) if match else []
            if match is None or (cut and len(pairs) < width):
                source.skip(line_number, "the line is half written" if cut else "it is no line of losses")
                continue
            width = len(pairs)
            record = {"step": int(match[2]), "timestamp": _time(match[1]), "Elapsed": match[3]}
            records.append(record | dict(pairs))
        elif match := _METRIC.match(line):
            records.append({"step": int(match[3]), "timestamp": _time(match[1]), match[2]: match[4]})
        else:
            continue
        lines.append(line_number)
    return records_to_scalars(records, lines, source)


def _time(stamp: str) -> float | None:
    try:
        return parse_date(stamp)
    except ValueError:
        return None
