"""The manifest of an export: a row for each image that is there as a whole, in the order in which they came."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ganlib.errors import GanlibError
from ganlib.files import writing

MANIFEST = "manifest.csv"
COLUMNS = ("file", "seed", "class", "label", "confidence", "distance", "options", "weights_sha256_12")


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

    def read(self) -> list[Row]:
        """The rows of an interrupted export; half a row at its end is cut off the file."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return []
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            with writing(self.path), self.path.open("r+b") as file:
                file.truncate(len(whole))
        try:
            return [_row(cells) for cells in csv.DictReader(io.StringIO(whole.decode("utf-8"), newline=""))]
        except (KeyError, TypeError, ValueError, csv.Error) as error:
            raise GanlibError(f"{self.path} is no manifest of an export ({error}); choose another --out.") from None

    def append(self, rows: Iterable[Row]) -> None:
        """Rows of images that are on the disk."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        if not self.path.exists():
            writer.writerow(COLUMNS)
        writer.writerows(row.cells(self._options, self._weights) for row in rows)
        with writing(self.path), self.path.open("ab") as file:
            start = file.tell()
            try:
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
