"""Which images are exported: seed after seed, class after class, the first of each class that pass the filters.

The order is fixed and what came before decides nothing else, so that an export goes on where its last row stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ganlib.applications.export.filters import Filter
from ganlib.errors import GanlibError
from ganlib.models import GenerativeModel
from ganlib.models.options import SEED_LIMIT
from ganlib.sampling.generate import CHUNK, sample

QUICK = 1.0  # seconds for a part: so long may progress stand still
MOST_DRAWN = 1024  # images of a part
PATIENCE, MOST_TRIED = 500, 200  # of a class so many images are tried, and so many more for each that passes

Images = NDArray[np.uint8]


class TooFewPass(GanlibError):
    """Of many images of a class hardly one passes the filters."""


class Picture(NamedTuple):
    image: NDArray[np.uint8]  # (H, W, C)
    seed: int
    label: int | None  # None where the model is unconditional
    scores: dict[str, float]  # of each filter


class Candidate(NamedTuple):
    turn: int
    label: int  # 0 where the model is unconditional


Draw = Callable[[Sequence[int], Sequence[int]], Images]  # of seeds and labels, one of each for an image


def samples_of(model: GenerativeModel, options: dict[str, Any] | None = None) -> Draw:
    """Labels are ignored where the model is unconditional."""

    def draw(seeds: Sequence[int], labels: Sequence[int]) -> Images:
        y = torch.tensor(labels) if model.conditional else None
        return sample(model, seeds, y, chunk=CHUNK, **(options or {}))

    return draw


@dataclass
class Selection:
    draw: Draw
    quotas: Sequence[int]  # images of each class; one number where there are none
    first_seed: int = 0
    filters: Sequence[Filter] = ()
    conditional: bool = True
    part: int = CHUNK  # images that are drawn at a time; twice as many again and again, as long as they are quick
    gives_up: bool = False  # a class of which too few pass is left with what it has, in place of an error

    def __post_init__(self) -> None:
        self.given_up: dict[int, TooFewPass] = {}  # of labels
        self.accepted = [0] * len(self.quotas)
        self._latest = [-1] * len(self.quotas)  # turn of the last image that each class accepted
        self._last = Candidate(-1, len(self.quotas) - 1)

    @property
    def total(self) -> int:
        return sum(self.quotas)

    def seed(self, candidate: Candidate) -> int:
        """Another one for each image, so that no two classes share their latents."""
        seed = self.first_seed + candidate.turn * len(self.quotas) + candidate.label
        if seed >= SEED_LIMIT:
            raise GanlibError(
                "There are no more seeds to try; begin with a smaller --first-seed or export fewer images."
            )
        return seed

    def label(self, seed: int) -> int:
        """For which class it was tried; 0 where the model is unconditional."""
        return self._candidate(seed).label

    def _candidate(self, seed: int) -> Candidate:
        return Candidate(*divmod(seed - self.first_seed, len(self.quotas)))

    def skip(self, seeds: Iterable[int]) -> None:
        """Take these images, of an interrupted export, as accepted; GanlibError where they cannot be."""
        for seed in seeds:
            candidate = self._candidate(seed)
            if candidate <= self._last or not self._wanted(candidate.label):
                raise GanlibError(
                    f"The manifest has seed {seed} twice, out of order or beyond the images asked for; export into a "
                    "new folder."
                )
            self._last = candidate
            self._accept(candidate)

    def _accept(self, candidate: Candidate) -> None:
        self.accepted[candidate.label] += 1
        self._latest[candidate.label] = candidate.turn

    def tried(self, label: int) -> int:
        """Images of the class that were looked at so far."""
        return self._last.turn + (label <= self._last.label)

    def needed(self, label: int) -> int:
        """Of them, those up to the last that was accepted."""
        return self._latest[label] + 1

    def __iter__(self) -> Iterator[list[Picture]]:
        """Parts of what is accepted, until every class has its images."""
        while any(map(self._wanted, range(len(self.quotas)))):
            candidates = self._candidates()
            seeds, labels = [self.seed(c) for c in candidates], [c.label for c in candidates]
            start = monotonic()
            images = self.draw(seeds, labels)
            if monotonic() - start < QUICK:
                self.part = min(2 * self.part, MOST_DRAWN)
            scores = {f.name: f.scores(images, labels) for f in self.filters}
            passed = np.all([f.passes(scores[f.name]) for f in self.filters] or [np.ones(len(images), bool)], axis=0)
            part = []
            for i, candidate in enumerate(candidates):
                if passed[i] and self._wanted(candidate.label):
                    self._accept(candidate)
                    label = candidate.label if self.conditional else None
                    part.append(Picture(images[i], seeds[i], label, {k: float(v[i]) for k, v in scores.items()}))
            self._last = candidates[-1]
            self._require_progress()
            if part:
                yield part

    def _wanted(self, label: int) -> bool:
        return self.accepted[label] < self.quotas[label] and label not in self.given_up

    def _candidates(self) -> list[Candidate]:
        """The next ones; some of the last may turn out to be more than their class needs."""
        k, (turn, label) = len(self.quotas), self._last
        candidates: list[Candidate] = []
        while len(candidates) < self.part:
            turn, label = (turn, label + 1) if label + 1 < k else (turn + 1, 0)
            if self._wanted(label):
                candidates.append(Candidate(turn, label))
        return candidates

    def _require_progress(self) -> None:
        for label in filter(self._wanted, range(len(self.quotas))):
            tried, accepted = self.tried(label), self.accepted[label]
            if tried > PATIENCE + MOST_TRIED * max(accepted, 1):
                names = " and ".join(f"--{f.flag}" for f in self.filters)
                error = TooFewPass(
                    f"Of {tried:,} images of class number {label} only {accepted:,} pass the filters; lower {names}."
                )
                if not self.gives_up:
                    raise error
                self.given_up[label] = error
