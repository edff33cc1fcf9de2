"""Several trainings in one text log: a run each, named by what the log says."""

from __future__ import annotations

import pytest

from ganlib.logs import Follower, read
from ganlib.logs.diagnosis import diagnose

LOSSES = "".join(f"step {step} loss: {1 / (step + 1):.4f}\n" for step in range(0, 100, 10))


def names(frame):
    return list(frame["run"].unique())


@pytest.mark.parametrize(
    ("headings", "runs"),
    [
        (["lr=2e-4", "lr=1e-4", "lr=5e-5"], ["lr=2e-4", "lr=1e-4", "lr=5e-5"]),
        (["--- lr 2e-4 ---", "--- lr 1e-4 ---"], ["lr 2e-4", "lr 1e-4"]),
        (["Training with width=32", "Training with width=64"], ["width=32", "width=64"]),
        (["Starting Training Loop...\nlr: 0.1\nbatch_size: 64", "Starting Training Loop...\nlr: 0.2\nbatch_size: 64"],
         ["lr: 0.1", "lr: 0.2"]),
        (["===== SGD =====", "===== Adam ====="], ["SGD", "Adam"]),
        (["width=32", "GPU memory: 3 GB"], ["training 1", "training 2"]),
        (["# again", "# again"], ["training 1", "training 2"]),
        (["", "", ""], ["training 1", "training 2", "training 3"]),
    ],
)  # fmt: skip
def test_a_sweep_is_a_run_for_each_setting(read_text, points, headings, runs):
    frame = read_text("".join(f"{heading}\n{LOSSES}" for heading in headings), "sweep.log")
    assert names(frame) == runs
    for run in runs:
        assert points(frame, "loss", run) == [(step, round(1 / (step + 1), 4)) for step in range(0, 100, 10)]
    assert frame["segment"].max() == 0
    assert not [finding for finding in diagnose(frame) if finding.rule == "log_restarted"]
    assert "lr" not in set(frame["tag"])  # it is in the name, and its line has no step of its own


def test_a_setting_on_every_line_names_the_runs(read_text):
    text = "".join(f"epoch {e} width: {w} loss: 0.{e}\n" for w in (32, 64) for e in range(5))
    assert names(read_text(text, "sweep.log")) == ["width=32", "width=64"]


def test_epochs_of_several_lines_and_results_between(read_text, points):
    text = "".join(
        f"lr={lr}\n" + "".join(f"[{e}/3][{b}/50] loss: 0.5\n" for e in range(3) for b in (0, 25)) + "FID: 30.5\n"
        for lr in (0.1, 0.2)
    )
    frame = read_text(text, "sweep.log")
    assert names(frame) == ["lr=0.1", "lr=0.2"]
    assert points(frame, "loss", "lr=0.2") == [(step, 0.5) for step in range(0, 150, 25)]
    assert points(frame, "fid", "lr=0.1") == points(frame, "fid", "lr=0.2") == [(125, 30.5)]


def test_one_training_is_one_run_whatever_stands_above_it(read_text):
    assert names(read_text(f"lr=2e-4\n{LOSSES}", "one.log")) == ["one"]
    resumed = "".join(f"step {step} loss: 0.5\n" for step in range(50, 150, 10))
    frame = read_text(f"lr=2e-4\n{LOSSES}lr=1e-4\n{resumed}", "one.log")
    assert names(frame) == ["one"]
    assert frame["segment"].max() == 1


def test_a_second_training_that_has_just_begun_is_a_restart(read_text):
    frame = read_text(f"{LOSSES}step 0 loss: 1\nstep 10 loss: 1\n", "one.log")
    assert (names(frame), frame["segment"].max()) == (["one"], 1)


def test_a_sweep_that_is_followed(tmp_path):
    path = tmp_path / "sweep.log"
    text = "".join(f"lr={lr}\n{LOSSES}" for lr in ("2e-4", "1e-4", "5e-5"))
    path.touch()
    follower = Follower(path)
    for start in range(0, len(text), 70):
        with path.open("a") as file:
            file.write(text[start : start + 70])
        follower.read()
    frame, whole = follower.read(), read(path)
    for column in ("run", "step", "tag", "value", "segment"):
        assert frame[column].tolist() == whole[column].tolist()
    assert names(frame) == ["lr=2e-4", "lr=1e-4", "lr=5e-5"]


def test_networks_that_are_printed_are_no_log(read_text):
    network = "Generator(\n" + "".join(
        f"  ({i}): Conv2d(3, 64, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1), bias=False)\n" for i in range(5)
    )
    frame = read_text(2 * network + LOSSES, "train.log")
    assert names(frame) == ["train"]
    assert set(frame["tag"]) == {"loss"}
