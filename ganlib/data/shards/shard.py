"""What an index holds of one shard."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ganlib.data.shards.labels import Label


@dataclass
class Shard:
    """``sizes``: pictures of each part that is read in one go, in order; ``digest``: of what is in the file."""

    labels: list[Label] = field(default_factory=list)  # of each picture
    sizes: list[int] = field(default_factory=list)
    places: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 2), np.int64))  # offset and bytes, in a tar
    largest_part: int = 0  # bytes that reading a picture keeps in memory
    skipped: list[str] = field(default_factory=list)  # "name: reason"
    digest: bytes = b""


class Reader(Protocol):
    """Pictures by their number among those of all shards; safe for threads."""

    def read(self, number: int) -> bytes:
        """The picture's file. Raises any exception where it cannot be read."""

    def name(self, number: int) -> str: ...
