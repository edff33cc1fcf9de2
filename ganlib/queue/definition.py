"""A queue file: TOML, one ``[[run]]`` table an entry.

    [[run]]
    name = "mnist-sngan"                 # its folder in runs/
    model = "sngan"
    data = "mnist"
    images = 400_000                     # budget; max_minutes likewise
    needs = ["mnist-classifier"]         # entries to be done before it begins
    start = "mnist-sngan-short"          # begin from the weights of this run, of the gallery or an entry above, and
                                         # from its config: ``fields`` are the changes
    halve = true                         # float16 weights at the end (default: true)
    evaluate = [{ n = 10_000, per_class = true }]   # fields of an evaluation each (default: ``EVALUATIONS``)
    at = [0.0833, 0.3333]                # evaluate the snapshots at these shares of its images as well
    fields = { g_width = 64, batch_size = 64, seed = 1 }   # of the architecture and of training

A file with anything unknown or impossible in it is refused as a whole, with the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

from ganlib.data import check_name
from ganlib.errors import GanlibError
from ganlib.files import read_toml
from ganlib.metrics.config import EvaluationConfig
from ganlib.models import MODELS
from ganlib.naming import nearest_names
from ganlib.runs import find_run
from ganlib.training import TrainingConfig

BUDGETS = ("images", "max_minutes")
EVALUATIONS: list[dict[str, Any]] = [  # by the data set's classifier, and by features that compare between data sets
    {"metrics": ["fid", "kid", "prc", "dc", "class_agreement"], "per_class": True},
    {"extractor": "efficientnet_lite0", "metrics": ["fid", "kid", "prc", "dc"], "per_class": True},
]
NAME = re.compile(r"[\w.+-]+")


@dataclass(frozen=True)
class Entry:
    """One training to be done. ``fields``: of the model's config and of TrainingConfig, without the budget."""

    name: str
    model: str
    data: str
    images: int
    max_minutes: float
    fields: dict[str, Any]
    needs: tuple[str, ...]
    start: str  # "": random weights
    halve: bool
    evaluations: tuple[EvaluationConfig, ...]
    at: tuple[float, ...]
    line: int

    @property
    def snapshot_points(self) -> tuple[int, ...]:
        """Images at which a snapshot is evaluated too."""
        return tuple(round(share * self.images) for share in self.at)

    @property
    def prerequisites(self) -> frozenset[str]:
        """Names of the runs that must be done before: where one is no entry, it is there already."""
        return frozenset(filter(None, (*self.needs, self.start)))


def read_queue(path: Path) -> list[Entry]:
    """The entries in the file's order; GanlibError, with file and line, for the first thing that is wrong."""
    text, document = read_toml(path, "a queue file")
    tables = document.pop("run", [])
    if document or not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        unknown = next(iter(document), "run")
        raise GanlibError(
            f"{path}, line {_line_of(text, unknown)}: a queue file holds [[run]] tables, not {unknown!r}."
        )
    entries: dict[str, Entry] = {}
    blocks = list(_blocks(text))
    if len(blocks) != len(tables):  # written in some other way, as a list of inline tables
        blocks = [(1, text.splitlines())] * len(tables)
    for table, (start, block) in zip(tables, blocks, strict=True):
        try:
            entry = _entry(table, start)
            _check(entry, entries)
        except GanlibError as error:
            line = start + _offset(block, str(error))
            raise GanlibError(f"{path}, line {line}: {error}") from None
        entries[entry.name] = entry
    return list(entries.values())


def _entry(table: dict[str, Any], line: int) -> Entry:
    table = dict(table)
    name, model, data = (_text(table, key) for key in ("name", "model", "data"))
    config = MODELS[model].Config
    if not NAME.fullmatch(name) or name.startswith("."):
        raise GanlibError(f"name {name!r} is no folder's name; use letters, digits and - _ . +")
    try:
        check_name(data)
    except GanlibError as error:
        raise GanlibError(f"data {data!r}: {error}") from None
    values = table.pop("fields", {})
    if not isinstance(values, dict):
        raise GanlibError("fields is a table of the model's and of the training's fields.")
    budget = {key: table.pop(key, 0) for key in BUDGETS}
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    _check_fields(values, config, budget)
    start = _text(table, "start") if "start" in table else ""
    table.pop("start", None)
    needs, halve, evaluate = table.pop("needs", []), table.pop("halve", True), table.pop("evaluate", EVALUATIONS)
    at = table.pop("at", [])
    for key in ("name", "model", "data"):
        table.pop(key)
    if table:
        raise GanlibError(f"There is no key {next(iter(table))!r}; see the documentation of queue files.")
    if not isinstance(halve, bool):
        raise GanlibError("halve is true or false.")
    if not (isinstance(needs, list) and all(isinstance(n, str) for n in needs)):
        raise GanlibError("needs is a list of names of entries above.")
    if not (isinstance(evaluate, list) and all(isinstance(one, dict) for one in evaluate)):
        raise GanlibError("evaluate is a list of tables, each with the fields of an evaluation.")
    if not (isinstance(at, list) and all(isinstance(share, float) and 0 < share < 1 for share in at)):
        raise GanlibError("at is a list of shares of the entry's images, each between 0 and 1, like [0.25, 0.5].")
    if at and not budget["images"]:
        raise GanlibError("at names shares of the entry's images; give it a budget in images.")
    if at and not MODELS[model].ema_modules:
        raise GanlibError(f"at evaluates snapshots, of which a training of {model} has none; leave it out.")
    return Entry(
        name,
        model,
        data,
        int(budget["images"]),
        float(budget["max_minutes"]),
        values,
        tuple(needs),
        start,
        halve,
        tuple(EvaluationConfig.from_dict(one) for one in evaluate),
        tuple(at),
        line,
    )


def _check_fields(values: dict[str, Any], config: Any, budget: dict[str, Any]) -> None:
    """Every field is one of the two configs', of the right type and within its bounds."""
    known = {f.name for f in fields(config)}, {f.name for f in fields(TrainingConfig)} - set(BUDGETS)
    for key in values:
        if key not in known[0] | known[1]:
            close = nearest_names(key, sorted(known[0] | known[1]))
            hint = f"; try {', '.join(close)}" if close else ""
            raise GanlibError(f"There is no field {key!r}{hint}.")
    shape = {"num_classes": 2}  # the data set's number is known when it is opened
    config.from_dict(shape | {k: v for k, v in values.items() if k in known[0]})
    training = TrainingConfig.from_dict({k: v for k, v in values.items() if k in known[1]} | budget)
    if not (training.images or training.max_minutes):
        raise GanlibError("Say how long to train: images or max_minutes.")


def _check(entry: Entry, before: dict[str, Entry]) -> None:
    if entry.name in before:
        raise GanlibError(f"name {entry.name!r} is taken by the entry in line {before[entry.name].line}.")
    for name in entry.needs:
        if name not in before:
            raise GanlibError(f"needs names {name!r}, which is no entry above this one.")
    if entry.start and entry.start not in before:
        find_run(entry.start)


def _text(table: dict[str, Any], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise GanlibError(f"An entry needs {key}, a text.")
    return value


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """(number of its first line, lines) of each ``[[run]]`` table."""
    lines = text.splitlines()
    starts = [i for i, line in enumerate(lines) if re.match(r"\s*\[\[\s*run\s*\]\]", line)]
    for start, end in pairwise([*starts, len(lines)]):
        yield start + 1, lines[start:end]


def _offset(block: list[str], message: str) -> int:
    """Lines from the table's head to the one that the message is about: that with the quoted or first-named key."""
    quoted = re.findall(r"'([^']+)'", message) + re.findall(r"\w+", message)[:1]
    for word in quoted:
        for offset, line in enumerate(block):
            if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", line.partition("#")[0]):
                return offset
    return 0


def _line_of(text: str, key: str) -> int:
    lines = text.splitlines()
    return next((i for i, line in enumerate(lines, 1) if re.match(rf"\s*\[*\s*{re.escape(key)}\b", line)), 1)
