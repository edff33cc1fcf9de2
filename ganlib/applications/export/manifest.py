"""The manifest of an export: a row for each image that is there as a whole, in the order in which they came."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from ganlib.errors import GanlibError
from ganlib.files import describe_os_error, writing

MANIFEST = "manifest.csv"
COLUMNS = ("file", "seed", "class", "label", "confidence", "distance", "options", "weights_sha256_12")
BLOCK = 1 << 16  # bytes read at a time


class Row(NamedTuple):
    file: str
    seed: int
    class_name: str
    label: int | None
    scores: Mapping[str, float]  # "confidence" and "distance", where these were filters

    def cells(self, options: str, weights: str) -> list[Any]:
        label = "" if self.label is None else self.label
        scores = [f"{self.scores[name]:.6g}" if name in self.scores else "" for name in ("confidence", "distance")]
        return [self.file, self.seed, self.class_name, label, *scores, options, weights]


class Manifest:
    """``options`` and ``weights`` are the same in every row: each can be generated again by itself."""

    def __init__(self, path: Path, options: dict[str, Any], weights: str) -> None:
        self.path, self._options, self._weights = path, json.dumps(options, sort_keys=True), weights

    def cut(self) -> None:
        """Half a row at the end, which an interrupted export has left, goes."""
        with writing(self.path), suppress(FileNotFoundError):
            with self.path.open("rb") as file:
                size, whole = file.seek(0, os.SEEK_END), _whole_rows(file)
            if whole < size:
                with self.path.open("r+b") as file:
                    file.truncate(whole)

    def rows(self) -> Iterator[Row]:
        """One after the other: there may be more than memory holds."""
        try:
            with self.path.open(encoding="utf-8", newline="") as file:
                for cells in csv.DictReader(file):
                    yield _row(cells)
        except FileNotFoundError:
            return
        except OSError as error:
            raise GanlibError(describe_os_error(error, self.path)) from None
        except (KeyError, TypeError, ValueError, csv.Error) as error:
            raise GanlibError(f"{self.path} is no manifest of an export ({error}); choose another --out.") from None

    def append(self, rows: Iterable[Row]) -> None:
        """Rows of images that are on the disk."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows(row.cells(self._options, self._weights) for row in rows)
        with writing(self.path), self.path.open("ab") as file:
            start = file.tell()
            try:
                if not start:
                    file.write(f"{','.join(COLUMNS)}\n".encode())
                file.write(text.getvalue().encode())
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                file.truncate(start)
                raise


def _row(cells: dict[str, str]) -> Row:
    scores = {name: float(cells[name]) for name in ("confidence", "distance") if cells[name]}
    label = int(cells["label"]) if cells["label"] else None
    return Row(cells["file"], int(cells["seed"]), cells["class"], label, scores)


def _whole_rows(file: BinaryIO) -> int:
    """Bytes up to the end of the last whole line."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(end - BLOCK, 0)
        file.seek(start)
        last = file.read(end - start).rfind(b"\n")
        if last >= 0:
            return start + last + 1
        end = start
    return 0
