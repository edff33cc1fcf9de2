"""Recipes and metric records of small run folders, as frames."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ganlib.errors import GanlibError
from ganlib.logs import differing, matching, read_evaluations, recipes, seed_groups


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


def record(**changes: Any) -> dict[str, Any]:
    protocol = {
        "n_real": 50_000,
        "n_fake": 10_000,
        "reference": {"data": "cifar10-jpeg", "split": "train", "fingerprint": "bf"},
        "extractor": "embedded",
        "extractor_name": "cifar10-classifier",
        "extractor_hash": "0123",
        "resizer": "none",
        "options": {},
    } | changes.pop("protocol", {})
    return {
        "metric": "fid",
        "value": 12.5,
        "interval": {"low": 12.0, "high": 13.0, "how": "10 blocks"},
        "protocol": protocol,
        "images_seen": 64_000,
        "weights_hash": "abc",
        "snapshot": None,
        "date": "2026-11-20T10:00:00+00:00",
        "warning": None,
    } | changes


def evaluate(folder: Path, *records: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_text(json.dumps({"records": records}))
    return folder


def test_a_record_is_a_row(tmp_path: Path) -> None:
    frame, broken = read_evaluations([evaluate(tmp_path / "a", record(), record(metric="kid", interval=None))])
    assert not broken
    assert frame["metric"].tolist() == ["fid", "kid"]
    assert frame[["value", "low", "high"]].to_numpy()[0].tolist() == [12.5, 12.0, 13.0]
    assert frame["low"].isna().tolist() == [False, True]
    assert frame["snapshot"].isna().all()
    label = "embedded cifar10-classifier · 10,000 generated vs 50,000 cifar10-jpeg train"
    assert frame["protocol_label"].unique().tolist() == [label]


def test_metrics_of_one_side_alone(tmp_path: Path) -> None:
    agreement = record(metric="class_agreement", protocol={"n_real": 0, "reference": None})
    test = {"data": "cifar10-jpeg", "split": "test", "fingerprint": "c9"}
    nothing = dict.fromkeys(["extractor", "extractor_name", "extractor_hash"])
    accuracy = record(metric="accuracy", protocol={"n_real": 10_000, "n_fake": 0, "reference": test, **nothing})
    frame, broken = read_evaluations([evaluate(tmp_path / "a", agreement, accuracy)])
    assert not broken
    assert frame["protocol_label"].tolist() == [
        "embedded cifar10-classifier · 10,000 generated",
        "10,000 cifar10-jpeg test",
    ]
    assert frame[["extractor", "data"]].to_numpy().tolist() == [["embedded", ""], ["", "cifar10-jpeg"]]


def test_the_latest_record_wins_whatever_its_place(tmp_path: Path) -> None:
    new = record(value=1, date="2026-11-21T01:00:00+02:00")
    folder = evaluate(tmp_path / "a", new, record(value=2), record(value=3, snapshot=1000), record(value=4))
    frame, _ = read_evaluations([folder])
    assert frame["value"].tolist() == [1, 3]  # a snapshot is another thing measured


def test_protocols_are_kept_apart(tmp_path: Path) -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"n_fake": 5000},
        {"extractor_hash": "4567"},
        {"options": {"truncation": 0.5}},
        {"reference": {"data": "cifar10-jpeg", "split": "train", "fingerprint": "other"}},
    ]
    folders = [evaluate(tmp_path / str(i), record(protocol=change)) for i, change in enumerate(changes)]
    reordered = record()
    reordered["protocol"] = dict(reversed(reordered["protocol"].items()))
    frame, _ = read_evaluations([*folders, evaluate(tmp_path / "same", reordered)])
    assert frame["protocol"].nunique() == len(changes)
    assert frame["protocol"].iloc[-1] == frame["protocol"].iloc[0]
    pairs = frame[["protocol", "protocol_label"]].drop_duplicates()
    assert pairs["protocol_label"].is_unique
    assert frame["protocol_label"].str.endswith("· truncation 0.5").sum() == 1


def test_broken_evaluations_do_not_hide_the_good(tmp_path: Path) -> None:
    unusable = [{"metric": "fid"}, record(value="x"), "text", record() | {"protocol": 7}]
    good = evaluate(tmp_path / "good", record(), *unusable)
    bad = tmp_path / "bad"
    bad.mkdir()
    for text in ("", "[]", '{"records": 3}', '{"records": [', "[" * 100_000):
        (bad / "evaluation.json").write_text(text)
        frame, broken = read_evaluations([bad, good, tmp_path / "none"])
        assert len(frame) == 1
        assert len(broken) == 5
        assert all(str(tmp_path) in sentence for sentence in broken)
    assert read_evaluations([])[0].dtypes.equals(frame.dtypes)


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
