"""What is known of generated images on disk as it comes, so that a killed evaluation goes on at its last chunk."""

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

    A run that cannot be written to is measured all the same: then nothing is kept.
    """

    def __init__(
        self, folder: Path, depends_on: dict[str, Any], what: str = "features", dtype: torch.dtype = torch.float32
    ) -> None:
        key = hashlib.sha256(json.dumps(depends_on, sort_keys=True).encode()).hexdigest()[:12]
        self.path, self.dtype = folder / f".{what}-{key}.{ENDINGS[dtype]}", dtype

    def rows(self, width: int) -> Tensor:
        """(m, width) what is there; a row cut short by a kill is dropped."""
        try:
            content = self.path.read_bytes()
        except OSError:
            return torch.empty(0, width, dtype=self.dtype)
        of_row = self.dtype.itemsize * width
        whole = len(content) // of_row
        with suppress(OSError), self.path.open("r+b") as f:
            f.truncate(whole * of_row)
        if not whole:
            return torch.empty(0, width, dtype=self.dtype)
        return torch.frombuffer(bytearray(content), dtype=self.dtype, count=whole * width).view(whole, width)

    def write(self, rows: Tensor, start: int) -> None:
        """At their place: two evaluations of one run at once write the same rows there, not one's after the other's."""
        create = os.O_CREAT if start == 0 else 0  # a file that the other one has removed is not begun in its middle
        with suppress(OSError), open(os.open(self.path, os.O_RDWR | create, 0o644), "r+b") as f:
            f.seek(start * rows.shape[1] * self.dtype.itemsize)
            f.write(rows.contiguous().numpy().tobytes())

    def remove(self) -> None:
        with suppress(OSError):
            self.path.unlink()
