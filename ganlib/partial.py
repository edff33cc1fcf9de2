"""Rows of numbers or pixels on disk as they are computed, so that what was killed continues at its last chunk."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ganlib.distributed import World

ENDINGS = {torch.float32: "f32", torch.uint8: "u8"}


class Partial:
    """Rows of numbers in a file of a folder, named after everything that they depend on.

    A folder that cannot be written to is measured all the same: then nothing is stored.
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


class DealtRows(NamedTuple):
    """Rows that several processes have computed."""

    own: Tensor  # (m, width)
    start: int  # of the own ones among all
    all: Tensor | None  # (n, width) at rank 0


def deal_rows(
    world: World,
    n: int,
    width: int,
    chunk: int,
    partial: Callable[[dict[str, Any]], Partial | None],
    rows_from: Callable[[int], Iterable[Tensor]],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> DealtRows:
    """n rows, of which every process computes whole chunks and keeps them in a file of its own: a file's length is what
    is done of its part.

    ``partial`` gives the file, if any, for rows that also depend on these values; ``rows_from(start)`` gives (m, width)
    each. SharedError where any process fails.
    """
    starts = first_rows(n, chunk, world.size)
    first, end = starts[world.rank : world.rank + 2]
    own = world.agree(
        lambda: compute_rows(
            end - first,
            width,
            chunk,
            partial({"rows": [first, end]} if world.size > 1 else {}),
            lambda done: rows_from(first + done),
            lambda done: progress(done, end - first),
        )
    )
    return DealtRows(own, first, world.gather_rows(own, [b - a for a, b in pairwise(starts)]))


def first_rows(n: int, chunk: int, parts: int) -> list[int]:
    """Where each of so many nearly equal parts of n rows begins, and n: at whole chunks, as one process has them."""
    chunks = -(-n // chunk)
    return [min(chunks * part // parts * chunk, n) for part in range(parts + 1)]


def compute_rows(
    n: int,
    width: int,
    chunk: int,
    partial: Partial | None,
    rows_from: Callable[[int], Iterable[Tensor]],
    progress: Callable[[int], None] = lambda done: None,
) -> Tensor:
    """(n, width): ``rows_from(start)`` gives (m, width) each from there on.

    With ``partial`` it continues where an earlier call was killed; numbers at a whole chunk, since their last bit may
    depend on what is computed together.
    """
    dtype = partial.dtype if partial else torch.float32
    rows = torch.empty(n, width, dtype=dtype)
    cached = partial.rows(width)[:n] if partial else rows[:0]
    if len(cached) < n and dtype == torch.float32:
        cached = cached[: len(cached) // chunk * chunk]
    done = len(cached)
    rows[:done] = cached
    stream = iter(rows_from(done) if done < n else ())
    while done < n:
        computed = next(stream)[: n - done]
        rows[done : done + len(computed)] = computed
        if partial:
            partial.write(computed, done)
        done += len(computed)
        progress(done)
    return rows
