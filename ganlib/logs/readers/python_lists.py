"""Lists that a script printed at its end: "G_losses = [2.0, 1.9]", "{'loss': [0.5, 0.4], 'val_loss': [0.6, 0.5]}"."""

from __future__ import annotations

import re
from pathlib import Path

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.json_rows import find_rows
from ganlib.logs.readers.numerals import parse_number
from ganlib.logs.readers.records import records_to_scalars
from ganlib.logs.readers.source import Source

# Every part but the items is bounded, and the items end at the first bracket.
_NAME = r"([A-Za-z_][\w ./()-]{0,60}?)['\"]?\s{0,4}[:=]\s{0,4}(?:np\.|numpy\.)?(?:array\()?\["
_LIST = re.compile(rf"{_NAME}([^\[\]]*)\]")
_START = re.compile(rf"(?:\s|\{{)*['\"]?{_NAME}\s*[-\d.nt]")
_WRAPPER = re.compile(r"(?:\w+\.)?(?:tensor|float\d*|array)\(([^()]*)\)")
MIN_ITEMS = 5  # fewer are the values of one step


def matches(head: str, path: Path) -> bool:
    """Whether the text begins with a long list under a name, and the names are all different."""
    if _START.match(head) is None:
        return False
    first = head[head.index("[") :].partition("]")[0]
    names = [match[1].strip() for match in _LIST.finditer(head)]
    return first.count(",") >= MIN_ITEMS - 1 and len(set(names)) == len(names)


def read(text: bytes, source: Source) -> list[Scalars]:
    """The lists as curves along the index."""
    content = text.decode("utf-8", errors="replace")
    histories: dict[str, list[float | None]] = {}
    position = 0
    for match in _LIST.finditer(content):
        name = match[1].strip()
        _skip_between(content, position, match.start(), source)
        position = match.end()
        try:
            values = [parse_number(item) for item in _WRAPPER.sub(r"\1", match[2]).split(",") if item.strip()]
        except ValueError as error:
            source.skip(content.count("\n", 0, match.start()) + 1, f"in {name}, {error}")
            continue
        if values:
            histories[name] = values
    _skip_between(content, position, len(content), source)
    rows = find_rows(histories, source.path.stem)
    if not rows:
        raise source.not_a_log("its lists are of no metrics")
    return records_to_scalars(rows, list(range(1, len(rows) + 1)), source)


def _skip_between(content: str, start: int, end: int, source: Source) -> None:
    """What stands between two lists, but for brackets and commas, is left out."""
    rest = content[start:end]
    if rest.strip(" \t\r\n,;(){}'\""):
        source.skip(content.count("\n", 0, start) + 1, "it is no list of numbers under a name")
