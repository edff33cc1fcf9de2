"""What somebody asked of a run: the same request makes the page, the link, the command line and the file names."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from ganlib.errors import GanlibError
from ganlib.models.base import SEED_LIMIT
from ganlib.runs import Run, versions

MOST_IMAGES = 100_000


@dataclass(frozen=True)
class SampleRequest:
    """Every class with every seed, class by class; seeds alone where the model is unconditional."""

    run: Run
    classes: tuple[int, ...]  # () = no classes asked
    seeds: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def image_seeds(self) -> list[int]:
        """One seed per image."""
        return list(self.seeds) * max(len(self.classes), 1)

    @property
    def image_labels(self) -> list[int] | None:
        """One class per image, None when unconditional."""
        return [label for label in self.classes for _ in self.seeds] or None

    @property
    def class_names(self) -> list[str]:
        return [class_name(self.run, label) for label in self.classes]

    @property
    def captions(self) -> list[str]:
        """ "cat, seed 7" for each image."""
        names = [f"{class_name(self.run, label)}, " for label in self.image_labels or []] or [""] * len(self.seeds)
        return [f"{name}seed {seed}" for name, seed in zip(names, self.image_seeds, strict=True)]

    @property
    def file_names(self) -> list[str]:
        return [f"{self.run.name}_{c.replace(', seed ', '_').replace('seed ', '')}.png" for c in self.captions]

    @property
    def command(self) -> str:
        """The command line that makes the same pictures."""
        parts = ["python", "-m", "ganlib", "sample", self.run.name]
        if self.classes:
            parts += ["--classes", ",".join(self.class_names)]
        parts += ["--seeds", format_seeds(self.seeds)]
        for name, value in self.options.items():
            parts += ["--option", f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"]
        return shlex.join([*parts, "--out", "grid.png"])

    def how(self) -> dict[str, Any]:
        """Everything needed to make the pictures again."""
        return {
            "run": self.run.name,
            "model": self.run.model_name,
            "weights_sha256_12": self.run.weights_hash,
            "images_seen": self.run.images_seen,
            "data": self.run.data_name,
            "classes": self.class_names,
            "seeds": list(self.seeds),
            "options": self.options,
            "command": self.command,
            "versions": versions(),
        }


@dataclass(frozen=True)
class WalkRequest:
    """The way from one seed and class to another through latent space."""

    run: Run
    seeds: tuple[int, int]
    classes: tuple[int, int] | None  # None where the model is unconditional
    frames: int
    path: str = "slerp"
    space: str = "z"
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def class_names(self) -> list[str]:
        return [class_name(self.run, label) for label in self.classes or ()]

    @property
    def ends(self) -> tuple[str, str]:
        """ "cat, seed 7" for either end."""
        first, last = (
            SampleRequest(self.run, (self.classes[i],) if self.classes else (), (self.seeds[i],)).captions[0]
            for i in (0, 1)
        )
        return first, last

    @property
    def captions(self) -> list[str]:
        """One for each frame: how far along the way it lies."""
        return [f"{i / (self.frames - 1):.0%} from {self.ends[0]} to {self.ends[1]}" for i in range(self.frames)]


def class_name(run: Run, label: int) -> str:
    """The data set's word for a class, or its number where the run names none."""
    return run.classes[label] if run.classes else str(label)


def parse_seeds(text: str) -> tuple[int, ...]:
    """ "0,3,8-11" -> (0, 3, 8, 9, 10, 11)."""
    seeds: list[int] = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise GanlibError(f"Seeds are whole numbers from 0 to {SEED_LIMIT - 1}, like 0,3,8-11; not {part!r}.")
        low, high = int(first), int(last or first)
        if not low <= high < SEED_LIMIT:
            raise GanlibError(f"Seeds go up from 0 to {SEED_LIMIT - 1}; {part!r} does not.")
        if len(seeds) + high - low >= MOST_IMAGES:
            raise GanlibError(f"{part!r} asks for more than {MOST_IMAGES:,} seeds; split the request.")
        seeds.extend(range(low, high + 1))
    if not seeds:
        raise GanlibError("Name at least one seed, like 0-15.")
    return tuple(seeds)


def format_seeds(seeds: Iterable[int]) -> str:
    """(0, 3, 8, 9, 10, 11) -> "0,3,8-11"."""
    runs: list[list[int]] = []
    for seed in seeds:
        if runs and seed == runs[-1][1] + 1:
            runs[-1][1] = seed
        else:
            runs.append([seed, seed])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def parse_classes(text: str, run: Run) -> tuple[int, ...]:
    """ "cat,dog" or "3,5" -> class indices of this run; names win over numbers."""
    found = []
    for name in filter(None, (p.strip() for p in text.split(","))):
        if name in run.classes:
            found.append(run.classes.index(name))
        elif name.isdecimal() and int(name) < len(run.classes):
            found.append(int(name))
        else:
            close = get_close_matches(name, run.classes, n=3) or run.classes
            raise GanlibError(f"{run.name} has no class {name!r}; try {', '.join(close)}.")
    return tuple(found)
