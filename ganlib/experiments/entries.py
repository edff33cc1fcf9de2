"""The recipes of an experiment as entries of a queue file, which trains, halves and evaluates what is missing."""

from __future__ import annotations

import json
from typing import Any

from ganlib.experiments.definition import Experiment


def queue_entries(experiment: Experiment) -> str:
    """TOML: a ``[[run]]`` table a training; "" where all runs of the experiment exist already."""
    blocks = []
    for variant in experiment.variants:
        if variant.recipe is None:
            continue
        shared = {key: value for key, value in variant.recipe.items() if key != "seeds"}
        for name, seed in zip(variant.runs, variant.seeds, strict=True):
            values = {"name": name, **shared, "fields": shared["fields"] | {"seed": seed}}
            blocks.append("[[run]]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in values.items()))
    return "\n".join(blocks)


def toml(value: Any) -> str:
    """A value that ``tomllib`` read, as inline TOML: a JSON text is a TOML text, too."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)
