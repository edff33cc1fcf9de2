"""The recipes of runs side by side, and what differs between them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from ganlib.experiments.naming import run_names


def recipes(folders: Iterable[Path]) -> pd.DataFrame:
    """Runs × dotted keys of their ``config.json`` (``model``, ``config.z_dim``, ``training.seed`` …).

    Lists read as "cat, dog"; a key that a run lacks is NaN there. A folder whose recipe cannot be read is
    left out: it is no run, and ``ganlib.runs.scan`` says why.
    """
    rows: dict[str, dict[str, object]] = {}
    for folder, name in run_names(folders).items():
        try:
            recipe = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(recipe, dict):
            rows[name] = dict(_flat(recipe))
    keys = list(dict.fromkeys(key for row in rows.values() for key in row))  # in the recipes' own order
    index = pd.Index(list(rows), name="run", dtype="str")
    cells = [[row.get(key, float("nan")) for key in keys] for row in rows.values()]
    return pd.DataFrame(cells, index, keys, dtype=object)


def differing(table: pd.DataFrame) -> pd.DataFrame:
    """The columns that are not the same in all runs; a key that only some runs have differs."""
    # repr, because 1, 1.0 and True are equal in Python and three different settings in a recipe.
    keep = [key for key in table.columns if table[key].map(repr).nunique() > 1]
    return table[keep]


def _flat(recipe: dict[str, Any], head: str = "") -> Iterator[tuple[str, object]]:
    for key, value in recipe.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{head}{key}.")
        else:
            yield f"{head}{key}", ", ".join(map(str, value)) if isinstance(value, list) else value
