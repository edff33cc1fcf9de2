"""Requests for images of a run: the page, its link, the command line and the file names all derive from one request."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from pathlib import PurePath
from typing import Any, NamedTuple
from unicodedata import normalize

from ganlib.errors import GanlibError, shortened
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


class SavedLatents(NamedTuple):
    """Latents in a file, as ``ganlib.applications.saved_latents`` keeps them: they stand in place of a seed."""

    name: str  # in the run's folder, or a path that ends in .safetensors
    label: int | None  # the class that they were saved with, None of an unconditional model

    def __str__(self) -> str:
        return PurePath(self.name).stem if self.name.endswith(".safetensors") else self.name


@dataclass(frozen=True)
class SampleRequest:
    """Every class with every seed, class by class; seeds alone where the model is unconditional.

    ``latents`` stand in place of ``seeds``, which are then none; without classes each has its own.
    """

    run: Run
    classes: tuple[int, ...]  # () where the model is unconditional, or latents have classes of their own
    seeds: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)
    edits: tuple[Edit, ...] = ()
    latents: tuple[SavedLatents, ...] = ()

    def __post_init__(self) -> None:
        if self.seeds and self.latents:
            raise GanlibError("Images are of seeds or of saved latents, not of both at once; leave one of them out.")

    @property
    def sources(self) -> tuple[int | SavedLatents, ...]:
        """The seeds, or the latents in their place."""
        return self.latents or self.seeds

    def _with_sources(self, sources: Iterable[int | SavedLatents]) -> SampleRequest:
        chosen = tuple(sources)
        seeds = tuple(source for source in chosen if isinstance(source, int))
        return replace(self, seeds=seeds, latents=tuple(s for s in chosen if not isinstance(s, int)))

    def head(self, n: int) -> SampleRequest:
        """The same request cut to at most n images: the first n classes, each with as many of its first seeds."""
        classes = self.classes[:n]
        return replace(self._with_sources(self.sources[: n // max(len(classes), 1)]), classes=classes)

    @property
    def image_seeds(self) -> list[int]:
        """One seed per image, none of saved latents."""
        return list(self.seeds) * max(len(self.classes), 1)

    @property
    def image_sources(self) -> list[int | SavedLatents]:
        """One seed, or saved latents, per image."""
        return list(self.sources) * max(len(self.classes), 1)

    @property
    def image_labels(self) -> list[int] | None:
        """One class per image, None when unconditional."""
        own = [latents.label for latents in self.latents if latents.label is not None]
        return [label for label in self.classes for _ in self.sources] or own or None

    @property
    def columns(self) -> int:
        """Of a grid that is nearly square, in which each class begins a new row."""
        return square_columns(max(len(self.classes), 1), len(self.sources))

    @property
    def singles(self) -> list[SampleRequest]:
        """One per image."""
        labels: Iterable[tuple[int, ...]] = zip(self.image_labels) if self.image_labels else repeat(())
        return [
            replace(self._with_sources([source]), classes=c)
            for c, source in zip(labels, self.image_sources, strict=False)
        ]

    @property
    def class_names(self) -> list[str]:
        return [class_name(self.run, label) for label in self.classes]

    @property
    def captions(self) -> list[str]:
        """ "cat, seed 7" for each image."""
        texts = [f"seed {source}" if isinstance(source, int) else str(source) for source in self.image_sources]
        names = [f"{class_name(self.run, label)}, " for label in self.image_labels or []] or [""] * len(texts)
        return [f"{name}{text}" for name, text in zip(names, texts, strict=True)]

    @property
    def file_names(self) -> list[str]:
        """One per image: unique on every file system, and without path separators."""
        names = [f"{class_name(self.run, label)}_" for label in self.image_labels or []] or [""] * len(self.sources)
        counts: Counter[str] = Counter()
        file_names = []
        for name, source in zip(names, self.image_sources, strict=True):
            stem = re.sub(r"[^\w.+ -]", "_", f"{self.run.path.name}_{name}{source}")
            counts[stem.lower()] += 1  # Windows and macOS do not distinguish "A" from "a"
            count = counts[stem.lower()]
            file_names.append(f"{stem}.png" if count == 1 else f"{stem} ({count}).png")
        return file_names

    @property
    def command(self) -> str:
        """The command line that generates the same images."""
        parts = ["python", "-m", "ganlib", "sample", self.run.argument]
        if self.classes:
            parts += ["--classes", format_classes(self.classes, self.run)]
        parts += ["--seeds", format_seeds(self.seeds)] if self.seeds else []
        for latents in self.latents:
            parts += ["--latents", latents.name]
        for name, value in self.options.items():
            if value is not None:  # None is the default
                parts += ["--option", f"{name}={format_option(value)}"]
        if self.edits:
            parts += ["--edit", format_edits(self.edits)]
        return shlex.join([*parts, "--out", "grid.png"])

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
            **({"latents": [latents.name for latents in self.latents]} if self.latents else {}),
            "options": self.options,
            **({"edits": {edit.name: edit.strength for edit in self.edits}} if self.edits else {}),
            "command": self.command,
            "versions": versions(),
        }


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
                f"{shortened(part)} is no edit; write a direction and how far to go, up to {MAX_STRENGTH:g}, like "
                "sefa-1=2."
            )
        edits.append(Edit(name.strip(), strength))
    return tuple(edits)


def format_edits(edits: Iterable[Edit]) -> str:
    return ",".join(f"{edit.name}={format_option(edit.strength)}" for edit in edits)


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
            raise GanlibError(f"Seeds go up from 0 to {SEED_LIMIT - 1}; {shortened(part)} does not.")
        if len(seeds) + high - low >= MAX_IMAGES:
            raise GanlibError(f"{shortened(part)} asks for more than {MAX_IMAGES:,} seeds; split the request.")
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
            raise GanlibError(f"{run.name} has no class {shortened(name)}; try {'; '.join(close)}.")
        del parts[:length]
    return tuple(labels)


def parse_class(text: str, run: Run) -> int:
    """ "cat" or "3" -> one class; GanlibError where it is none or several."""
    labels = parse_classes(text, run)
    if len(labels) != 1:
        raise GanlibError(f"--class is one class of {run.name}, not {len(labels)}: {shortened(text)}.")
    return labels[0]


def format_classes(labels: Sequence[int], run: Run, *, numbers: bool = False) -> str:
    """Text that ``parse_classes`` reads as these: their names, else their numbers; with ``numbers`` these first.

    A number that is the name of another class would be read as that class.
    """
    ways = [[class_name(run, label) for label in labels], [str(label) for label in labels]]
    if numbers:
        ways.reverse()
    mixed = [
        next((text for text in texts if _reads_as(text, (label,), run)), texts[-1])
        for label, *texts in zip(labels, *ways, strict=True)
    ]
    texts = [",".join(way) for way in (*ways, mixed)]
    return next((text for text in texts if _reads_as(text, tuple(labels), run)), texts[-1])


def _reads_as(text: str, labels: tuple[int, ...], run: Run) -> bool:
    try:
        return parse_classes(text, run) == labels
    except GanlibError:
        return False


def _comparable(name: str) -> str:
    """In NFC, without spaces around commas."""
    return ",".join(part.strip() for part in normalize("NFC", name).split(","))
