"""Results that evaluation scripts print: "FID:  37.12" (pytorch-fid), "FID score: 23.4" (clean-fid), torch-fidelity's.

The lines name no step: each further line of a metric is the next evaluation.
"""

from __future__ import annotations

import re
from pathlib import Path

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.records import records_to_scalars
from ganlib.logs.readers.source import Source, iter_lines
from ganlib.logs.tags import EVALUATION_TAGS, canonical_tag

_LINE = re.compile(
    r"[^:=\w]{0,8}((?:clean-?|legacy[_-]?)?[A-Za-z][\w ()/.-]{0,48}?) {0,8}[:=] {0,12}"
    r"([-+]?(?:\d+(?:\.\d*)?(?:e[-+]?\d+)?|nan|inf))(?: ?(?:±|\+/?-) ?[\d.e+-]+)?",
    re.IGNORECASE,
)


def matches(head: str, path: Path) -> bool:
    """Whether a line is a FID, KID or Inception score; "precision: 16" alone may be a setting."""
    names = (pair[0] for line in head.split("\n")[:2000] if (pair := _parse(line)))
    return any(_canonical(name) in ("fid", "kid", "isc") for name in names)


def read(text: bytes, source: Source) -> list[Scalars]:
    counts: dict[str, int] = source.state.setdefault("evaluations", {})
    records: list[dict[str, str | int]] = []
    lines: list[int] = []
    for number, line, _ in iter_lines(text):
        if (pair := _parse(line)) is None:
            continue
        name, value = pair
        step = counts.get(name, 0)
        counts[name] = step + 1
        if records and records[-1]["step"] == step:  # the metrics of one evaluation
            records[-1][name] = value
        else:
            records.append({"step": step, name: value})
            lines.append(number)
    return records_to_scalars(records, lines, source)


def _parse(line: str) -> tuple[str, str] | None:
    """Name and value of a line that is nothing but a metric; None for any other."""
    match = _LINE.fullmatch(line.strip()) if len(line) < 200 else None
    if match is None or _canonical(match[1]) not in EVALUATION_TAGS:
        return None
    return match[1].strip(), match[2]


def _canonical(name: str) -> str:
    return canonical_tag(re.sub(r"^(?:clean|legacy)[_-]?(?=fid|kid)", "", name.strip(), flags=re.IGNORECASE)).name
