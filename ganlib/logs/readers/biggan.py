"""BigGAN-PyTorch's text files, one per loss and called after it: "100: 1.234e+00"."""

from __future__ import annotations

import re
from pathlib import Path

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.source import Source, lines_of
from ganlib.logs.readers.triples import scalars_of_rows

_LINE = re.compile(r"(\d+): ([-+]?[\d.]\S*|[-+]?nan|[-+]?inf)")


def matches(head: str, path: Path) -> bool:
    lines = [line for line in head.split("\n")[:50] if line.strip()]
    return sum(_LINE.fullmatch(line) is not None for line in lines) * 5 >= len(lines) * 4


def read(text: bytes, source: Source) -> list[Scalars]:
    rows = []
    for place, line, _ in lines_of(text):
        match = _LINE.fullmatch(line)
        try:
            value = float(match[2]) if match else None
        except ValueError:
            value = None
        if match and value is not None:
            rows.append((place, float(match[1]), float("nan"), value))
        else:
            source.skip(place, 'it is no "iteration: value"')
    return scalars_of_rows(rows, source.path.stem, source)
