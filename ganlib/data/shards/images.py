"""A split's pictures, decoded from their shards whenever they are indexed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import NDArray

from ganlib.data.levels import kind_of
from ganlib.data.pictures import decode, to_square
from ganlib.data.shards.shard import Reader
from ganlib.errors import GanlibError
from ganlib.picture_files import describe_failure

LARGEST_ARRAY = 2 * 2**30  # bytes that are decoded at once
ATTEMPTS = 10_000  # pictures that may fail one after the other
FEWEST_FOR_THREADS = 4
THREADS = min(8, os.cpu_count() or 1)


@lru_cache(maxsize=1)
def _threads(process: int) -> ThreadPoolExecutor:
    """Of all sets; none is alive in a forked ``process``."""
    return ThreadPoolExecutor(THREADS, "ganlib-decoding")


class ShardImages:
    """(N, H, W, C) uint8, as ``Split`` has it. In place of a picture that cannot be read, which is noted in
    ``damaged``, stands the next one of its class: always the same, whoever reads it and when.
    """

    def __init__(
        self,
        reader: Reader,
        rows: NDArray[np.int64],
        labels: NDArray[np.int64],
        size: int,
        channels: int,
        title: str,
    ) -> None:
        """``rows``: the pictures' numbers among those of all shards."""
        self.shape = (len(rows), size, size, channels)
        self.damaged: dict[int, str] = {}  # row -> "name: reason"
        self._reader, self._rows, self._labels, self._title = reader, rows, labels, title
        self._replacements: dict[int, int] = {}

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any, /) -> NDArray[np.uint8]:
        if isinstance(rows, int | np.integer):
            return self._decode_all(np.array([rows]))[0]
        if isinstance(rows, slice):
            return self._decode_all(np.arange(*rows.indices(len(self))))
        rows = np.asarray(rows)
        return self._decode_all(np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.int64))

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        return (self[row] for row in range(len(self)))

    def __array__(self, dtype: None = None, /, *, copy: bool | None = None) -> NDArray[np.uint8]:
        return self[:]

    def _decode_all(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        shape = (len(rows), *self.shape[1:])
        if np.prod(shape, dtype=np.int64) > LARGEST_ARRAY:
            raise GanlibError(
                f"{len(rows):,} pictures of {self._title} at once would take more than {LARGEST_ARRAY >> 30} GiB of "
                "memory; take a part of the set, such as subset:NAME@COUNTS, or a folder instead of shards."
            )
        wanted = np.where(rows < 0, rows + len(self), rows).tolist()
        with catch_warnings():
            simplefilter("ignore")  # of damaged metadata
            pictures = self._map(self._picture, wanted)
            return np.stack(list(pictures)) if wanted else np.empty(shape, np.uint8)

    def _map(self, work: Callable[[int], NDArray[np.uint8]], rows: list[int]) -> Iterator[NDArray[np.uint8]]:
        if THREADS == 1 or len(rows) < FEWEST_FOR_THREADS:
            return map(work, rows)
        return _threads(os.getpid()).map(work, rows)

    def _picture(self, row: int) -> NDArray[np.uint8]:
        try:
            return self._decode(self._replacements.get(row, row))
        except (GanlibError, MemoryError):
            raise
        except Exception as error:  # Pillow's decoders raise almost any exception on damaged files
            self._note(row, error)
            return self._replace(row)

    def _decode(self, row: int) -> NDArray[np.uint8]:
        image = decode(self._reader.read(int(self._rows[row])))
        if kind := kind_of(image):  # which of its values is white depends on all pictures of the kind
            raise ValueError(f"{kind}s have more than 8 bits, which are read from folders alone")
        return to_square(image, self.shape[1], self.shape[3])

    def _replace(self, row: int) -> NDArray[np.uint8]:
        alike = np.flatnonzero(self._labels == self._labels[row])
        after = np.roll(alike, -int(np.searchsorted(alike, row, "right")))[: min(len(alike) - 1, ATTEMPTS)]
        for other in after.tolist():
            try:
                picture = self._decode(other)
            except MemoryError:
                raise
            except Exception as error:
                self._note(other, error)
                continue
            self._replacements[row] = other
            return picture
        raise GanlibError(
            f"{self.damaged[row]}, and {len(after):,} pictures after it in {self._title} cannot be read either; check "
            "that its shards are complete and still in their place."
        )

    def _note(self, row: int, error: Exception) -> None:
        if row not in self.damaged:
            self.damaged[row] = f"{self._reader.name(int(self._rows[row]))}: {describe_failure(error)}"
