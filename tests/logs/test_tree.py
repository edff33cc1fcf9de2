"""A tree of many runs: listed from heads, read run by run, kept on disk."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from ganlib.logs import LogTree, RunLogs, cache, read

ROWS = 6_000


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GANLIB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "logs"


def log(path: Path, first: int, rows: int = ROWS, age: float = 1000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{i},{first + i / 4},{i / 8}\n" for i in range(rows))
    path.write_text("step,d_loss,g_loss\n" + lines)
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - age))
    return path


def test_only_the_chosen_run_is_read(tmp_path):
    for k, run in enumerate(("a/x", "a/y", "b/x")):
        log(tmp_path / "logs" / run / "log.csv", 100 * k)
    tree = LogTree(tmp_path / "logs")
    assert tree.runs() == {name: ["loss/D", "loss/G"] for name in ("x", "y", "b/x")}
    frame = tree.read(["b/x"])
    assert frame["run"].unique().tolist() == ["b/x"]
    assert len(frame) == 2 * ROWS
    assert frame["value"].iloc[0] == 200
    assert frame.attrs["step_units"] == {"b/x": "steps"}
    assert tree.read(["b/x"]) is frame
    assert tree.read([]).empty


def test_what_is_read_is_what_reading_all_gives(tmp_path):
    for k, run in enumerate("abc"):
        log(tmp_path / "logs" / run / "log.csv", k, rows=20)
    tree = LogTree(tmp_path / "logs")
    pd.testing.assert_frame_equal(
        tree.read(list(tree.runs())).astype({"run": str, "tag": str, "original": str}),
        read(tmp_path / "logs").astype({"run": str, "tag": str, "original": str}),
    )


def test_links_lead_to_each_run_once_and_come_to_an_end(tmp_path):
    logs = tmp_path / "logs"
    for k, path in enumerate((logs / "wandb/run-1/files", logs / "wandb/run-2/files", tmp_path / "elsewhere/c")):
        log(path / "log.csv", k, rows=20)
    for link, target in (("wandb/latest-run", "run-2"), ("up", "."), ("itself", "itself"), ("other", "../elsewhere")):
        (logs / link).symlink_to(target)
    (tmp_path / "elsewhere" / "back").symlink_to(logs)
    (logs / "other-again").symlink_to("../elsewhere/c")
    tree = LogTree(logs)
    assert sorted(tree.runs()) == ["c", "run-1", "run-2"]
    assert len(tree.read(tree.runs())) == 3 * 2 * 20


def test_a_run_that_grows_and_a_run_that_begins(tmp_path):
    path = log(tmp_path / "logs/a/log.csv", 0, rows=10, age=0)
    tree = LogTree(tmp_path / "logs")
    tree.runs()
    before = tree.read(["a"])
    with path.open("a") as file:
        file.write("10,9,9\n")
    frame = tree.read(["a"])
    assert frame is not before
    assert frame["step"].max() == 10
    log(tmp_path / "logs/b/log.csv", 0, rows=10)
    assert set(tree.runs(max_age=1000)) == {"a"}
    assert set(tree.runs()) == {"a", "b"}


def test_the_listing_outlives_the_process(tmp_path):
    path = log(tmp_path / "logs/a/log.csv", 0)
    assert LogTree(tmp_path / "logs").runs()
    path.write_text("garbage " * 100_000)  # as long as before, so that its head is not looked at
    assert LogTree(tmp_path / "logs").runs() == {"a": ["loss/D", "loss/G"]}


def test_a_damaged_listing_and_a_damaged_log(tmp_path, cache_folder):
    log(tmp_path / "logs/a/log.csv", 0)
    LogTree(tmp_path / "logs").runs()
    for listing in cache_folder.glob("listing-*.json"):
        listing.write_text('{"x": [')
    (tmp_path / "logs/b").mkdir()
    (tmp_path / "logs/b/log.json").write_text('[{"step')
    tree = LogTree(tmp_path / "logs")
    assert set(tree.runs()) == {"a"}
    assert "log.json" in tree.errors[0]


def test_runs_of_this_project_have_their_names(tmp_path):
    path = log(tmp_path / "run-1/log.csv", 0, rows=5)
    logs = RunLogs(lambda: {path: "other/run-1", tmp_path / "none/log.csv": "none"})
    assert logs.runs() == {"other/run-1": ["loss/D", "loss/G"]}
    assert logs.read(["other/run-1"])["run"].unique().tolist() == ["other/run-1"]


def test_a_large_log_is_parsed_once(tmp_path, cache_folder):
    path = log(tmp_path / "log.csv", 0, rows=40_000)
    with path.open("a") as file:
        file.write("garbage\n")
    first = read(path)
    (entry,) = cache_folder.glob("*.parquet")
    second = read(path)
    pd.testing.assert_frame_equal(first, second)
    assert second.attrs == first.attrs
    read(log(tmp_path / "other/log.csv", 7, rows=40_000))
    (other,) = set(cache_folder.glob("*.parquet")) - {entry}
    os.replace(other, entry)  # what is read is what was kept
    assert read(path)["value"].iloc[0] == 7


def test_a_damaged_copy_is_parsed_anew(tmp_path, cache_folder):
    path = log(tmp_path / "log.csv", 0, rows=40_000)
    first = read(path)
    for entry in cache_folder.glob("*.parquet"):
        entry.write_bytes(b"PAR1 and no more")
    pd.testing.assert_frame_equal(read(path), first)


def test_the_folder_is_bounded(tmp_path, cache_folder, monkeypatch):
    monkeypatch.setattr(cache, "MAX_CACHE_BYTES", 1_000_000)
    for k in range(6):
        read(log(tmp_path / f"log{k}.csv", k, rows=40_000))
    assert sum(entry.stat().st_size for entry in cache_folder.glob("*.parquet")) <= 1_000_000


def test_trainings_that_begin_after_the_head_are_listed_once_the_log_was_read(tmp_path):
    lines = "".join(f"step {i} d_loss: {i / 4} g_loss: 0.5\n" for i in range(ROWS))
    path = tmp_path / "logs/sweep/train.log"
    path.parent.mkdir(parents=True)
    path.write_text(f"lr=0.1\n{lines}lr=0.2\n{lines}")
    tree = LogTree(tmp_path / "logs")
    assert set(tree.runs()) == {"sweep"}
    assert tree.read(["sweep"])["run"].unique().tolist() == ["lr=0.1", "lr=0.2"]
    assert set(tree.runs()) == {"lr=0.1", "lr=0.2"}
    assert len(tree.read(["lr=0.2"])) == 2 * ROWS
