"""``log.csv``: one row per ``log_every`` steps, one column per scalar."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path

from ganlib.files import write_atomically

INDEX = ["step", "images", "wall_time"]


class ScalarLog:
    """Appends rows; on resume, drops those after the step that training goes on from."""

    def __init__(self, path: Path, resume_at: int = 0) -> None:
        self.path = path
        rows: list[dict[str, str]] = []
        self.columns = list(INDEX)
        if path.exists():
            with path.open(newline="") as f:
                reader = csv.DictReader(f)
                # A row cut short by a kill lacks its last columns: those read as None.
                rows = [r for r in reader if None not in r.values() and int(r["step"]) <= resume_at]
                self.columns = list(reader.fieldnames or INDEX)
        self._rewrite(rows)

    def append(self, step: int, images: int, scalars: dict[str, float]) -> None:
        row = {"step": step, "images": images, "wall_time": f"{time.time():.2f}"}
        row |= {tag: f"{value:.6g}" for tag, value in scalars.items()}
        if new := [tag for tag in row if tag not in self.columns]:
            with self.path.open(newline="") as f:
                rows = list(csv.DictReader(f))
            self.columns += new
            self._rewrite(rows)
        with self.path.open("a", newline="") as f:
            csv.DictWriter(f, self.columns, lineterminator="\n").writerow(row)

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_atomically(self.path, text.getvalue().encode())
