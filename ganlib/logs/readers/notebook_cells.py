"""The outputs of a Jupyter notebook's cells, of nbformat 3 and 4, in the order in which they were printed."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from ganlib.logs.readers.jsonl import JSON_ERRORS

_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
_BACKSPACES = re.compile("\b+")  # with which Keras goes back to the line's begin
MAX_HEADING = 60
PICTURES = ("image/png", "image/jpeg", "png", "jpeg")
PICTURE_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")


class Output(NamedTuple):
    """Something below a cell: printed text, the HTML of a table, or a picture's bytes."""

    kind: Literal["text", "html", "picture"]
    text: str = ""
    picture: bytes = b""


class Cell(NamedTuple):
    """A cell of code: its number among all cells, from 1; the heading above it, if there is one; what it showed."""

    number: int
    heading: str
    outputs: list[Output]


def parse_cells(text: bytes) -> list[Cell]:
    """The cells of code of a notebook. ValueError for what is none."""
    try:
        document = json.loads(text)
    except JSON_ERRORS as error:
        raise ValueError(f"it is no whole notebook ({error})") from None
    cells, heading = [], ""
    for number, cell in enumerate(_iter_cells(document), 1):
        kind = cell.get("cell_type")
        if kind == "markdown":
            headings = _HEADING.findall(_join(cell.get("source")))
            heading = headings[-1][:MAX_HEADING] if headings else heading
        elif kind == "heading":  # of nbformat 3
            heading = _join(cell.get("source")).strip()[:MAX_HEADING]
        elif kind == "code":
            outputs = [item for output in _list_of_dicts(cell.get("outputs")) for item in _parse_output(output)]
            cells.append(Cell(number, heading, outputs))
    return cells


def _iter_cells(document: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(document, dict):
        raise ValueError("it is no notebook")
    yield from _list_of_dicts(document.get("cells"))
    for worksheet in _list_of_dicts(document.get("worksheets")):  # of nbformat 3
        yield from _list_of_dicts(worksheet.get("cells"))


def _list_of_dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _parse_output(output: dict[str, Any]) -> Iterator[Output]:
    if output.get("output_type") == "stream":
        yield Output("text", _BACKSPACES.sub("\n", _join(output.get("text"))))
        return
    data = output.get("data") if isinstance(output.get("data"), dict) else output  # nbformat 3 has no "data"
    if not isinstance(data, dict) or output.get("output_type") in ("error", "pyerr"):
        return
    if picture := next((data[kind] for kind in PICTURES if kind in data), None):
        if content := _decode_picture(_join(picture)):
            yield Output("picture", picture=content)
        return  # its text is "<Figure size …>"
    markup = _join(data.get("text/html", data.get("html")))
    if "<t" in markup.lower():
        yield Output("html", markup)
    elif plain := _join(data.get("text/plain", data.get("text"))):
        yield Output("text", plain if plain.endswith("\n") else f"{plain}\n")


def _decode_picture(text: str) -> bytes:
    try:
        content = base64.b64decode(text)
    except (binascii.Error, ValueError):
        return b""
    return content if content.startswith(PICTURE_STARTS) else b""


def _join(value: Any) -> str:
    """A text, which a notebook may keep as a list of lines."""
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""
