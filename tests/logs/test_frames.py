"""Readers of run folders on small files made on the spot, and the arithmetic behind the curves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ganlib.errors import GanlibError
from ganlib.logs import (
    DTYPES,
    along,
    axes,
    decimate,
    differing,
    elapsed,
    growths,
    marks,
    matching,
    read_evaluations,
    recipes,
    run_names,
    seed_groups,
    smooth,
    with_scores,
)


def test_runs_of_one_name_stay_two() -> None:
    folders = [Path("/x/gallery/a"), Path("/x/runs/a"), Path("/x/runs/a"), Path("/y/runs/a")]
    assert list(run_names(folders).values()) == ["a", "runs/a", "/y/runs/a"]


def scalars(runs: dict[str, dict[str, dict[int, float]]], **columns: Any) -> pd.DataFrame:
    """The frame of ``read`` from run -> tag -> step -> value; further columns are given whole."""
    rows = [
        (run, step, float(step), tag, value, tag, 0)
        for run, tags in runs.items()
        for tag, points in tags.items()
        for step, value in points.items()
    ]
    frame = pd.DataFrame(rows, columns=list(DTYPES)).assign(**columns)
    return frame.astype(DTYPES)


def test_time_of_a_resumed_run_has_no_hole() -> None:
    walls = [100, 102, 104, 5000, 5002, 5001, 5003]  # a pause of 4,896 s, and a clock set back
    resumed = {"loss/G": dict.fromkeys(range(7), 1.0), "loss/D": dict.fromkeys(range(0, 7, 2), 2.0)}
    frame = scalars({"a": resumed, "b": {"x": {1: 1}}}, wall_time=[*walls, *walls[::2], 900000])
    seconds = elapsed(frame)
    assert seconds[frame["tag"] == "loss/G"].tolist() == [0, 2, 4, 6, 8, 8, 10]
    assert seconds[frame["tag"] == "loss/D"].tolist() == [0, 4, 8, 10]
    assert seconds[frame["run"] == "b"].tolist() == [0]  # another run has its own beginning


def test_where_rows_have_no_time_the_logged_one_counts() -> None:
    frame = scalars({"a": {"elapsed": {0: 0.0, 100: 50.0}, "loss/D": {20: 1.0, 120: 1.0}}}, wall_time=float("nan"))
    assert elapsed(frame)[frame["tag"] == "loss/D"].tolist() == [10.0, 60.0]


def test_an_axis_is_what_the_run_logged_of_it() -> None:
    frame = scalars(
        {
            "ours": {"images": {10: 640.0, 30: 1920.0}, "loss/D": {10: 1.0, 20: 2.0, 40: 3.0}},
            "theirs": {"loss/D": {100: 5.0}},
            "neither": {"loss/D": {1: 5.0}},
        }
    )
    frame.attrs["step_units"] = {"ours": "steps", "theirs": "images", "neither": "steps"}
    placed = along(frame, "images")
    losses = placed[placed["tag"] == "loss/D"]
    assert losses["x"].tolist() == [640, 1280, 2560, 100]  # between, beyond, as it is
    assert set(placed["run"]) == {"ours", "theirs"}
    assert along(frame, "step")["x"].tolist() == frame["step"].tolist()
    assert along(frame, "epoch").empty
    assert axes(frame) == ["images", "step", "time"]
    assert axes(frame[:0]) == []
    with pytest.raises(GanlibError, match="no axis 'epochs'"):
        along(frame, "epochs")


def test_dates_are_dates_and_relative_times_are_none() -> None:
    frame = scalars({"a": {"x": {1: 1.0}}, "b": {"x": {1: 1.0}}}, wall_time=[1.7e9, 12.5])
    placed = along(frame, "clock")
    assert placed["run"].tolist() == ["a"]
    assert str(placed["x"].iloc[0]) == "2023-11-14 22:13:20"
    assert axes(frame) == ["step", "time", "clock"]


def test_growth_is_where_the_resolution_rose() -> None:
    # Rows 3 and 7 are means over steps of two resolutions.
    sizes = dict(enumerate([4, 4, 5.6, 8, 8, 8, 15.9, 16], 1))
    found = growths(scalars({"plain": {"loss/D": {1: 0.5}}, "grown": {"resolution": sizes}}))
    assert list(zip(found["run"], found["step"], found["label"], strict=True)) == [
        ("grown", 3, "8 px"),
        ("grown", 7, "16 px"),
    ]


def test_marks_are_jumps_of_the_rate_the_best_fid_and_restarts() -> None:
    rates = {1: 1e-3, 2: 0.99e-3, 3: 1e-4, 4: 1e-4}
    frame = scalars({"a": {"lr": rates, "fid": {1: 50.0, 2: 20.0, 3: 30.0}}})
    found = {kind: rows[["step", "label"]].values.tolist() for kind, rows in marks(frame)}
    assert found == {"learning rate": [[3, "lr 0.0001"]], "best FID": [[2, "FID 20"]]}
    again = frame.assign(segment=[0, 0, 1, 1, 0, 0, 1]).astype(DTYPES)
    assert dict(marks(again))["restarts"][["step", "label"]].values.tolist() == [[3, "restart"]]


def test_scores_of_snapshots_lie_at_the_steps_of_their_images() -> None:
    frame = scalars({"a": {"images": {10: 640.0, 30: 1920.0}}, "b": {"loss/D": {1: 1.0}}})
    rows = [("a", "fid", 9.0, 640), ("a", "fid", 5.0, 1280), ("a", "kid", 0.5, 640), ("b", "fid", 9.0, 640)]
    records = pd.DataFrame(rows, columns=["run", "metric", "value", "images_seen"]).assign(protocol="{}", date=0)
    found = with_scores(frame, records)
    added = found[found["original"] == "evaluation.json"]
    assert added[["run", "tag", "step", "value"]].values.tolist() == [["a", "fid", 10, 9.0], ["a", "fid", 20, 5.0]]
    assert found.dtypes.map(str).equals(frame.dtypes.map(str))
    assert with_scores(frame, records[:0]) is frame


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


def test_smoothing_is_the_closed_form() -> None:
    x, w = np.random.default_rng(0).normal(size=50), 0.8
    weights = [w ** np.arange(n, -1, -1) for n in range(50)]
    expected = [(weights[n] @ x[: n + 1]) * (1 - w) / (1 - w ** (n + 1)) for n in range(50)]
    np.testing.assert_allclose(smooth(x, w), expected, rtol=1e-12)
    np.testing.assert_array_equal(smooth(x, 0), x)
    np.testing.assert_allclose(smooth(np.full(9, 3.0), 0.99), 3.0)  # the debiasing: no start at zero
    assert len(smooth([], 0.5)) == 0


def test_smoothing_is_not_poisoned() -> None:
    dirty = smooth([1, np.nan, 2, np.inf, 3, -np.inf], 0.6)
    np.testing.assert_allclose(dirty[[0, 2, 4]], smooth([1, 2, 3], 0.6))
    np.testing.assert_equal(dirty[[1, 3, 5]], [np.nan, np.inf, -np.inf])


@pytest.mark.parametrize("weight", [1, -0.1, float("nan")])
def test_impossible_smoothing(weight: float) -> None:
    with pytest.raises(GanlibError, match="smoothing"):
        smooth([1.0], weight)


@pytest.mark.parametrize("n", [5, 100, 101, 9_999, 100_000])
def test_decimation_keeps_extremes_and_ends(n: int) -> None:
    y = np.random.default_rng(n).normal(size=n)
    y[n // 3], y[n // 2] = 50, -50
    kept = decimate(y, 100)
    assert len(kept) <= 100
    assert (np.diff(kept) > 0).all()
    assert {0, n // 3, n // 2, n - 1} <= set(kept.tolist())
    y[n // 4] = np.nan  # and a gap stays one
    kept = decimate(y, 100)
    assert len(kept) <= 100
    assert {0, n // 4, n // 3, n // 2, n - 1} <= set(kept.tolist())


def test_decimation_of_odd_curves() -> None:
    assert len(decimate(np.full(1000, np.nan), 50)) <= 50
    assert len(decimate([], 50)) == 0
    with pytest.raises(GanlibError, match="at least 8"):
        decimate([1.0], 7)


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
        recipe = {"model": "dcgan", "config": {"z_dim": z, **extra}, "data": {"classes": ["cat", "dog"]}}
        (tmp_path / name / "config.json").write_text("{" if name == "broken" else json.dumps(recipe))
    table = recipes(tmp_path / name for name in ("a", "b", "broken", "none"))
    assert table.index.tolist() == ["a", "b"]
    assert table.loc["a", "data.classes"] == "cat, dog"
    assert list(differing(table).columns) == ["config.z_dim", "config.lr"]
    assert differing(recipes([])).empty
