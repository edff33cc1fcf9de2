"""Readers of run folders on small files made on the spot, and the arithmetic behind the curves."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ganlib.errors import GanlibError
from ganlib.experiments import (
    COLUMNS,
    decimate,
    differing,
    elapsed,
    growths,
    read_evaluations,
    read_log,
    read_runs,
    recipes,
    run_names,
    smooth,
    smoothed,
)

HEAD = "step,images,wall_time,loss/G,loss/D\n"
PACKAGE = Path(__file__).parents[1] / "ganlib" / "experiments"


def log(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "log.csv").write_bytes(text.encode())
    return folder / "log.csv"


def values(frame: pd.DataFrame, tag: str) -> list[float]:
    return frame.loc[frame["tag"] == tag, "value"].tolist()


def test_a_log_becomes_one_row_per_scalar(tmp_path: Path) -> None:
    frame = read_log(log(tmp_path, HEAD + "20,1280,100.5,3,1\n40,2560,101.5,,2\n"), "a")
    assert list(frame.columns) == COLUMNS
    assert frame["tag"].tolist() == ["loss/D", "loss/D", "loss/G"]
    assert frame["value"].tolist() == [1, 2, 3]  # the blank is no row
    assert frame["step"].tolist() == [20, 40, 20]
    assert frame["wall_time"].tolist() == [100.5, 101.5, 100.5]
    assert frame["run"].cat.categories.tolist() == ["a"]
    dtypes = {"step": "int64", "images": "int64", "wall_time": "float64", "value": "float64"}
    assert {key: str(frame[key].dtype) for key in dtypes} == dtypes


@pytest.mark.parametrize("cut", ["40,25", "40,2560,101.5,1,2", "40", "40,2560,101.5,x"])
def test_a_line_being_written_waits(tmp_path: Path, cut: str) -> None:
    frame = read_log(log(tmp_path, HEAD + "20,1280,100.5,3,1\n" + cut), "a")
    assert frame["step"].unique().tolist() == [20]


@pytest.mark.parametrize("nan", ["nan", "NaN"])
def test_what_is_not_finite_was_logged_and_a_blank_was_not(tmp_path: Path, nan: str) -> None:
    text = HEAD + f"1,1,1,{nan},inf\n2,2,2,,-inf\n3,3,3,7,\n"
    frame = read_log(log(tmp_path, text.replace("\n", "\r\n")), "a")
    np.testing.assert_equal(values(frame, "loss/G"), [np.nan, 7])
    assert values(frame, "loss/D") == [np.inf, -np.inf]


def test_header_alone_is_a_run_that_just_began(tmp_path: Path) -> None:
    frame = read_log(log(tmp_path, HEAD), "a")
    assert frame.empty
    assert list(frame.columns) == COLUMNS
    assert str(frame["step"].dtype) == "int64"
    assert elapsed(frame).empty


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("step,ima", "is empty"),
        ("step,loss\n1,2\n", "no column images, wall_time"),
        (HEAD + "1,1,1,what,2\n", "what"),
        (HEAD + "1,1,1,1,1\n2,2,2,2,2,2,2\n", "line 3"),
        (HEAD + "1,1,1,1,1,1\n", "longer than its header"),
        (HEAD + "1,,1,1,1\n", "no number"),
        (HEAD + "1.5,1,1,1,1\n", "no number"),
        ("step,images,wall_time,a,a\n1,1,1,1,1\n", "two columns"),
    ],
)
def test_damaged_logs_are_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    path = log(tmp_path, text)
    with pytest.raises(GanlibError, match=says) as caught:
        read_log(path, "a")
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00\x01", b"\x00" * 90 + b"\n", b'"\n\n'])
def test_bytes_that_are_no_log(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "log.csv").write_bytes(content)
    with pytest.raises(GanlibError):
        read_log(tmp_path / "log.csv", "a")
    with pytest.raises(GanlibError):
        read_log(tmp_path / "missing.csv", "a")


def test_runs_in_one_frame_and_the_broken_one_apart(tmp_path: Path) -> None:
    log(tmp_path / "b", HEAD + "1,64,5,1,2\n")
    log(tmp_path / "a", "step,images,wall_time,accuracy\n1,64,5,0.5\n")
    log(tmp_path / "broken", "")
    (tmp_path / "untrained").mkdir()
    frame, broken = read_runs(tmp_path / name for name in ("b", "a", "broken", "untrained"))
    assert frame.groupby("run", observed=True)["tag"].agg(lambda tags: sorted(tags)).to_dict() == {
        "a": ["accuracy"],
        "b": ["loss/D", "loss/G"],
    }
    assert isinstance(frame["run"].dtype, pd.CategoricalDtype)
    assert isinstance(frame["tag"].dtype, pd.CategoricalDtype)
    assert len(broken) == 1
    assert "broken" in broken[0]
    nothing, _ = read_runs([])
    assert nothing.empty
    assert nothing.dtypes.drop(["run", "tag"]).equals(frame.dtypes.drop(["run", "tag"]))


def test_runs_of_one_name_stay_two() -> None:
    folders = [Path("/x/gallery/a"), Path("/x/runs/a"), Path("/x/runs/a"), Path("/y/runs/a")]
    assert list(run_names(folders).values()) == ["a", "runs/a", "/y/runs/a"]


def test_time_of_a_resumed_run_has_no_hole(tmp_path: Path) -> None:
    walls = [100, 102, 104, 5000, 5002, 5001, 5003]  # a pause of 4,896 s, and a clock set back
    rows = "".join(f"{i},{i},{wall},1,{'' if i % 2 else 2}\n" for i, wall in enumerate(walls))
    frame = read_log(log(tmp_path / "a", HEAD + rows), "a")
    seconds = elapsed(frame)
    assert seconds[frame["tag"] == "loss/G"].tolist() == [0, 2, 4, 6, 8, 8, 10]
    assert seconds[frame["tag"] == "loss/D"].tolist() == [0, 4, 8, 10]
    log(tmp_path / "b", HEAD + "1,1,900000,1,1\n")  # another run has its own beginning
    both, _ = read_runs([tmp_path / "a", tmp_path / "b"])
    assert elapsed(both)[both["run"] == "b"].tolist() == [0, 0]


def test_growth_is_where_the_resolution_rose(tmp_path: Path) -> None:
    text = "step,images,wall_time,resolution\n"
    # Rows 3 and 7 are means over steps of two resolutions.
    for step, size in enumerate([4, 4, 5.6, 8, 8, 8, 15.9, 16], 1):
        text += f"{step},{step * 64},{step}.0,{size}\n"
    grown = read_log(log(tmp_path / "grown", text), "grown")
    plain = read_log(log(tmp_path / "plain", "step,images,wall_time,loss/D\n1,64,1.0,0.5\n"), "plain")
    marks = growths(pd.concat([plain, grown], ignore_index=True))
    assert list(marks["run"]) == ["grown", "grown"]
    assert list(marks["images"]) == [3 * 64, 7 * 64]
    assert list(marks["label"]) == ["8 px", "16 px"]
    assert growths(plain).empty


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


def test_smoothing_keeps_runs_and_tags_apart(tmp_path: Path) -> None:
    frame = read_log(log(tmp_path, HEAD + "1,1,1,10,0\n2,2,2,20,1\n"), "a")
    result = smoothed(frame.iloc[::-1].iloc[::-1], 0.5)
    np.testing.assert_allclose(result, [0, 2 / 3, 10, 50 / 3])
    assert result.index.equals(frame.index)


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


def test_the_package_imports_no_torch_and_nothing_of_ours_but_errors() -> None:
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom | ast.Import):
                module = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
                head = str(module).split(".")
                assert head[0] != "torch"
                assert head[0] != "ganlib" or head[1] in {"errors", "experiments"}
