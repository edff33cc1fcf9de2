"""Excel's ``.xlsx``: each sheet is read as the table that it would be in CSV."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ganlib.files import DAMAGED_ARCHIVE, open_zip
from ganlib.logs.frame import LogError, Scalars
from ganlib.logs.readers import delimited
from ganlib.logs.readers.source import Source
from ganlib.logs.readers.table_layout import SAMPLE_LINES

MAX_CELLS = 2_000_000  # a hundred thousand take about a second
MAX_BYTES = 500_000_000  # uncompressed


def matches(data: bytes, path: Path) -> bool:
    if not data.startswith(b"PK\3\4"):
        return False
    try:
        with open_zip(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except DAMAGED_ARCHIVE:
        return False


def read(_: bytes, source: Source) -> list[Scalars]:
    """The curves of all sheets, each a run of its own where several have some. Formulas count as last computed."""
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise source.error("Excel files need openpyxl: pip install openpyxl") from None
    with zipfile.ZipFile(source.path) as archive:  # as openpyxl opens it: what a header says is taken as memory
        members = archive.infolist()
        size = sum(max(member.file_size, member.compress_size) for member in members)
    if size > MAX_BYTES:
        raise source.error(f"it unpacks to {size / 1e6:,.0f} MB; save the table as CSV")
    try:
        workbook = load_workbook(source.path, read_only=True, data_only=True, keep_links=False)
        tables = {sheet.title: _to_csv(sheet, source) for sheet in workbook.worksheets}
    except LogError:
        raise
    except Exception as error:  # of openpyxl and the XML parser below it: KeyError, TypeError, ParseError, …
        raise source.error(f"the workbook is damaged ({type(error).__name__}: {str(error)[:80]})") from None
    runs: dict[str, list[Scalars]] = {}
    for title, text in tables.items():
        if delimited.matches(text[: 2**16].decode(), source.path):
            source.state.clear()  # the layout of the sheet before
            try:
                runs[title] = delimited.read(text, source)
            except LogError as error:
                source.skip(error.line, f"sheet {title}: {error.reason}")
        elif text.strip():
            source.skip(None, f"sheet {title} is no table of numbers under names")
    if not runs:
        raise source.not_a_log("none of its sheets is a table of numbers under names")
    several = len(runs) > 1
    return [
        replace(scalars, run=f"{title}/{scalars.run}" if scalars.run else title) if several else scalars
        for title, parts in runs.items()
        for scalars in parts
    ]


def _to_csv(sheet: Any, source: Source) -> bytes:
    sheet.reset_dimensions()  # which a file may state wrongly
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    cells = width = 0
    for index, row in enumerate(sheet.iter_rows(values_only=True)):
        cells += max(len(row), 1)
        if cells > MAX_CELLS:
            raise source.error(f"sheet {sheet.title} has more than {MAX_CELLS:,} cells; save it as CSV")
        if index < SAMPLE_LINES:
            width = max(width, len(row))
        if any(cell is not None for cell in row):
            texts = [_to_text(cell) for cell in row]
            writer.writerow(texts + [""] * (width - len(texts)))  # a row ends with its last cell that is not blank
    return stream.getvalue().encode("utf-8", errors="replace")


def _to_text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, date | datetime):
        return cell.isoformat()
    return repr(cell) if isinstance(cell, float) else str(cell).replace("\n", " ")
