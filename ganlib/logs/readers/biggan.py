"""BigGAN-PyTorch's text files, one per loss and called after it: "100: 1.234e+00"."""

from __future__ import annotations

import re
from pathlib import Path

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.single_scalar import rows_to_scalars
from ganlib.logs.readers.source import Source, iter_lines, most_lines_match

_LINE = re.compile(r"(\d+): ([-+]?[\d.]\S*|[-+]?nan|[-+]?inf)")


def matches(head: str, path: Path) -> bool:
    return most_lines_match(head, _LINE)


def read(text: bytes, source: Source) -> list[Scalars]:
    rows = []
    for line_number, line, _ in iter_lines(text):
        match = _LINE.fullmatch(line)
        try:
            value = float(match[2]) if match else None
        except ValueError:
            value = None
        if match and value is not None:
            rows.append((line_number, float(match[1]), float("nan"), value))
        else:
            source.skip(line_number, 'it is no "iteration: value"')
    return rows_to_scalars(rows, source.path.stem, source)
