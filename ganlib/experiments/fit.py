"""Whether a run is the training that an experiment's file describes, and whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any
from typing import Protocol as Structural

from ganlib.errors import GanlibError
from ganlib.experiments.definition import Experiment, Variant
from ganlib.recipe import Recipe

COMPLETE = 0.99  # of the images or minutes to train: a training ends at a whole batch
OF_THE_DATA = ("image_size", "channels", "num_classes", "attributes")  # fields of a config that a recipe may leave out
OTHERWISE = "trained by another recipe"  # how the reason begins
SHOWN = 3  # differences


class TrainedRun(Structural):
    """A run as ``ganlib.runs`` reads it."""

    @property
    def path(self) -> Path: ...
    @property
    def data_name(self) -> str: ...
    @property
    def weights_hash(self) -> str: ...
    @property
    def images_seen(self) -> int: ...
    @property
    def training_seconds(self) -> float: ...
    @property
    def metadata(self) -> Mapping[str, str]: ...
    @property
    def recipe(self) -> Recipe: ...
    @property
    def config(self) -> Any: ...


def missing_runs(experiment: Experiment, runs: Mapping[str, TrainedRun]) -> dict[str, str]:
    """Runs of the experiment that are not to be measured, each with the reason in a few words."""
    reasons = {}
    for variant in experiment.variants:
        for name in variant.runs:
            reason = _misfit(variant, name, runs[name]) if name in runs else "not trained yet"
            if reason:
                reasons[name] = reason
    return reasons


def _misfit(variant: Variant, name: str, run: TrainedRun) -> str:
    if variant.recipe is None:  # a run chosen from its snapshots ends where its best one was
        return "" if "promoted" in run.metadata else _unfinished(run.recipe.training or {}, run)
    seed = variant.seeds[variant.runs.index(name)]
    if differences := _differences(variant.recipe, seed, run):
        more = f" and {len(differences) - SHOWN} more" if len(differences) > SHOWN else ""
        return f"{OTHERWISE}: {', '.join(differences[:SHOWN])}{more}"
    return _unfinished(variant.recipe, run)


def _unfinished(target: Mapping[str, Any], run: TrainedRun) -> str:
    """Training stops at whichever of the two budgets is spent first."""
    images, minutes = target.get("images", 0), target.get("max_minutes", 0)
    trained = run.training_seconds / 60
    if (images and run.images_seen >= COMPLETE * images) or (minutes and trained >= COMPLETE * minutes):
        return ""
    if images:
        return f"{run.images_seen:,} of {images:,} images trained"
    return f"{trained:.0f} of {minutes:g} minutes trained" if minutes else ""


def _differences(recipe: Mapping[str, Any], seed: int, run: TrainedRun) -> list[str]:
    """ "lr 0.0002, not 0.001": of the architecture, its config and the data, and what the recipe names of training."""
    if run.recipe.model != recipe["model"]:
        return [f"{run.recipe.model}, not {recipe['model']}"]
    training = run.recipe.training or {}
    budget = {key: recipe[key] for key in ("images", "max_minutes") if key in recipe}
    asked = {"data": recipe["data"]} | recipe["fields"] | {"seed": seed} | budget
    had = {"data": run.data_name} | dict(training) | _values(run.config)
    if "start" in recipe:  # whose config the run has, but for the fields that the recipe names
        asked["start"], had["start"] = recipe["start"], run.recipe.start.run if run.recipe.start else "random weights"
    else:
        asked = _defaults(run, asked) | asked
    pairs = [(key, had.get(key), value) for key, value in asked.items()]
    return [f"{key} {_text(own)}, not {_text(value)}" for key, own, value in pairs if _plain(own) != _plain(value)]


def _defaults(run: TrainedRun, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The config that these fields make, but for what the data say; {} where they make none: a difference itself."""
    own = _values(run.config)
    named = {key: value for key, value in asked.items() if key in own}
    given = {key: own[key] for key in OF_THE_DATA if key in own}
    try:
        return _values(type(run.config).from_dict(given | named))
    except GanlibError:
        return {}


def _values(config: Any) -> dict[str, Any]:
    return {f.name: getattr(config, f.name) for f in fields(config)}


def _plain(value: Any) -> Any:
    """Lists and tuples alike; a data set with or without the word that its name may leave out."""
    if isinstance(value, str):
        return value.replace("folder:", "")
    return list(value) if isinstance(value, tuple) else value


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_text, value))}]"
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)
