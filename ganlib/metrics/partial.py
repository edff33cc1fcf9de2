"""Rows of numbers or pixels on disk as they are computed, so that a killed evaluation continues at its last chunk."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

ENDINGS = {torch.float32: "f32", torch.uint8: "u8"}


class Partial:
    """Rows of numbers in a file of the run, named after everything that they depend on.

    A run that cannot be written to is measured all the same: then nothing is stored.
    """

    def __init__(
        self, folder: Path, depends_on: dict[str, Any], kind: str = "features", dtype: torch.dtype = torch.float32
    ) -> None:
        key = hashlib.sha256(json.dumps(depends_on, sort_keys=True).encode()).hexdigest()[:12]
        self.path, self.dtype = folder / f".{kind}-{key}.{ENDINGS[dtype]}", dtype

    def rows(self, width: int) -> Tensor:
        """(m, width): the rows stored so far; a row cut short by a kill is dropped."""
        try:
            content = self.path.read_bytes()
        except OSError:
            return torch.empty(0, width, dtype=self.dtype)
        row_bytes = self.dtype.itemsize * width
        count = len(content) // row_bytes
        with suppress(OSError), self.path.open("r+b") as f:
            f.truncate(count * row_bytes)
        if not count:
            return torch.empty(0, width, dtype=self.dtype)
        return torch.frombuffer(bytearray(content), dtype=self.dtype, count=count * width).view(count, width)

    def write(self, rows: Tensor, start: int) -> None:
        """At their place: two evaluations of one run at once write the same rows there, not one's after the other's."""
        create = os.O_CREAT if start == 0 else 0  # a file that the other one has removed is not begun in its middle
        with suppress(OSError), open(os.open(self.path, os.O_RDWR | create, 0o644), "r+b") as f:
            f.seek(start * rows.shape[1] * self.dtype.itemsize)
            f.write(rows.contiguous().numpy().tobytes())

    def remove(self) -> None:
        with suppress(OSError):
            self.path.unlink()
