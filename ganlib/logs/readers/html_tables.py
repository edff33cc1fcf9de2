"""The tables in a piece of HTML, such as pandas, fastai and Hugging Face's trainer show in notebooks."""

from __future__ import annotations

import html
import re

# Only tags of tables matter; all others are taken out of the cells. Both patterns end at the next "<".
_TABLE_TAG = re.compile(r"<(/?)(table|tr|th|td)\b[^<>]*>", re.IGNORECASE)
_ANY_TAG = re.compile(r"<[^<>]*>")
MAX_CELLS = 2_000_000


def find_tables(text: str) -> list[list[list[str]]]:
    """The rows of cells of each table, the header first. A row of pandas that stands for those left out has "..."."""
    tables: list[list[list[str]]] = []
    position, in_cell, count = 0, False, 0
    for tag in _TABLE_TAG.finditer(text):
        content, position = text[position : tag.start()], tag.end()
        if in_cell and tables and tables[-1]:
            tables[-1][-1][-1] += _ANY_TAG.sub("", content)
        closes, name = bool(tag[1]), tag[2].lower()
        in_cell = False
        if closes:
            continue
        if name == "table":
            tables.append([])
        elif name == "tr" and tables:
            tables[-1].append([])
        elif tables and tables[-1]:
            count += 1
            if count > MAX_CELLS:
                break
            tables[-1][-1].append("")
            in_cell = True
    return [[[html.unescape(cell).strip() for cell in row] for row in table if row] for table in tables if any(table)]
