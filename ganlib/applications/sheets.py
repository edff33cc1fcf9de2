"""Sheets of images: rows are values of one option, columns of another; seeds, classes and directions are options too.

Karras, Laine, Aila, "A Style-Based Generator Architecture for Generative Adversarial Networks", CVPR 2019,
arXiv:1812.04948, figure 3: style mixing, which is the sheet of ``seed`` and ``mix_seed``.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import nan
from threading import Lock
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ganlib.applications.catalogue import has_directions
from ganlib.applications.edits import edited_latents, method_to_find, resolve
from ganlib.applications.saved_latents import find_latents, stack_latents
from ganlib.data.attributes import combine, split_class
from ganlib.errors import GanlibError
from ganlib.models import GenerativeModel, Option
from ganlib.models.options import FROM_SEED
from ganlib.provenance import versions
from ganlib.runs import Run
from ganlib.sampling.generate import sample
from ganlib.sampling.keyframes import MARK
from ganlib.sampling.request import (
    Edit,
    SavedLatents,
    class_name,
    format_classes,
    format_edits,
    format_option,
    format_seeds,
    parse_classes,
    parse_edits,
    parse_seeds,
)

SEED, CLASS = "seed", "class"  # axes that every model has, and every conditional one
FLIP, NOTHING = "flip", "nothing"  # one attribute at a time, of a run of attributes
MOST_VALUES = 64  # of an axis
PAIRS = (  # axes to begin with, the first that a model has
    *((SEED, FLIP), (SEED, "mix_seed"), ("guidance", "steps"), ("c1", "c2")),
    *((CLASS, "truncation"), (CLASS, SEED)),
)
DEFAULT_VALUES = 6  # of a number between its bounds


@dataclass(frozen=True)
class Axis:
    """Rows or columns: seeds or saved latents, labels, an option's values or strengths along a direction."""

    name: str  # seed, class, or the name of an option or a direction
    values: tuple[Any, ...]
    kind: Literal["seed", "class", "flip", "option", "direction"]

    def labels(self, run: Run) -> list[str]:
        """ "seed 7", "cat", "guidance 2", "sefa-1 -1" for each."""
        return [self._label(run, value) for value in self.values]

    def _label(self, run: Run, value: Any) -> str:
        if self.kind == "class":
            return class_name(run, value)
        if self.kind == "flip":
            return f"flip {value.replace('_', ' ')}" if value != NOTHING else "as chosen"
        if isinstance(value, SavedLatents):
            return str(value)
        text = f"{value:+g}" if self.kind == "direction" else format_option(value)
        return f"{self.name.replace('_', ' ')} {text}"

    def text(self, run: Run) -> str:
        """ "guidance=1,2,4", as ``parse_axis`` reads it."""
        return f"{self.name}={self.values_text(run)}"

    def values_text(self, run: Run) -> str:
        """ "1,2,4"."""
        if self.kind == "class":
            return format_classes(self.values, run, numbers=True)
        if self.kind == "seed":
            parts = []
            for saved, group in groupby(self.values, lambda value: isinstance(value, SavedLatents)):
                values = list(group)
                parts += [f"{MARK}{value.name}" for value in values] if saved else [format_seeds(values)]
            return ",".join(parts)
        return ",".join(map(format_option, self.values))


@dataclass(frozen=True)
class SheetRequest:
    """What the axes leave open is the same in all cells."""

    run: Run
    rows: Axis
    columns: Axis
    seed: int = 0
    label: int | None = None  # None where the model is unconditional
    options: dict[str, Any] = field(default_factory=dict)
    edits: tuple[Edit, ...] = ()

    @property
    def captions(self) -> list[str]:
        """Of all cells, row by row."""
        rows, columns = self.rows.labels(self.run), self.columns.labels(self.run)
        return [f"{row}, {column}" for row in rows for column in columns]

    @property
    def held(self) -> str:
        """What all cells share: "cat, seed 7"."""
        names = {self.rows.name, self.columns.name}
        parts = [class_name(self.run, self.label)] if self.label is not None and CLASS not in names else []
        parts += [f"seed {self.seed}"] if SEED not in names else []
        return ", ".join(parts)

    def command(self, out: str) -> str:
        """The command line that gives the same cells."""
        names = {self.rows.name, self.columns.name}
        parts = ["python", "-m", "ganlib", "sheet", self.run.argument]
        parts += ["--rows", self.rows.text(self.run), "--columns", self.columns.text(self.run)]
        parts += ["--seed", str(self.seed)] if SEED not in names else []
        if self.label is not None and CLASS not in names:
            parts += ["--class", format_classes((self.label,), self.run, numbers=True)]
        for name, value in self.options.items():
            if value is not None and name not in names:
                parts += ["--option", f"{name}={format_option(value)}"]
        parts += ["--edit", format_edits(self.edits)] if self.edits else []
        return shlex.join([*parts, "--out", out])

    def provenance(self) -> dict[str, Any]:
        return {
            "run": self.run.name,
            "model": self.run.model_name,
            "weights_sha256_12": self.run.weights_hash,
            "command": self.command("sheet.png"),
            "versions": versions(),
        }


def axis_names(run: Run, model: GenerativeModel) -> list[str]:
    """What can be an axis, but for the names of directions."""
    flip = [FLIP] if run.recipe.data.attributes and model.conditional else []
    return [SEED, *([CLASS] if model.conditional else []), *flip, *(option.name for option in model.options)]


def default_axes(run: Run, model: GenerativeModel) -> tuple[str, str]:
    """Rows and columns that show what a model is about: style mixing, guidance × steps, two codes, …"""
    names = axis_names(run, model)
    for pair in PAIRS:
        if set(pair) <= set(names):
            return pair
    return names[1] if len(names) > 1 else SEED, SEED if len(names) > 1 else "sefa-1"


def default_values(name: str, run: Run, model: GenerativeModel) -> str:
    """Values of an axis as text, where nobody chose any."""
    option = _option(model, name)
    if name == SEED:
        return "0-5"
    if name == CLASS:
        return format_classes(range(min(model.config.num_classes, 10)), run, numbers=True)
    if name == FLIP:
        return ",".join((NOTHING, *run.recipe.data.attributes))
    if option is None:
        return "-3,-2,-1,0,1,2,3"
    if option.kind == "choice":
        return ",".join(option.choices)
    if option.kind == "seed":
        return ",".join(map(str, range(100, 100 + DEFAULT_VALUES)))
    low, high = option.min or 0, 1 if option.max is None else option.max
    step = option.step or (1 if option.kind == "int" else 0.01)
    steps = round((high - low) / step)
    count = min(DEFAULT_VALUES, steps + 1)
    chosen = dict.fromkeys(low + step * round(i * steps / (count - 1)) for i in range(count))
    return ",".join(format_option(round(value, 9)) for value in chosen)


def parse_axis(text: str, run: Run, model: GenerativeModel, *, files: bool = True) -> Axis:
    """ "guidance=1,2,4", "seed=0-5,@my dog", "class=cat,dog", "sefa-1=-2,0,2" -> an axis.

    ``files``: whether saved latents may also be named by a path, which a link may not. GanlibError where it is none of
    this model's, or has too many values.
    """
    name, equals, values = (part.strip() for part in text.partition("="))
    if not equals or not values:
        raise GanlibError(f"{text[:60]!r} is no axis; write a name and its values, like {SEED}=0-5.")
    axis = _parse(name, values, run, model, files)
    if len(axis.values) > MOST_VALUES:
        raise GanlibError(f"{name} has {len(axis.values)} values, more than {MOST_VALUES}; leave some out.")
    return axis


def _parse(name: str, values: str, run: Run, model: GenerativeModel, files: bool) -> Axis:
    option = _option(model, name)
    parts = [part.strip() for part in values.split(",") if part.strip()]
    if name == SEED:
        return Axis(name, tuple(source for part in parts for source in _parse_sources(part, run, files)), "seed")
    if name == CLASS:
        if not model.conditional:
            raise GanlibError(f"{run.name} is unconditional: its sheets have no classes; choose another axis.")
        return Axis(name, parse_classes(values, run), "class")
    if name == FLIP:
        attributes = run.recipe.data.attributes
        if not attributes or not set(parts) <= {NOTHING, *attributes}:
            names = ", ".join(attributes) or "none"
            raise GanlibError(f"{run.name} has no attributes {values!r} to flip; it has {names}.")
        return Axis(name, tuple(parts), "flip")
    if option is not None and option.kind == "seed":
        return Axis(name, tuple(seed for part in parts for seed in _parse_option_seeds(option, part)), "option")
    if option is not None:
        return Axis(name, tuple(option.parse(part) for part in parts), "option")
    if not has_directions(model):
        raise GanlibError(f"{run.name} has no axis {name!r}; it has {', '.join(axis_names(run, model))}.")
    try:
        method_to_find(run, name)
    except GanlibError as error:
        known = ", ".join(axis_names(run, model))
        raise GanlibError(f"{run.name} has no axis {name!r}; it has {known} and directions: {error}") from None
    strengths = tuple(edit.strength for part in parts for edit in parse_edits(f"{name}={part}"))
    return Axis(name, strengths, "direction")


def _parse_sources(text: str, run: Run, files: bool) -> tuple[int | SavedLatents, ...]:
    if text.startswith(MARK):
        return (find_latents(run, text.removeprefix(MARK), files=files),)
    return parse_seeds(text)


def _parse_option_seeds(option: Option, text: str) -> tuple[int | None, ...]:
    """ "7-9" -> (7, 8, 9); "from seed" -> (None,)."""
    return (option.parse(text),) if text == FROM_SEED else parse_seeds(text)


def _option(model: GenerativeModel, name: str) -> Option | None:
    return next((option for option in model.options if option.name == name), None)


class Sheet:
    """A sheet as far as it is generated: ``step()`` adds a row, from any thread, until ``done``.

    ``images``: (rows · columns, H, W, C) uint8, mid-grey where nothing is there yet.
    """

    def __init__(self, model: GenerativeModel, request: SheetRequest) -> None:
        if request.rows.name == request.columns.name:
            raise GanlibError(f"Rows and columns are both {request.rows.name}; choose two different ones.")
        c = model.config
        self.request, self._model, self._done_rows, self._stepping = request, model, 0, Lock()
        self._shape = len(request.rows.values), len(request.columns.values)
        cells = self._shape[0] * self._shape[1]
        self.images = np.full((cells, c.image_size, c.image_size, c.channels), 128, np.uint8)
        self._edits = resolve(request.run, model, [*request.edits, *self._axis_edits()])

    @property
    def done(self) -> bool:
        return self._done_rows == self._shape[0]

    @property
    def fraction(self) -> float:
        return self._done_rows / self._shape[0]

    def step(self) -> None:
        with self._stepping:
            if self.done:
                return
            i, columns = self._done_rows, self._shape[1]
            self.images[i * columns : (i + 1) * columns] = self._generate_row(i)
            self._done_rows = i + 1

    @property
    def state(self) -> tuple[NDArray[np.uint8], float]:
        """A copy of the images and the fraction of them that is done, of one moment."""
        with self._stepping:
            return self.images.copy(), self.fraction

    def finish(self) -> NDArray[np.uint8]:
        while not self.done:
            self.step()
        return self.images

    def _axis_edits(self) -> list[Edit]:
        """The directions among the axes; their strengths follow for each cell."""
        return [Edit(axis.name, 0.0) for axis in (self.request.rows, self.request.columns) if axis.kind == "direction"]

    def _generate_row(self, i: int) -> NDArray[np.uint8]:
        """(columns, H, W, C): all at once but for choices, each of which is one for all images of a batch."""
        cells = [self._cell(i, j) for j in range(self._shape[1])]
        result = np.empty_like(self.images[: len(cells)])
        groups: dict[tuple[str, ...], list[int]] = {}
        for j, cell in enumerate(cells):
            groups.setdefault(tuple(v for v in cell["options"].values() if isinstance(v, str)), []).append(j)
        for columns in groups.values():
            result[columns] = self._generate([cells[j] for j in columns])
        return result

    def _cell(self, i: int, j: int) -> dict[str, Any]:
        """Source, label, options and strengths of one cell."""
        r = self.request
        cell: dict[str, Any] = {"source": r.seed, "label": r.label, "options": dict(r.options), "strengths": []}
        own_label, flipped = None, NOTHING
        for axis, value in ((r.rows, r.rows.values[i]), (r.columns, r.columns.values[j])):
            if axis.kind == "seed":
                cell["source"] = value
                own_label = value.label if isinstance(value, SavedLatents) else None
            elif axis.kind == "class":
                cell["label"] = value
            elif axis.kind == "flip":
                flipped = value
            elif axis.kind == "option":
                cell["options"][axis.name] = value
            else:
                cell["strengths"].append(value)
        if own_label is not None and CLASS not in (r.rows.name, r.columns.name):
            cell["label"] = own_label
        cell["label"] = flip_attribute(r.run, cell["label"], flipped)
        return cell

    def _generate(self, cells: Sequence[dict[str, Any]]) -> NDArray[np.uint8]:
        model, request = self._model, self.request
        sources = [cell["source"] for cell in cells]
        labels = [cell["label"] for cell in cells] if model.conditional else None
        strengths = torch.tensor([cell["strengths"] for cell in cells], dtype=torch.float32)
        fixed = len(request.edits)
        edits = [*self._edits[:fixed]]
        edits += [(direction, strengths[:, k]) for k, (direction, _) in enumerate(self._edits[fixed:])]
        latents = stack_latents(request.run, model, sources, labels)
        if edits:
            latents = edited_latents(model, latents, labels, edits)
        options = {name: _stacked([cell["options"][name] for cell in cells]) for name in cells[0]["options"]}
        return sample(model, latents, labels, **options)


def flip_attribute(run: Run, label: int | None, name: str) -> int | None:
    """The class that differs in this attribute alone; the same for ``NOTHING``."""
    attributes = run.recipe.data.attributes
    if label is None or name == NOTHING:
        return label
    values = split_class(label, len(attributes))
    return int(combine([[value != (other == name) for value, other in zip(values, attributes, strict=True)]])[0])


def _stacked(values: Sequence[Any]) -> Any:
    """One value an image, NaN where its seed decides; a scalar where all are the same."""
    if all(value == values[0] for value in values):
        return values[0]
    return torch.tensor([nan if value is None else value for value in values], dtype=torch.float64)
