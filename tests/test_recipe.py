"""Recipes: what is written is read back, to the byte and with what other versions add."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ganlib.errors import GanlibError
from ganlib.recipe import DataRecipe, Recipe, SplitRecipe, StartRecipe, read_recipe, write_recipe

GALLERY = sorted((Path(__file__).parents[1] / "checkpoints").glob("*/config.json"))
SPLIT = SplitRecipe(24, "0123456789abcdef")
FULL = Recipe(
    model="cdcgan",
    config={"width": 4, "sizes": [1, 2]},
    data=DataRecipe("noise", ("not a", "a"), SPLIT, SPLIT, ("a",), (20, 4)),
    training={"images": 64},
    start=StartRecipe("before", "abcdef012345", 640, 1.5),
    note="A short run.",
    versions={"torch": "2.6.0"},
    commit="4c28359",
    created="2026-11-20T10:27:50+00:00",
)
FOREIGN = Recipe(model="dcgan", config={}, data=DataRecipe("elsewhere", ()))


def test_every_recipe_of_the_gallery_comes_back_to_the_byte(tmp_path: Path) -> None:
    assert GALLERY
    for path in GALLERY:
        write_recipe(tmp_path / "config.json", read_recipe(path))
        assert (tmp_path / "config.json").read_bytes() == path.read_bytes(), path


@pytest.mark.parametrize("recipe", [FULL, FOREIGN], ids=["full", "of another tool"])
def test_a_recipe_is_read_as_it_was_written(recipe: Recipe, tmp_path: Path) -> None:
    write_recipe(tmp_path / "config.json", recipe)
    assert read_recipe(tmp_path / "config.json") == recipe


def test_what_a_recipe_lacks_leaves_no_key() -> None:
    values = FOREIGN.to_dict()
    assert not {"training", "start", "note", "format"} & values.keys()
    assert values["data"] == {"name": "elsewhere", "classes": []}


def test_hardware_is_named_in_the_order_of_its_use() -> None:
    recipe = replace(FULL, hardware="NVIDIA H200")
    assert recipe.trained_on("NVIDIA H200") == recipe
    assert recipe.trained_on("a CPU, 1 thread").trained_on("NVIDIA H200").hardware == (
        "NVIDIA H200; a CPU, 1 thread; NVIDIA H200"
    )
    assert FULL.hardware == ""
    assert FULL.trained_on("NVIDIA H200") == FULL  # the first part is unknown


def test_a_start_of_unknown_length_counts_nothing() -> None:
    values = {"run": "before", "weights": "abcdef012345"}
    start = StartRecipe.from_dict(values)
    assert (start.images, start.seconds) == (0, 0.0)
    assert start.to_dict() == values


def test_keys_of_other_versions_are_kept() -> None:
    values = FULL.to_dict() | {"world_size": 8}
    values["data"]["licence"] = "CC BY 4.0"
    recipe = Recipe.from_dict(values)
    assert recipe.extra == {"world_size": 8}
    assert recipe.to_dict() == values


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": 2}, "written by a newer ganlib"),
        ({"format": True}, "is not a run's recipe"),
        ({"training": [1]}, "is not a run's recipe"),
        ({"start": {"run": "a"}}, "lacks 'weights'"),
        ({"start": {"run": "a", "weights": "b", "images": -1}}, "is not a run's recipe"),
        ({"start": {"run": "a", "weights": "b", "images": 1.5}}, "is not a run's recipe"),
        ({"start": {"run": "a", "weights": "b", "seconds": True}}, "is not a run's recipe"),
        ({"start": {"run": "a", "weights": "b", "seconds": float("nan")}}, "is not a run's recipe"),
        ({"data": {"name": "noise", "classes": "ab"}}, "is not a run's recipe"),
        ({"data": {"name": "noise", "classes": ["a", "a"]}}, "is not a run's recipe"),
        ({"data": {"name": "noise", "classes": [], "train": {"n": 24}}}, "lacks 'fingerprint'"),
    ],
)
def test_what_is_no_recipe_is_refused_in_one_sentence(change: dict[str, Any], reason: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(FULL.to_dict() | change))
    with pytest.raises(GanlibError, match=reason) as error:
        read_recipe(path)
    assert str(error.value).startswith(str(path))
    assert str(error.value).endswith(".")


def test_a_missing_recipe_is_named(tmp_path: Path) -> None:
    with pytest.raises(GanlibError, match=r"config\.json is missing; copy the whole run folder again\."):
        read_recipe(tmp_path / "config.json")
