"""A log read while it is written is, at any moment, what ``read`` makes of its whole lines."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_event_files import scalar, write

from ganlib.logs import Follower, LogError, read

SAMPLES = Path(__file__).parents[1] / "samples"
LINES = ["G_loss.log", "lightning.csv", "log.txt", "long.tsv", "metric-pr50k3_full.jsonl", "pytorch_gan.txt"]
LINES += ["stats.jsonl", "stats_edm.jsonl", "studiogan_2020.log", "studiogan_2022.log", "wandb-history.jsonl"]


def same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    frames = (frame.sort_values(["run", "tag", "segment", "step"], kind="stable") for frame in (left, right))
    names: Any = dict.fromkeys(("run", "tag", "original"), str)
    a, b = (frame.reset_index(drop=True).astype(names) for frame in frames)
    pd.testing.assert_frame_equal(a, b)
    assert left.attrs["step_units"] == right.attrs["step_units"]


@pytest.mark.parametrize("name", LINES)
def test_piece_by_piece_gives_the_same_as_at_once(tmp_path, name):
    content = (SAMPLES / name).read_bytes()
    content = content[: content.rindex(b"\n") + 1]
    path = tmp_path / name
    path.touch()
    follower = Follower(path)
    assert follower.read().empty
    for cut in np.random.default_rng(0).integers(0, len(content), 20).tolist():
        if cut > path.stat().st_size:
            path.write_bytes(content[:cut]) if cut < 9 else append(path, content[path.stat().st_size : cut])
            follower.read()
    append(path, content[path.stat().st_size :])
    same(follower.read(), read(path))


def append(path: Path, content: bytes | str) -> None:
    with path.open("ab") as file:
        file.write(content.encode() if isinstance(content, str) else content)


def test_half_lines_wait_and_nothing_new_is_the_same_frame(tmp_path, points):
    path = tmp_path / "log.csv"
    path.write_text("step,loss\n1,0.5\n2,0.2")
    follower = Follower(path)
    first = follower.read()
    assert points(first, "loss") == [(1, 0.5)]
    assert follower.read() is first
    append(path, "5\n3,")
    assert points(follower.read(), "loss") == [(1, 0.5), (2, 0.25)]
    append(path, "x\n4,1\n")
    frame = follower.read()
    assert points(frame, "loss") == [(1, 0.5), (2, 0.25), (4, 1)]
    assert frame.attrs["skipped"][0].line == 4


@pytest.mark.parametrize(
    ("name", "begin", "line", "twice"),
    [
        ("log.txt", "", "epoch: {}, loss: 0.5\n", "epoch: 3, loss: 0.5, epoch: 0.001\n"),
        ("log.csv", "step,tag,value\n", "{},loss,0.5\n", "3,step,7\n"),
    ],
)
def test_of_two_columns_of_one_name_the_first_counts(tmp_path, points, name, begin, line, twice):
    path = tmp_path / name
    content = begin + "".join(map(line.format, (1, 2))) + twice + "".join(map(line.format, (4, 5, 6)))
    path.write_text(content[: content.index(twice)])
    follower = Follower(path)
    follower.read()
    append(path, content[path.stat().st_size :])
    frame = follower.read()
    same(frame, read(path))
    assert points(frame, "loss")[-1] == (6, 0.5)
    assert "there twice" in frame.attrs["skipped"][0].reason
    assert frame.tag.unique().tolist() == ["loss"]
    assert (frame.segment == 0).all()


def test_only_what_was_appended_is_read(tmp_path, monkeypatch):
    path = tmp_path / "log.csv"
    path.write_text("step,loss\n" + "".join(f"{i},0.5\n" for i in range(20_000)))
    follower = Follower(path)
    follower.read()
    append(path, "20000,0.25\n")
    sizes = []
    original = Path.open

    class Counting:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def read(self, *args):
            sizes.append(len(data := self.file.read(*args)))
            return data

        def __getattr__(self, name):
            return getattr(self.file, name)

    monkeypatch.setattr(Path, "open", lambda self, *args: Counting(original(self, *args)))
    assert len(follower.read()) == 20_001
    assert sum(sizes) < 100


def test_a_truncated_or_replaced_file_is_read_anew(tmp_path, points):
    path = tmp_path / "log.csv"
    path.write_text("step,loss\n1,1\n2,2\n3,3\n")
    follower = Follower(path)
    follower.read()
    path.write_text("step,loss\n1,9\n")
    assert points(follower.read(), "loss") == [(1, 9)]
    other = tmp_path / "new"
    other.write_text("step,loss,fid\n1,9,90\n2,8,80\n")  # as this project's log when a column is new
    os.replace(other, path)
    assert points(follower.read(), "fid") == [(1, 90), (2, 80)]


def test_a_restart_and_epochs_that_first_show_later(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,batch,loss\n0,0,1\n0,1,1\n")
    follower = Follower(path)
    follower.read()
    append(path, "1,0,1\n1,1,1\n")
    same(follower.read(), read(path))
    assert follower.read()["step"].max() == 3


def test_event_files(tmp_path, points):
    path = write(tmp_path / "events.out.tfevents.1.x", [scalar(i, "loss", float(i), 5.0 + i) for i in range(9)])
    content = path.read_bytes()
    path.write_bytes(b"")
    follower = Follower(path)
    for start in range(0, len(content), 50):
        append(path, content[start : start + 50])
        follower.read()
    same(follower.read(), read(path))
    assert len(points(follower.read(), "loss")) == 9


def test_an_array_that_is_written_anew(tmp_path, points):
    path = tmp_path / "log"
    rows = []
    follower = Follower(path)
    for i in (1, 2, 3):
        rows.append({"iteration": i, "loss": 1 / i})
        path.write_text(json.dumps(rows, indent=4))
        assert len(points(follower.read(), "loss")) == i


def test_a_tree(tmp_path, points):
    follower = Follower(tmp_path)
    assert follower.read().empty
    (tmp_path / "a").mkdir()
    (tmp_path / "a/log.csv").write_text("step,loss\n1,1\n")
    assert points(follower.read(), "loss", "a") == [(1, 1)]
    append(tmp_path / "a/log.csv", "2,2\n")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/val.csv").write_text("step,loss\n1,3\n")
    (tmp_path / "b/train.csv").write_text("step,loss\n1,4\n")
    for _ in range(2):
        append(tmp_path / "b/train.csv", "2,5\n")
        same(follower.read(), read(tmp_path))
    (tmp_path / "a/log.csv").unlink()
    assert set(follower.read()["run"]) == {"b"}


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(LogError, match="cannot be opened"):
        Follower(tmp_path / "log.csv").read()
