"""The file ``evaluation.json``: ``{"records": [...]}``, only ever appended to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock

from ganlib.errors import GanlibError
from ganlib.files import read_json, write_atomically
from ganlib.records.record import Record


def read_records(path: Path) -> list[Record]:
    """All records in the order of the file, [] where there is none; GanlibError where one of them is damaged."""
    return [_parse(path, number, entry) for number, entry in enumerate(read_entries(path), 1)]


def append_records(path: Path, records: Sequence[Record]) -> None:
    """One process at a time; a damaged file raises GanlibError and stays as it is."""
    with FileLock(path.with_name(f".{path.name}.lock")):
        read_records(path)
        entries = [*read_entries(path), *(record.to_dict() for record in records)]  # old ones stay as they are written
        content = json.dumps({"records": entries}, indent=2, ensure_ascii=False, allow_nan=False)
        write_atomically(path, content.encode() + b"\n")


def read_entries(path: Path) -> list[Any]:
    """The list in the file, its entries unchecked; GanlibError where the file holds none."""
    if not path.exists():
        return []
    try:
        content = read_json(path)
    except ValueError as error:
        raise _damaged(path, str(error)) from None
    entries = content.get("records") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise _damaged(path, "it holds no list of records")
    return entries


def _parse(path: Path, number: int, entry: Any) -> Record:
    try:
        return Record.from_dict(entry)
    except ValueError as error:
        raise _damaged(path, f"record {number} {error}") from None


def _damaged(path: Path, reason: str) -> GanlibError:
    reason = " ".join(reason.split())[:120]
    return GanlibError(f"{path} is damaged ({reason}); repair it or move it away: nothing in it was changed.")
