"""Checks of single values of an experiment's file: what is wrong is one GanlibError, a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from ganlib.errors import GanlibError, shortened
from ganlib.naming import nearest_names
from ganlib.recipe import LARGEST_NUMBER

RECIPE_KEYS = {"model", "data", "images", "max_minutes", "seeds", "needs", "halve", "evaluate", "fields", "start"}
LARGEST_SEED = 2**32 - 1


def check_recipe(recipe: dict[str, Any], place: str) -> None:
    """Types of an entry of a queue file; whether the model has such fields is for the queue to say."""
    for key in ("model", "data"):
        if not isinstance(recipe.get(key), str) or not recipe[key]:
            raise GanlibError(f"{place} has no {key}; name it there or in [recipe].")
    rules: dict[str, tuple[Callable[[Any], bool], str]] = {
        "images": (lambda value: type(value) is int and 0 < value <= LARGEST_NUMBER, "a whole number from 1 on"),
        "max_minutes": (lambda value: is_number(value) and value > 0, "a number above 0"),
        "start": (lambda value: isinstance(value, str) and bool(value), "the name of a run"),
        "halve": (lambda value: isinstance(value, bool), "true or false"),
        "needs": (lambda value: _is_list(value, lambda item: isinstance(item, str)), "a list of names"),
        "evaluate": (lambda value: _is_list(value, lambda item: isinstance(item, dict)), "a list of tables"),
        "seeds": (
            lambda value: _is_list(value, lambda seed: type(seed) is int and 0 <= seed <= LARGEST_SEED),
            f"a list of whole numbers from 0 to {LARGEST_SEED:,}",
        ),
    }
    for key, (allowed, what) in rules.items():
        if key in recipe and not allowed(recipe[key]):
            raise GanlibError(f"{key} of {place} is {what}, not {shortened(recipe[key])}.")
    for evaluation in recipe.get("evaluate", []):
        check_options(evaluation, f"evaluate of {place}")
    fields = recipe["fields"]
    check_options(fields, f"fields of {place}")
    size = fields.get("image_size", 1)
    if type(size) is not int or size < 1:
        raise GanlibError(f"image_size of {place} is a whole number of pixels, not {shortened(size)}.")


def check_options(values: dict[str, Any], place: str) -> None:
    """Each is a number, a text, true or false, or a list of such."""
    for key, value in values.items():
        if not all(map(is_plain, value if isinstance(value, list) else [value])):
            raise GanlibError(
                f"{key} in {place} is a number, a text, true or false, or a list of these, not {shortened(value)}."
            )


def is_plain(value: Any) -> bool:
    return isinstance(value, (str, bool)) or is_number(value)


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300


def _is_list(value: Any, allowed: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(map(allowed, value))


def text(values: dict[str, Any], key: str) -> str:
    """Taken out of the table, its white space made single spaces."""
    value = values.pop(key, None)
    if not isinstance(value, str) or not value.strip():
        raise GanlibError(f"it needs {key}, a text.")
    return " ".join(value.split())


def table(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise GanlibError(f"{place} is a table.")
    return dict(value)


def items(values: dict[str, Any], key: str, kind: type, place: str) -> list[Any]:
    """A list, taken out of the table, of at least one, each once."""
    found = values.pop(key, None)
    if not isinstance(found, list) or not found or not all(type(item) is kind for item in found):
        raise GanlibError(f"{key} of {place} is a list of {'names' if kind is str else 'whole numbers'}.")
    if len(set(found)) < len(found):
        raise GanlibError(f"{key} of {place} names one twice.")
    return found


def only(values: dict[str, Any], known: set[str], place: str) -> None:
    for key in values:
        if key not in known:
            _unknown(key, known, place)


def nothing_left(values: dict[str, Any], place: str) -> None:
    for key in values:
        raise GanlibError(f"{place} has a key {key!r} that means nothing.")


def _unknown(key: str, known: set[str], place: str) -> NoReturn:
    close = nearest_names(key, sorted(known)) or sorted(known)
    raise GanlibError(f"{place} has no key {key!r}; try {', '.join(close)}.")
