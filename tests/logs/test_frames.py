"""Recipes and metric records of small run folders, as frames."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ganlib.errors import GanlibError
from ganlib.logs import differing, matching, recipes, seed_groups


def recipe(model: str, seed: int, **config: Any) -> dict[str, Any]:
    return {"model": model, "training.seed": seed, "created": seed, **{f"config.{k}": v for k, v in config.items()}}


def test_runs_that_differ_in_the_seed_alone_are_one_group() -> None:
    table = pd.DataFrame(
        {
            "a": recipe("dcgan", 0, lr=1),
            "b": recipe("dcgan", 1, lr=1),
            "c": recipe("dcgan", 1, lr=2),
            "d": recipe("sngan", 0, lr=1),
        }
    ).T
    assert seed_groups(table) == {"a": "a", "b": "a"}
    assert seed_groups(table[:0]) == {}


def test_runs_are_found_by_name_recipe_and_scalars() -> None:
    table = pd.DataFrame({"cifar-a": recipe("dcgan", 0, lr=0.1), "cifar-b": recipe("sngan", 0, lr=0.2)}).T
    names, tags = ["cifar-a", "cifar-b", "foreign"], {"foreign": ["fid"], "cifar-a": ["loss/D"]}

    def find(query: str) -> list[str]:
        return matching(table, names, query, tags)

    assert find("") == names
    assert find("^CIFAR") == names[:2]
    assert find("model=sngan") == ["cifar-b"]
    assert find("lr=0.1 cifar") == ["cifar-a"]
    assert find("tag:fid") == ["foreign"]
    assert find("depth=3") == []
    with pytest.raises(GanlibError, match="no regular expression"):
        find("(cifar")


def test_recipes_side_by_side(tmp_path: Path) -> None:
    for name, z, extra in (("a", 64, {}), ("b", 128, {"lr": 0.1}), ("broken", 0, {})):
        (tmp_path / name).mkdir()
        data = {"name": "pets", "classes": ["cat", "dog"]}
        recipe = {"model": "dcgan", "config": {"z_dim": z, **extra}, "data": data}
        (tmp_path / name / "config.json").write_text("{" if name == "broken" else json.dumps(recipe))
    table = recipes(tmp_path / name for name in ("a", "b", "broken", "none"))
    assert table.index.tolist() == ["a", "b"]
    assert table.loc["a", "data.classes"] == "cat, dog"
    assert list(differing(table).columns) == ["config.z_dim", "config.lr"]
    assert differing(recipes([])).empty
