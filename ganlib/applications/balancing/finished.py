"""What an interrupted comparison has behind it: an hour of training is not lost with its last minute, nor is an hour in
which hardly an image passed the filters.
"""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganlib.applications.balancing.treatments import Treatment
from ganlib.balances import FINISHED
from ganlib.files import read_json, write_atomically
from ganlib.models.options import SEED_LIMIT

Labels = NDArray[np.int64]


class Classified(NamedTuple):
    """What one classifier was trained on and says."""

    images: int
    generated: int  # of them
    seconds: float  # of training and testing
    predicted: Labels  # of each test image


class Finished:
    """Classifiers by treatment and seed, and the seeds of generated images: a file each, whole or absent, in a hidden
    folder beside the result.

    They count where everything is the same again: ``circumstances`` are protocol, versions, commit and hardware.
    """

    def __init__(self, folder: Path, circumstances: dict[str, Any]) -> None:
        key = hashlib.sha256(json.dumps(circumstances, sort_keys=True).encode()).hexdigest()[:16]
        self.folder = folder / f"{FINISHED}{key}"

    def read(self, treatment: Treatment, seed: int) -> Classified | None:
        """None where it is not there or damaged."""
        try:
            content = read_json(self._path(treatment, seed))
            images, generated = int(content["images"]), int(content["generated"])
            return Classified(images, generated, float(content["seconds"]), np.array(content["predicted"], np.int64))
        except (OSError, ValueError, TypeError, KeyError, OverflowError):
            return None

    def write(self, treatment: Treatment, seed: int, classified: Classified) -> None:
        content = classified._asdict() | {"predicted": classified.predicted.tolist()}
        write_atomically(self._path(treatment, seed), json.dumps(content).encode())

    def read_seeds(self, source: str) -> tuple[list[int], float]:
        """Of the images that were selected so far, and the seconds that this took; ([], 0) where that is not known."""
        try:
            content = read_json(self._seeds(source))
            seeds, seconds = [int(seed) for seed in content["seeds"]], float(content["seconds"])
        except (OSError, ValueError, TypeError, KeyError, OverflowError):
            return [], 0.0
        in_order = all(0 <= a < b for a, b in pairwise([*seeds, SEED_LIMIT]))
        return (seeds, seconds) if in_order else ([], 0.0)

    def write_seeds(self, source: str, seeds: list[int], seconds: float) -> None:
        write_atomically(self._seeds(source), json.dumps({"seconds": round(seconds, 1), "seeds": seeds}).encode())

    def _seeds(self, source: str) -> Path:
        return self.folder / f"seeds-{source}.json"

    def _path(self, treatment: Treatment, seed: int) -> Path:
        return self.folder / f"{treatment.method}-{treatment.ratio:g}-{seed}.json"
