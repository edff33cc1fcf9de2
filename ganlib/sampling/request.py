"""What somebody asked of a run: the same request makes the page, the link, the command line and the file names."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from ganlib.errors import GanlibError
from ganlib.models.options import FROM_SEED, SEED_LIMIT
from ganlib.provenance import versions
from ganlib.runs import Run

MOST_IMAGES = 100_000


@dataclass(frozen=True)
class SampleRequest:
    """Every class with every seed, class by class; seeds alone where the model is unconditional."""

    run: Run
    classes: tuple[int, ...]  # () = no classes asked
    seeds: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)

    def beginning(self, most: int) -> SampleRequest:
        """The same with at most so many images: every class that has room, with the first seeds."""
        classes = self.classes[:most]
        return replace(self, classes=classes, seeds=self.seeds[: most // max(len(classes), 1)])

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
        """One for each image: no two alike, none with a folder in it."""
        names = [f"{class_name(self.run, label)}_" for label in self.image_labels or []] or [""] * len(self.seeds)
        taken: Counter[str] = Counter()
        found = []
        for name, seed in zip(names, self.image_seeds, strict=True):
            stem = re.sub(r"[^\w.+ -]", "_", f"{self.run.path.name}_{name}{seed}")
            taken[stem.lower()] += 1  # to Windows and macOS "A" and "a" are one file
            again = taken[stem.lower()]
            found.append(f"{stem}.png" if again == 1 else f"{stem} ({again}).png")
        return found

    @property
    def command(self) -> str:
        """The command line that makes the same pictures."""
        # Where two roots hold runs of one name, only the path says which.
        run = self.run.name if self.run.name == self.run.path.name else str(self.run.path)
        parts = ["python", "-m", "ganlib", "sample", run]
        if self.classes:
            cut = any("," in name or name != name.strip() for name in self.class_names)
            parts += ["--classes", ",".join(map(str, self.classes) if cut else self.class_names)]
        parts += ["--seeds", format_seeds(self.seeds)]
        for name, value in self.options.items():
            if value is not None:  # which is what leaving it out means
                parts += ["--option", f"{name}={written(value)}"]
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


def written(value: Any) -> str:
    """An option's value as people write it, which ``Option.parse`` reads."""
    if value is None:
        return FROM_SEED
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def parse_whole(text: str) -> int | None:
    """A whole number, None if it is not one. ``int`` itself raises on thousands of digits; no limit here has 20."""
    return int(text) if text.isdecimal() and len(text) <= 20 else None


def parse_seeds(text: str) -> tuple[int, ...]:
    """ "0,3,8-11" -> (0, 3, 8, 9, 10, 11)."""
    seeds: list[int] = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        first, dash, last = part.partition("-")
        low, high = parse_whole(first), parse_whole(last if dash else first)
        if low is None or high is None:
            raise GanlibError(f"Seeds are whole numbers from 0 to {SEED_LIMIT - 1}, like 0,3,8-11; not {part[:40]!r}.")
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
        number = parse_whole(name)
        if name in run.classes:
            found.append(run.classes.index(name))
        elif number is not None and number < len(run.classes):
            found.append(number)
        else:
            close = get_close_matches(name, run.classes, n=3) or run.classes
            raise GanlibError(f"{run.name} has no class {name!r}; try {', '.join(close)}.")
    return tuple(found)
