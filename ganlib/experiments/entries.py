"""The recipes of experiments as entries of a queue file, which trains, halves and evaluates what is missing."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

from ganlib.experiments.definition import Experiment


def queue_entries(experiments: Iterable[Experiment], without: Collection[str] = ()) -> str:
    """TOML: a ``[[run]]`` table a training, each once, but for those ``without``; "" where that leaves none."""
    blocks: dict[str, str] = {}
    for experiment in experiments:
        for variant in experiment.variants:
            if variant.recipe is None:
                continue
            shared = {key: value for key, value in variant.recipe.items() if key != "seeds"}
            for name, seed in zip(variant.runs, variant.seeds, strict=True):
                if name in without:
                    continue
                values = {"name": name, **shared, "fields": shared["fields"] | {"seed": seed}}
                blocks[name] = "[[run]]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in values.items())
    return "\n".join(blocks.values())


def toml(value: Any) -> str:
    """A value that ``tomllib`` read, as inline TOML: a JSON text is a TOML text, too."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)
