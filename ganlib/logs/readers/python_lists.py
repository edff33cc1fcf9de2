"""Lists that a script printed at its end: "G_losses = [2.0, 1.9]", "{'loss': [0.5, 0.4], 'val_loss': [0.6, 0.5]}"."""

from __future__ import annotations

import re
from pathlib import Path

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.json_rows import find_rows
from ganlib.logs.readers.numerals import parse_number
from ganlib.logs.readers.records import records_to_scalars
from ganlib.logs.readers.source import Source

# The items end at the first bracket; the name before them is looked for in a few characters.
_LIST = re.compile(r"[:=]\s{0,4}(?:(?:np|numpy)\.)?(?:array\()?\[([^\[\]]*)\]")
_NAME = re.compile(r"[A-Za-z_][\w ./()-]{0,60}")
_START = re.compile(
    r"(?:\s|\{)*['\"]?[A-Za-z_][\w ./()-]{0,60}['\"]?\s{0,4}[:=]\s{0,4}(?:(?:np|numpy)\.)?(?:array\()?\[\s*[-\d.nt]"
)
MAX_NAME = 64
_BETWEEN = " \t\r\n,;(){}'\""
_WRAPPER = re.compile(r"(?:\w+\.)?(?:tensor|float\d*|array)\(([^()]*)\)")
MIN_ITEMS = 5  # fewer are the values of one step
MIN_ITEMS_OF_DICTIONARY = 3  # "{'loss': [0.5, 0.4, 0.3], 'val_loss': [0.6, 0.5, 0.4]}"


def matches(head: str, path: Path) -> bool:
    """Whether the text begins with a long list under a name, and the names are all different."""
    if _START.match(head) is None:
        return False
    first = head[head.index("[") :].partition("]")[0]
    names = [name for match in _LIST.finditer(head) if (name := _name_before(head, match.start()))]
    needed = MIN_ITEMS_OF_DICTIONARY if head.lstrip().startswith("{") and len(names) > 1 else MIN_ITEMS
    return first.count(",") >= needed - 1 and len(set(names)) == len(names)


def read(text: bytes, source: Source) -> list[Scalars]:
    """The lists as curves along the index; what stands between them, but for brackets and commas, is skipped."""
    content = text.decode("utf-8", errors="replace")
    histories: dict[str, list[float | None]] = {}
    position, line = 0, 1
    for match in _LIST.finditer(content):
        if (name := _name_before(content, match.start())) is None:
            continue
        between = content[position : content.rindex(name, position, match.start())]
        if between.strip(_BETWEEN):
            source.skip(line, "it is no list of numbers under a name")
        line += content.count("\n", position, match.start())
        try:
            values = [parse_number(item) for item in _WRAPPER.sub(r"\1", match[1]).split(",") if item.strip()]
        except ValueError as error:
            source.skip(line, f"in {name}, {error}")
            values = []
        line, position = line + content.count("\n", match.start(), match.end()), match.end()
        if values:
            histories[name] = values
    if content[position:].strip(_BETWEEN):
        source.skip(line, "it is no list of numbers under a name")
    rows = find_rows(histories, source)
    if not rows:
        raise source.not_a_log("its lists are of no metrics")
    return records_to_scalars(rows, list(range(1, len(rows) + 1)), source)


def _name_before(content: str, end: int) -> str | None:
    """The name that ends there; None for anything else."""
    text = content[max(0, end - MAX_NAME) : end].rstrip().rstrip("'\"")
    start = max(text.rfind(sign) for sign in "\n,;{'\"[]") + 1
    name = text[start:].strip()
    return name if _NAME.fullmatch(name) else None
