"""Folders: one run in several files, several runs in one folder, trees as the tools leave them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from ganlib.logs import LogError, concat, read

SAMPLES = Path(__file__).parents[1] / "samples"


def put(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copy(SAMPLES / name, folder / name)
    return folder


def text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def test_one_run_in_several_files(tmp_path, points):
    run = put(tmp_path / "00001-tiny", "stats.jsonl", "metric-pr50k3_full.jsonl")
    text(run / "training_options.json", json.dumps({"batch_size": 32, "lr": 0.1}, indent=1))
    text(run / "log.txt", "tick 0     kimg 0.0    time 0s   sec/tick 1.5   augment 0.000\n")
    (run / "network-snapshot-000000.pkl").write_bytes(b"\x80\x04")
    frame = read(run)
    assert set(frame["run"]) == {"00001-tiny"}
    assert points(frame, "precision") == [(0, 0.125), (40000, 0.375), (80000, 0.5)]
    assert points(frame, "ada/p") == [(32, 0), (4032, 0.125), (8032, 0.25)]  # not again from log.txt
    assert points(frame, "elapsed") == [(32, 0), (4032, 10), (8032, 20)]
    assert points(frame, "seconds/tick") == [(0, 1.5)]  # which log.txt alone has
    assert frame.attrs["skipped_total"] == 1


def test_a_tree_of_runs_named_as_elsewhere(tmp_path):
    for folder in ("x/a", "x/b", "y/a"):
        text(tmp_path / folder / "log.csv", "step,loss\n1,2\n")
    put(tmp_path / "nvidia", "stats.jsonl")
    frame = read(tmp_path)
    assert set(frame["run"]) == {"nvidia", "a", "b", "y/a"}
    assert frame.attrs["step_unit"] == "mixed"
    assert frame.attrs["step_units"] == {"nvidia": "images", "a": "steps", "b": "steps", "y/a": "steps"}


def test_several_runs_in_one_folder(tmp_path):
    folder = put(tmp_path / "logs", "studiogan_2020.log", "studiogan_2021.log")
    assert set(read(folder)["run"]) == {"studiogan_2020", "studiogan_2021"}


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_what_tensorboard_lets_download_is_sorted_by_run(tmp_path, points, suffix):
    """Its files are called after the run and the scalar."""
    for number, (run, tag) in enumerate((run, tag) for run in ("dcgan", "wgan_gp") for tag in ("d_loss", "fid")):
        rows = [[1700000000.0 + i, 10 * i, number + i / 2] for i in range(3)]
        text = "Wall time,Step,Value\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)
        copy = " (1)" * (tag == "fid")
        path = tmp_path / f"run-{run}-tag-{tag}{copy}.{suffix}"
        path.write_text(text if suffix == "csv" else json.dumps(rows))
    frame = read(tmp_path)
    assert set(frame["run"]) == {"dcgan", "wgan_gp"}
    assert points(frame, "loss/D", "dcgan") == [(0, 0), (10, 0.5), (20, 1)]
    assert points(frame, "fid", "wgan_gp") == [(0, 3), (10, 3.5), (20, 4)]
    assert set(read(path)["run"]) == {"wgan_gp"}


def test_training_and_validation_are_one_run(tmp_path, points):
    text(tmp_path / "run/train.csv", "epoch,loss\n0,1\n1,2\n")
    text(tmp_path / "run/val.csv", "epoch,loss\n0,3\n1,4\n")
    frame = read(tmp_path)
    assert points(frame, "loss", "run") == [(0, 1), (1, 2)]
    assert points(frame, "val/loss", "run") == [(0, 3), (1, 4)]


def test_a_log_continued_in_a_second_file(tmp_path, points):
    text(tmp_path / "run/log_1.csv", "step,loss\n1,1\n2,2\n")
    text(tmp_path / "run/log_2.csv", "step,loss\n3,3\n4,4\n")
    assert points(read(tmp_path), "loss", "run") == [(1, 1), (2, 2), (3, 3), (4, 4)]


def test_the_same_scalars_in_two_formats_count_once(tmp_path, points):
    rows = [(step, 1 / (step + 3)) for step in range(50)]
    text(tmp_path / "run/log.csv", "step,d_loss\n" + "".join(f"{s},{v}\n" for s, v in rows))
    text(tmp_path / "run/log.jsonl", "".join(json.dumps({"step": s, "loss_D": v}) + "\n" for s, v in rows))
    text(tmp_path / "run/printed.txt", "".join(f"step {s}: loss_d = {v:.4f}, lr = 0.5\n" for s, v in rows))
    frame = read(tmp_path)
    assert len(points(frame, "loss/D")) == 50
    assert len(points(frame, "lr")) == 50
    assert len(frame) == 100


def test_a_run_that_was_deleted_in_mlflow_is_none(tmp_path):
    """Its files stay until the garbage is collected; its database leaves it out, too."""
    for run, stage in (("ab", "active"), ("cd", "deleted")):
        text(tmp_path / f"0/{run}/meta.yaml", f"lifecycle_stage: {stage}\nrun_name: run {run}\n")
        text(tmp_path / f"0/{run}/metrics/loss", "1700000000000 0.5 0\n1700000001000 0.25 1\n")
    frame = read(tmp_path)
    assert set(frame["run"]) == {"run ab"}
    assert frame.attrs["skipped_total"] == 0


def test_mlflow(points):
    frame = read(SAMPLES / "mlruns")
    assert points(frame, "loss/D", "quick-fox") == [(0, 0.5), (10, 0.25)]
    assert points(frame, "fid", "quick-fox") == [(10, 30.5)]
    assert frame["wall_time"].max() == 1650000001


def test_wandb(tmp_path, points):
    put(tmp_path / "wandb/run-20200913_abc/files", "wandb-history.jsonl", "wandb-summary.json")
    frame = read(tmp_path)
    assert set(frame["run"]) == {"run-20200913_abc"}
    assert points(frame, "loss/G") == [(0, 1.5), (10, 2.5), (20, 3.5)]  # the summary's is the last of these
    assert points(frame, "fid") == [(20, 12.5)]


def test_biggan_pytorch(tmp_path, points):
    put(tmp_path / "logs", "tiny_log.jsonl")
    put(tmp_path / "logs/tiny", "G_loss.log")
    text(tmp_path / "logs/tiny/D_loss_real.log", "0: 0.5\n100: 0.25\n")
    frame = read(tmp_path)
    assert set(frame["run"]) == {"tiny"}
    assert points(frame, "loss/D/real") == [(0, 0.5), (100, 0.25)]
    assert points(frame, "fid") == [(2000, 50), (4000, 25)]


def test_what_is_no_log_is_passed_over_and_what_is_damaged_is_told(tmp_path, skipped_reasons):
    text(tmp_path / "run/log.csv", "step,loss\n1,2\n")
    text(tmp_path / "run/README", "Some words, not a log.\n")
    text(tmp_path / "run/config.json", '{"lr": 1}')
    text(tmp_path / "run/empty.csv", "")
    text(tmp_path / "run/half.json", '[{"step')
    (tmp_path / "run/binary").write_bytes(bytes(range(256)) * 9)
    (tmp_path / "run/.hidden.csv").write_text("step,loss\n1,2\n")
    frame = read(tmp_path)
    assert len(frame) == 1
    assert [reason for _, reason in skipped_reasons(frame)] == ["it is empty", "it is no JSON"]


def test_nothing_to_read(tmp_path):
    with pytest.raises(LogError, match="no log of a known format"):
        read(tmp_path)
    with pytest.raises(LogError, match="cannot be opened"):
        read(tmp_path / "missing.csv")
    (tmp_path / "empty.csv").touch()
    with pytest.raises(LogError, match="it is empty"):
        read(tmp_path / "empty.csv")


def test_frames_together(tmp_path):
    text(tmp_path / "a.csv", "step,loss\n1,2\nbad\n")
    text(tmp_path / "b.csv", "images,d_loss\n1,2\n2,3\n")
    a, b = read(tmp_path / "a.csv"), read(tmp_path / "b.csv")
    both = concat([a, b])
    assert both["run"].tolist() == ["a", "b", "b"]
    assert both["tag"].tolist() == ["loss", "loss/D", "loss/D"]
    assert both.dtypes.drop(["run", "tag", "original"]).equals(a.dtypes.drop(["run", "tag", "original"]))
    assert both.attrs["step_unit"] == "mixed"
    assert both.attrs["step_units"] == {"a": "steps", "b": "images"}
    assert both.attrs["skipped_total"] == 1
    assert concat([]).empty
    assert isinstance(pd.concat([both, both])["tag"].dtype, pd.CategoricalDtype)


def test_the_evaluation_of_a_run_is_no_log(tmp_path):
    (tmp_path / "log.csv").write_text("step,loss\n1,0.5\n2,0.25\n")
    record = {"metric": "fid", "value": 30.5, "blocks": [30, 31], "protocol": {"n_real": 100}}
    (tmp_path / "evaluation.json").write_text(json.dumps({"records": [record, record]}))
    assert set(read(tmp_path)["tag"]) == {"loss"}
    with pytest.raises(LogError, match="the evaluation of a run"):
        read(tmp_path / "evaluation.json")
