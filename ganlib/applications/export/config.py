"""What is exported, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ganlib.config import Config, option
from ganlib.errors import GanlibError
from ganlib.models.options import SEED_LIMIT

MOST_IMAGES = 10_000_000  # of a class


@dataclass(frozen=True)
class ExportConfig(Config):
    images: int = option(100, "images of each class", min=1, max=MOST_IMAGES)
    counts: tuple[int, ...] = option((), "images of each class in turn, where they differ", min=0, max=MOST_IMAGES)
    format: Literal["folder", "zip", "webdataset"] = option(
        "folder", "a folder with a folder for each class, a ZIP of it, or tar shards for WebDataset"
    )
    first_seed: int = option(0, "seed of the first image that is tried", min=0, max=SEED_LIMIT - 1)
    min_confidence: float = option(
        0.0, "leave out images that the data set's classifier gives their class less, 0 = none", min=0.0, max=1.0
    )
    min_distance: float = option(
        0.0, "leave out images as near to a training image as this share of test images is, 0 = none", min=0.0, max=0.9
    )
    shard: int = option(1_000, "images of a shard", min=1, max=100_000)
    data_root: str = option("", "where data sets lie, if not in $GANLIB_DATA")

    def quotas(self, num_classes: int) -> list[int]:
        """Images of each class; GanlibError where the counts are not those of so many classes."""
        if not self.counts:
            return [self.images] * num_classes
        if len(self.counts) != num_classes or not any(self.counts):
            raise GanlibError(f"Give a count for each of {num_classes} classes, one above 0; not {len(self.counts)}.")
        return list(self.counts)
