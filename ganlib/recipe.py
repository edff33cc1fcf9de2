"""The recipe of a run, ``config.json``: what ``train --like`` repeats, and where the run comes from.

Read without torch: whether the model exists and its config makes sense is for ``ganlib.runs`` to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import UnionType
from typing import Any, Self

from ganlib.errors import GanlibError, shortened
from ganlib.files import read_json, write_atomically

FOLDER = re.compile(r"(?:^|:)(folder|shards):(.*)", re.DOTALL)  # one's own data, whose recipe has the name alone
OTHER_PLACE = re.compile(r"[/\\]|^\.\.?(?=[@#]|$)|^~|^[A-Za-z]:")
MAX_SKIPPED = 20  # names
LARGEST_NUMBER = 2**53  # of images and seconds
FORMAT = 1  # of the file, which names it from 2 on; raise it when older versions would misread a newer recipe


@dataclass(frozen=True)
class SplitRecipe:
    """One split of the data set as the run saw it."""

    n: int
    fingerprint: str  # 16 hex digits, as ganlib.data computes them

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        return cls(_typed(values["n"], int), _typed(values["fingerprint"], str))

    def to_dict(self) -> dict[str, Any]:
        return {"n": self.n, "fingerprint": self.fingerprint}


@dataclass(frozen=True)
class DataRecipe:
    """The data set; its splits are None where the run comes from elsewhere."""

    name: str
    classes: tuple[str, ...]  # () where nothing is labelled
    train: SplitRecipe | None = None
    test: SplitRecipe | None = None
    attributes: tuple[str, ...] = ()  # binary; the classes are their combinations, as ganlib.data.attributes has them
    class_counts: tuple[int, ...] = ()  # training images of each class, where they are known
    skipped: tuple[str, ...] = ()  # "name: reason" of the first pictures and shards that could not be read
    skipped_count: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)  # keys of other versions

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """TypeError, KeyError and ValueError for what is none."""
        classes = [_typed(name, str) for name in _typed(values["classes"], list)]
        if len(set(classes)) < len(classes):
            raise ValueError("two classes of one name")
        splits = {
            split: SplitRecipe.from_dict(values[split]) for split in ("train", "test") if values.get(split) is not None
        }
        attributes = tuple(_typed(name, str) for name in _typed(values.get("attributes", []), list))
        if attributes and len(classes) != 2 ** len(attributes):
            raise ValueError("classes that are not the combinations of the attributes")
        counts = tuple(_typed(n, int) for n in _typed(values.get("class_counts", []), list))
        if counts and (len(counts) != len(classes) or min(counts) < 0 or not sum(counts)):
            raise ValueError("counts that are not those of the classes")
        skipped = tuple(_typed(line, str) for line in _typed(values.get("skipped", []), list))
        known = ("name", "classes", "train", "test", "attributes", "class_counts", "skipped", "skipped_count")
        return cls(
            _typed(values["name"], str),
            tuple(classes),
            **splits,
            attributes=attributes,
            class_counts=counts,
            skipped=skipped,
            skipped_count=_typed(values.get("skipped_count", len(skipped)), int),
            extra=_others(values, known),
        )

    def with_skipped(self, lines: Iterable[str]) -> Self:
        """Also these, of which some may be in it already."""
        union = list(dict.fromkeys([*self.skipped, *lines]))
        return replace(self, skipped=tuple(union[:MAX_SKIPPED]), skipped_count=max(self.skipped_count, len(union)))

    def to_dict(self) -> dict[str, Any]:
        splits = {"train": self.train, "test": self.test}
        return {
            "name": self.name,
            "classes": list(self.classes),
            **{name: split.to_dict() for name, split in splits.items() if split},
            **({"attributes": list(self.attributes)} if self.attributes else {}),
            **({"class_counts": list(self.class_counts)} if self.class_counts else {}),
            **({"skipped": list(self.skipped), "skipped_count": self.skipped_count} if self.skipped else {}),
            **self.extra,
        }


@dataclass(frozen=True)
class StartRecipe:
    """The weights that training started from, in place of random ones."""

    run: str
    weights: str  # their hash
    images: int = 0  # that they had seen, with those behind their own start; 0 where it is unknown
    seconds: float = 0.0  # of training, likewise

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        images, seconds = _typed(values.get("images", 0), int), float(_typed(values.get("seconds", 0.0), int | float))
        if not (0 <= images <= LARGEST_NUMBER and 0 <= seconds <= LARGEST_NUMBER):
            raise ValueError("no number of images or seconds")
        return cls(_typed(values["run"], str), _typed(values["weights"], str), images, seconds)

    def to_dict(self) -> dict[str, Any]:
        trained = {"images": self.images, "seconds": self.seconds}
        return {"run": self.run, "weights": self.weights, **{key: value for key, value in trained.items() if value}}


@dataclass(frozen=True)
class WorldRecipe:
    """How each step's batch was shared, from so many training images on."""

    images: int
    world_size: int  # processes
    microbatches: int  # of each

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        return cls(*(_typed(values[name], int) for name in ("images", "world_size", "microbatches")))

    def to_dict(self) -> dict[str, Any]:
        return {"images": self.images, "world_size": self.world_size, "microbatches": self.microbatches}


@dataclass(frozen=True)
class Recipe:
    """``config`` and ``training`` hold the fields of the model's Config and of the TrainingConfig."""

    model: str
    config: Mapping[str, Any]
    data: DataRecipe
    training: Mapping[str, Any] | None = None  # None where the run comes from elsewhere
    start: StartRecipe | None = None
    world: tuple[WorldRecipe, ...] = ()  # in order; () where one process had each whole batch
    note: str = ""  # what a reader should know
    hardware: str = ""  # that trained it, in words; "" where it is unknown: one thread of a CPU, before it was recorded
    versions: Mapping[str, str] = field(default_factory=dict)
    commit: str | None = None
    created: str | None = None
    format: int = FORMAT
    extra: Mapping[str, Any] = field(default_factory=dict)  # keys of other versions

    @classmethod
    def from_dict(cls, values: Any, source: Path | str = "config.json") -> Self:
        """GanlibError, which names the ``source``, for what is no recipe or a newer version's."""
        try:
            return cls._from_dict(_typed(values, dict), source)
        except KeyError as error:
            raise GanlibError(f"{source} lacks {error}; it is not a run of this project.") from None
        except (TypeError, ValueError, AttributeError):
            raise GanlibError(f"{source} is not a run's recipe; restore it from its source.") from None

    @classmethod
    def _from_dict(cls, values: dict[str, Any], source: Path | str) -> Self:
        version = _typed(values.get("format", 1), int)
        if version > FORMAT:
            raise GanlibError(
                f"{source} was written by a newer ganlib (its format is {version}, this one reads up to {FORMAT}); "
                "update ganlib."
            )
        model, config = _typed(values["model"], str), _typed(values["config"], dict)
        data = DataRecipe.from_dict(values["data"])
        folders = filter(None, map(FOLDER.search, data.name.split("+")))  # of a mixture's parts
        if folder := next((match for match in folders if OTHER_PLACE.search(match[2])), None):
            raise GanlibError(
                f"{source} names its data set by a path, {shortened(data.name)}, which a run may not open; write "
                f"{folder[1]}:NAME and put that folder where GANLIB_DATA points to."
            )
        training, start = values.get("training"), values.get("start")
        note, hardware = values.get("note", ""), values.get("hardware", "")
        return cls(
            model=model,
            config=config,
            data=data,
            training=None if training is None else _typed(training, dict),
            start=None if start is None else StartRecipe.from_dict(start),
            world=tuple(WorldRecipe.from_dict(part) for part in _typed(values.get("world", []), list)),
            note=note if isinstance(note, str) else "",
            hardware=hardware if isinstance(hardware, str) else "",
            versions=_typed(values.get("versions", {}), dict),
            commit=values.get("commit"),
            created=values.get("created"),
            format=version,
            extra=_others(values, cls.__dataclass_fields__),
        )

    def shared_by(self, world_size: int, microbatches: int, images: int) -> Self:
        """The recipe of a training that is shared like this from ``images`` on."""
        last = self.world[-1] if self.world else WorldRecipe(0, 1, 1)
        if (last.world_size, last.microbatches) == (world_size, microbatches):
            return self
        earlier = self.world or ((last,) if images else ())
        return replace(self, world=(*earlier, WorldRecipe(images, world_size, microbatches)))

    def trained_on(self, hardware: str) -> Self:
        """The recipe of a training that goes on there; names are in the order of their use."""
        if not self.hardware or self.hardware.split("; ")[-1] == hardware:
            return self
        return replace(self, hardware=f"{self.hardware}; {hardware}")

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it; what is absent leaves no key."""
        optional = {
            "training": None if self.training is None else dict(self.training),
            "start": self.start and self.start.to_dict(),
            "world": [part.to_dict() for part in self.world] or None,
            "note": self.note or None,
            "hardware": self.hardware or None,
        }
        return {
            "model": self.model,
            "config": dict(self.config),
            "data": self.data.to_dict(),
            **{key: value for key, value in optional.items() if value is not None},
            "versions": dict(self.versions),
            "commit": self.commit,
            "created": self.created,
            **({"format": self.format} if self.format > 1 else {}),
            **self.extra,
        }


def read_recipe(path: Path) -> Recipe:
    """GanlibError where the file is missing, damaged, no recipe or a newer version's."""
    if not path.exists():
        raise GanlibError(f"{path} is missing; copy the whole run folder again.")
    try:
        values = read_json(path)
    except ValueError as error:
        reason = " ".join(str(error).split())[:120]
        raise GanlibError(f"{path} is damaged ({reason}); copy the whole run folder again.") from None
    return Recipe.from_dict(values, path)


def write_recipe(path: Path, recipe: Recipe) -> None:
    write_atomically(path, json.dumps(recipe.to_dict(), indent=2).encode() + b"\n")


def _typed(value: Any, kind: type | UnionType) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{value!r} is no {kind}")
    return value


def _others(values: Mapping[str, Any], names: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in names}
