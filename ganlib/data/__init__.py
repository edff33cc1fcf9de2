"""Data sets as memory-mapped uint8 arrays or shards, and batches that are a function of (seed, step)."""

from __future__ import annotations

from ganlib.data import archives, celeba, digits, folder, mixture, shards, subset, vision  # noqa: F401  (importing registers)
from ganlib.data.batches import batches
from ganlib.data.load import load_data, recorded_name
from ganlib.data.sets import DATA_SETS, DataInfo, DataSet, Split, check_name, display_name, list_data

__all__ = [
    "DATA_SETS",
    "DataInfo",
    "DataSet",
    "Split",
    "batches",
    "check_name",
    "display_name",
    "list_data",
    "load_data",
    "recorded_name",
]
