"""Requests for interpolations: key frames, how to get from one to the next, and the equal command line and snippet."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ganlib.errors import GanlibError, shortened
from ganlib.models import Option
from ganlib.provenance import versions
from ganlib.runs import Run
from ganlib.sampling.interpolation import even_positions
from ganlib.sampling.request import (
    SampleRequest,
    SavedLatents,
    format_classes,
    format_option,
    parse_classes,
    parse_seeds,
)

MARK = "@"  # before the name of saved latents, where a key frame is written as text
SEPARATOR = "~"
MOST_FRAMES = 100_000


@dataclass(frozen=True)
class KeyFrame:
    """A seed, or saved latents, and a class: a place that an interpolation passes through."""

    source: int | SavedLatents
    label: int | None = None  # None where the model is unconditional
    options: tuple[tuple[str, float], ...] = ()  # of this key frame; between two they change evenly

    def request(self, run: Run, options: dict[str, Any]) -> SampleRequest:
        """For the image of this key frame."""
        classes = () if self.label is None else (self.label,)
        options = options | dict(self.options)
        if isinstance(self.source, int):
            return SampleRequest(run, classes, (self.source,), options)
        return SampleRequest(run, classes, (), options, latents=(self.source,))

    def caption(self, run: Run) -> str:
        """ "cat, seed 7"."""
        return self.request(run, {}).captions[0]

    def text(self, run: Run) -> str:
        """ "cat~7~temperature=0.5", as ``parse_key`` reads it."""
        classes = [] if self.label is None else [format_classes((self.label,), run)]
        source = str(self.source) if isinstance(self.source, int) else MARK + self.source.name
        return SEPARATOR.join([*classes, source, *(f"{name}={value:.12g}" for name, value in self.options)])


@dataclass(frozen=True)
class InterpolationRequest:
    """A path through a latent space by key frames. ``sheet``: rows and columns of a sheet between four of them."""

    run: Run
    keys: tuple[KeyFrame, ...]
    frames: int
    path: str = "slerp"
    space: str = "z"
    closed: bool = False
    order: str = "together"  # of latent and class, one of ``ORDERS``
    equal_speed: bool = False  # in feature distance
    options: dict[str, Any] = field(default_factory=dict)
    sheet: tuple[int, int] | None = None

    @property
    def captions(self) -> list[str]:
        """One per frame: its position between two key frames, in percent; of a sheet its row and column."""
        if self.sheet:
            rows, columns = self.sheet
            return [f"row {i + 1}, column {j + 1}" for i in range(rows) for j in range(columns)]
        names = [key.caption(self.run) for key in self.keys]
        if self.equal_speed:
            return [f"frame {i + 1} of {self.frames}" for i in range(self.frames)]
        captions, last = [], len(names) - (not self.closed) - 1
        for position in even_positions(self.frames, len(names), self.closed).tolist():
            i = min(int(position), last)
            captions.append(f"{position - i:.0%} from {names[i]} to {names[(i + 1) % len(names)]}")
        return captions

    @property
    def title(self) -> str:
        """ "cat, seed 7 to dog, seed 8", by all key frames."""
        names = [key.caption(self.run) for key in self.keys]
        return " to ".join([*names, *(names[:1] if self.closed and not self.sheet else [])])

    @property
    def arguments(self) -> list[str]:
        """Of the command line that gives the same frames, but for the file."""
        parts = ["python", "-m", "ganlib", "interpolate", self.run.argument]
        for key in self.keys:
            parts += ["--key", key.text(self.run)]
        if self.sheet:
            parts += ["--sheet", "x".join(map(str, self.sheet))]
        else:
            parts += ["--frames", str(self.frames)]
        parts += ["--path", self.path, "--space", self.space]
        if not self.sheet:
            parts += ["--closed"] * self.closed + ["--equal-speed"] * self.equal_speed
            parts += ["--order", self.order] if self.order != "together" else []
        for name, value in self.options.items():
            if value is not None:
                parts += ["--option", f"{name}={format_option(value)}"]
        return parts

    def command(self, *ending: str) -> str:
        """The command line with where to write, like ``--out``, ``walk.mp4``."""
        return shlex.join([*self.arguments, *ending])

    def provenance(self) -> dict[str, Any]:
        """Everything needed to generate the frames again, as JSON values."""
        return {
            "run": self.run.name,
            "model": self.run.model_name,
            "weights_sha256_12": self.run.weights_hash,
            "keys": [key.text(self.run) for key in self.keys],
            "options": self.options,
            "command": shlex.join(self.arguments),
            "versions": versions(),
        }


def morphing(option: Option) -> bool:
    """Whether an option may differ between key frames: numbers that are no steps, seeds or kinds."""
    return option.kind == "float" and option.default is not None


def parse_key(text: str, run: Run, options: Sequence[Option]) -> tuple[str, int | None, tuple[tuple[str, float], ...]]:
    """ "cat~7~temperature=0.5", "7" or "@my dog" -> the seed or "@name", the class if any, the options.

    GanlibError where it is no key frame of this run.
    """
    parts, own = text.split(SEPARATOR), list[tuple[str, float]]()
    known = {o.name: o for o in options if morphing(o)}
    while len(parts) > 1 and "=" in parts[-1] and not parts[-1].startswith(MARK):
        name, _, value = parts.pop().partition("=")
        if name not in known:
            names = ", ".join(known) or "none"
            raise GanlibError(
                f"{shortened(name)} cannot differ between key frames of {run.name}; of its options can: {names}."
            )
        own.insert(0, (name, float(known[name].parse(value))))
    begin = len(parts) - 1
    if not parts[-1].isdecimal():  # a path may hold the separator as well
        begin = next((i for i in range(begin, -1, -1) if parts[i].startswith(MARK)), begin)
    before, source = parts[:begin], SEPARATOR.join(parts[begin:])
    if before and not run.conditional:
        raise GanlibError(f"{run.name} is unconditional: write a key frame as a seed alone, not {text[:60]!r}.")
    labels = parse_classes(SEPARATOR.join(before), run) if before else ()
    if len(labels) > 1:
        raise GanlibError(f"A key frame has one class, not {len(labels)}: {text[:60]!r}.")
    if source.startswith(MARK):
        return source, labels[0] if labels else None, tuple(own)
    seeds = parse_seeds(source)
    if len(seeds) > 1:
        raise GanlibError(f"A key frame has one seed, not {len(seeds)}: {text[:60]!r}.")
    return str(seeds[0]), labels[0] if labels else None, tuple(own)
