"""``log.csv``: one row per ``log_every`` steps, one column per scalar."""

from __future__ import annotations

import csv
import io
import re
import time
from pathlib import Path

from ganlib.errors import GanlibError
from ganlib.files import write_atomically, writing

STEP = re.compile("[0-9]{1,18}")
INDEX = ["step", "images", "wall_time"]


class ScalarLog:
    """Appends rows; on resume, drops those after the step that training goes on from.

    GanlibError for a log that is damaged otherwise than by a kill in the middle of its last row; it stays as it is.
    """

    def __init__(self, path: Path, resume_at: int = 0) -> None:
        self.path = path
        self.columns, rows = read_rows(path) if path.exists() else (list(INDEX), [])
        self._rewrite([row for row in rows if int(row["step"]) <= resume_at])

    def append(self, step: int, images: int, scalars: dict[str, float]) -> None:
        row = {"step": step, "images": images, "wall_time": f"{time.time():.2f}"}
        row |= {tag: f"{value:.6g}" for tag, value in scalars.items()}
        if new := [tag for tag in row if tag not in self.columns]:
            _, rows = read_rows(self.path)
            self.columns += new
            self._rewrite(rows)
        with writing(self.path), self.path.open("a", newline="", encoding="utf-8") as f:
            csv.DictWriter(f, self.columns, lineterminator="\n").writerow(row)

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_atomically(self.path, text.getvalue().encode())


def read_rows(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """The columns and the whole rows: one without its line's end was cut short by a kill. GanlibError for no log."""
    try:
        text = path.read_bytes().decode("utf-8")
        lines = [row for row in csv.reader(io.StringIO(text[: text.rfind("\n") + 1], newline=""), strict=True) if row]
    except (OSError, ValueError, csv.Error) as error:
        raise _damaged(path, str(error)) from None
    if not text.strip():
        return list(INDEX), []
    header, *rows = lines or [[]]
    if "step" not in header or len(set(header)) < len(header):
        raise _damaged(path, "its first line names no column step, or one column twice")
    for number, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise _damaged(path, f"row {number} has {len(row)} values for {len(header)} columns")
        if not STEP.fullmatch(row[header.index("step")]):
            raise _damaged(path, f"the step of row {number} is no whole number")
    return header, [dict(zip(header, row, strict=True)) for row in rows]


def _damaged(path: Path, reason: str) -> GanlibError:
    reason = " ".join(reason.split())[:120]
    return GanlibError(
        f"{path} cannot be continued ({reason}); repair it, or move it away to begin it anew from the resumed step."
    )
