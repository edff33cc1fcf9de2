"""The recipes of runs side by side, and what differs between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ganlib.errors import GanlibError
from ganlib.naming import run_names
from ganlib.recipe import read_recipe

RECIPE = ("model", "config", "data", "training", "start")  # what makes a run what it is
SEED = "training.seed"


def recipes(folders: Iterable[Path]) -> pd.DataFrame:
    """Runs × dotted keys of their ``config.json`` (``model``, ``config.z_dim``, ``training.seed`` …).

    Lists read as "cat, dog"; a key that a run lacks is NaN there. A folder whose recipe cannot be read is
    left out: it is no run, and ``ganlib.runs.scan`` says why.
    """
    rows: dict[str, dict[str, object]] = {}
    for folder, name in run_names(folders).items():
        with suppress(GanlibError):
            rows[name] = dict(_flat(read_recipe(folder / "config.json").to_dict()))
    keys = list(dict.fromkeys(key for row in rows.values() for key in row))  # in the recipes' own order
    index = pd.Index(list(rows), name="run", dtype="str")
    cells = [[row.get(key, float("nan")) for key in keys] for row in rows.values()]
    return pd.DataFrame(cells, index, keys, dtype=object)


def differing(table: pd.DataFrame) -> pd.DataFrame:
    """The columns that are not the same in all runs; a key that only some runs have differs."""
    # repr, because 1, 1.0 and True are equal in Python and three different settings in a recipe.
    return table[[key for key, cells in zip(table.columns, _texts(table).T, strict=True) if len(set(cells)) > 1]]


def seed_groups(table: pd.DataFrame) -> dict[str, str]:
    """Run -> the first run whose recipe differs from its own in the seed alone; only where there are several."""
    if len(table) < 2:
        return {}
    keys = [key for key in table.columns if key.split(".")[0] in RECIPE and key != SEED]
    texts = pd.Series(["\n".join(row) for row in _texts(table[keys])], table.index)
    several = texts[texts.duplicated(keep=False)]
    return {str(run): str(several.index[several == recipe][0]) for run, recipe in several.items()}


def _texts(table: pd.DataFrame) -> NDArray[np.object_]:
    """Each cell's ``repr``. By pandas it takes several times as long, at each drawing of a page."""
    cells = table.to_numpy()
    return np.array([repr(cell) for cell in cells.flat], dtype=object).reshape(cells.shape)


def matching(table: pd.DataFrame, names: Iterable[str], query: str, tags: Mapping[str, Iterable[str]]) -> list[str]:
    """The names that fit all words of the query.

    A word ``key=value`` fits runs whose recipe has that value, for any key that ends in ``key``; ``tag:name`` those
    that log such a scalar (``tags``: run -> tags); any other word is a regular expression found in the name.
    GanlibError for one that is none.
    """
    chosen = list(names)
    for word in query.split():
        key, equals, value = word.partition("=")
        if word.startswith("tag:"):
            chosen = [name for name in chosen if any(word[4:] in tag for tag in tags.get(name, ()))]
        elif equals:
            columns = [column for column in table.columns if column == key or column.endswith(f".{key}")]
            fits = (table[columns].map(str) == value).any(axis=1)
            chosen = [name for name in chosen if name in fits.index and fits[name]]
        else:
            chosen = [name for name, fits in zip(chosen, _search(word, chosen), strict=True) if fits]
    return chosen


def _search(pattern: str, names: list[str]) -> list[bool]:
    """Whether a regular expression is found in each name, in linear time: a link may hold one that never ends in
    Python's own. GanlibError for one that is none.
    """
    import pyarrow as arrow
    from pyarrow import compute

    try:
        return compute.match_substring_regex(arrow.array(names, arrow.string()), pattern, ignore_case=True).to_pylist()
    except arrow.ArrowInvalid as error:
        raise GanlibError(f"“{pattern[:80]}” is no regular expression ({error}); put \\ before its signs.") from None


def _flat(recipe: dict[str, Any], head: str = "") -> Iterator[tuple[str, object]]:
    for key, value in recipe.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{head}{key}.")
        else:
            yield f"{head}{key}", ", ".join(map(str, value)) if isinstance(value, list) else value
