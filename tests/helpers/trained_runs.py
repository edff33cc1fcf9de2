"""Run folders without weights, as experiments collect from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganlib.config import Config
from ganlib.models import MODELS
from ganlib.recipe import DataRecipe, Recipe
from helpers.record_entries import write_entries

CONFIG: Any = MODELS["dcgan"].Config.from_dict({"num_classes": 10, "image_size": 16, "channels": 1})


def recipe(seed: int, **training: Any) -> Recipe:
    return Recipe("dcgan", {}, DataRecipe("digits", ()), {"images": 1000, "batch_size": 64, "seed": seed} | training)


@dataclass(frozen=True)
class Trained:
    """A run folder without weights."""

    path: Path
    weights_hash: str = "abc"
    images_seen: int = 1000
    data_name: str = "digits"
    training_seconds: float = 600.0
    metadata: Mapping[str, str] = field(default_factory=dict)
    config: Config = CONFIG
    recipe: Recipe = field(default_factory=lambda: recipe(0))


def folder(tmp_path: Path, name: str, *entries: object, log: str = "") -> Trained:
    write_entries(tmp_path / name, *entries)
    if log:
        (tmp_path / name / "log.csv").write_text(log)
    return Trained(tmp_path / name, recipe=recipe(int(name == "a1")))
