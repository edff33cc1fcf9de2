"""Requests for images of a run: the page, its link, the command line and the file names all derive from one request."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import Any
from unicodedata import normalize

from ganlib.errors import GanlibError
from ganlib.images import square_columns
from ganlib.models.options import FROM_SEED, SEED_LIMIT
from ganlib.naming import nearest_names
from ganlib.provenance import versions
from ganlib.runs import Run

MAX_IMAGES = 100_000
MAX_STRENGTH = 20.0  # deviations along a direction


@dataclass(frozen=True)
class Edit:
    """A direction of latent space by its name, as ``ganlib.applications`` knows them, and how many deviations to go."""

    name: str
    strength: float


@dataclass(frozen=True)
class SampleRequest:
    """Every class with every seed, class by class; seeds alone where the model is unconditional."""

    run: Run
    classes: tuple[int, ...]  # () where the model is unconditional
    seeds: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)
    edits: tuple[Edit, ...] = ()

    def head(self, n: int) -> SampleRequest:
        """The same request cut to at most n images: the first n classes, each with as many of its first seeds."""
        classes = self.classes[:n]
        return replace(self, classes=classes, seeds=self.seeds[: n // max(len(classes), 1)])

    @property
    def image_seeds(self) -> list[int]:
        """One seed per image."""
        return list(self.seeds) * max(len(self.classes), 1)

    @property
    def image_labels(self) -> list[int] | None:
        """One class per image, None when unconditional."""
        return [label for label in self.classes for _ in self.seeds] or None

    @property
    def columns(self) -> int:
        """Of a grid that is nearly square, in which each class begins a new row."""
        return square_columns(max(len(self.classes), 1), len(self.seeds))

    @property
    def singles(self) -> list[SampleRequest]:
        """One per image."""
        labels: Iterable[tuple[int, ...]] = zip(self.image_labels) if self.image_labels else repeat(())
        return [replace(self, classes=c, seeds=(s,)) for c, s in zip(labels, self.image_seeds, strict=False)]

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
        """One per image: unique on every file system, and without path separators."""
        names = [f"{class_name(self.run, label)}_" for label in self.image_labels or []] or [""] * len(self.seeds)
        counts: Counter[str] = Counter()
        file_names = []
        for name, seed in zip(names, self.image_seeds, strict=True):
            stem = re.sub(r"[^\w.+ -]", "_", f"{self.run.path.name}_{name}{seed}")
            counts[stem.lower()] += 1  # Windows and macOS do not distinguish "A" from "a"
            count = counts[stem.lower()]
            file_names.append(f"{stem}.png" if count == 1 else f"{stem} ({count}).png")
        return file_names

    @property
    def command(self) -> str:
        """The command line that generates the same images."""
        # Where two run roots hold runs of one name, only the path identifies one.
        run = self.run.name if self.run.name == self.run.path.name else str(self.run.path)
        parts = ["python", "-m", "ganlib", "sample", run]
        if self.classes:
            names = ",".join(self.class_names)
            parts += ["--classes", names if self._names_are_clear(names) else ",".join(map(str, self.classes))]
        parts += ["--seeds", format_seeds(self.seeds)]
        for name, value in self.options.items():
            if value is not None:  # None is the default
                parts += ["--option", f"{name}={format_option(value)}"]
        if self.edits:
            parts += ["--edit", format_edits(self.edits)]
        return shlex.join([*parts, "--out", "grid.png"])

    def _names_are_clear(self, names: str) -> bool:
        """Whether the names alone, parsed again, are these classes."""
        try:
            return parse_classes(names, self.run) == self.classes
        except GanlibError:
            return False

    def provenance(self) -> dict[str, Any]:
        """Everything needed to generate the images again, as JSON values."""
        return {
            "run": self.run.name,
            "model": self.run.model_name,
            "weights_sha256_12": self.run.weights_hash,
            "images_seen": self.run.images_seen,
            "data": self.run.data_name,
            "classes": self.class_names,
            "seeds": list(self.seeds),
            "options": self.options,
            **({"edits": {edit.name: edit.strength for edit in self.edits}} if self.edits else {}),
            "command": self.command,
            "versions": versions(),
        }


@dataclass(frozen=True)
class InterpolationRequest:
    """An interpolation in a latent space from one seed and class to another."""

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
    def endpoints(self) -> tuple[str, str]:
        """Captions of the first and the last frame, like "cat, seed 7"."""
        first, last = (
            SampleRequest(self.run, (self.classes[i],) if self.classes else (), (self.seeds[i],)).captions[0]
            for i in (0, 1)
        )
        return first, last

    @property
    def captions(self) -> list[str]:
        """One per frame: its position between the endpoints, in percent."""
        first, last = self.endpoints
        return [f"{i / (self.frames - 1):.0%} from {first} to {last}" for i in range(self.frames)]


def class_name(run: Run, label: int) -> str:
    """The name of a class in the data set, or its number where the run stores no names."""
    return run.classes[label] if run.classes else str(label)


def parse_edits(text: str) -> tuple[Edit, ...]:
    """ "sefa-1=2,brightness=-0.5" -> edits; GanlibError where it is no such list."""
    edits = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = part.rpartition("=")
        try:
            strength = float(number)
        except ValueError:
            strength = float("nan")
        if not name.strip() or not abs(strength) <= MAX_STRENGTH:
            raise GanlibError(
                f"{part!r} is no edit; write a direction and how far to go, up to {MAX_STRENGTH:g}, like sefa-1=2."
            )
        edits.append(Edit(name.strip(), strength))
    return tuple(edits)


def format_edits(edits: Iterable[Edit]) -> str:
    return ",".join(f"{edit.name}={edit.strength:g}" for edit in edits)


def format_option(value: Any) -> str:
    """An option's value as text, which ``Option.parse`` reads back."""
    if value is None:
        return FROM_SEED
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def parse_int(text: str) -> int | None:
    """A non-negative integer of at most 20 digits, else None (``int`` raises on thousands of digits)."""
    return int(text) if text.isdecimal() and len(text) <= 20 else None


def parse_seeds(text: str) -> tuple[int, ...]:
    """ "0,3,8-11" -> (0, 3, 8, 9, 10, 11)."""
    seeds: list[int] = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        first, dash, last = part.partition("-")
        low, high = parse_int(first), parse_int(last if dash else first)
        if low is None or high is None:
            raise GanlibError(f"Seeds are whole numbers from 0 to {SEED_LIMIT - 1}, like 0,3,8-11; not {part[:40]!r}.")
        if not low <= high < SEED_LIMIT:
            raise GanlibError(f"Seeds go up from 0 to {SEED_LIMIT - 1}; {part!r} does not.")
        if len(seeds) + high - low >= MAX_IMAGES:
            raise GanlibError(f"{part!r} asks for more than {MAX_IMAGES:,} seeds; split the request.")
        seeds.extend(range(low, high + 1))
    if not seeds:
        raise GanlibError("No seeds were given; name at least one seed, like 0-15.")
    return tuple(seeds)


def format_seeds(seeds: Iterable[int]) -> str:
    """(0, 3, 8, 9, 10, 11) -> "0,3,8-11"."""
    ranges: list[list[int]] = []
    for seed in seeds:
        if ranges and seed == ranges[-1][1] + 1:
            ranges[-1][1] = seed
        else:
            ranges.append([seed, seed])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def parse_classes(text: str, run: Run) -> tuple[int, ...]:
    """ "cat,dog" or "3,5" -> class indices of this run; names take precedence over numbers, long ones over short ones.

    A name may contain commas and be typed in either Unicode form, which look the same.
    """
    names = {_comparable(name): label for label, name in reversed(list(enumerate(run.classes)))}
    lengths = range(1 + max((name.count(",") for name in names), default=0), 0, -1)
    parts, labels = [part.strip() for part in text.split(",")], []
    while parts:
        length = next((n for n in lengths if _comparable(",".join(parts[:n])) in names), 1)
        name, number = ",".join(parts[:length]), parse_int(parts[0])
        if (label := names.get(_comparable(name))) is not None:
            labels.append(label)
        elif number is not None and number < len(run.classes):
            labels.append(number)
        elif name:
            close = nearest_names(name, run.classes) or run.classes
            raise GanlibError(f"{run.name} has no class {name!r}; try {'; '.join(close)}.")
        del parts[:length]
    return tuple(labels)


def _comparable(name: str) -> str:
    """In NFC, without spaces around commas."""
    return ",".join(part.strip() for part in normalize("NFC", name).split(","))
