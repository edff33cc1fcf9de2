"""A queue that is killed, and whose trainings are killed, ends with the weights of one that was left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ganlib.__main__ import main
from ganlib.errors import GanlibError
from ganlib.queue import Scheduler, Stage, State
from ganlib.queue.scheduler import ATTEMPTS, flag, flags
from ganlib.queue.state import StateFolder
from ganlib.run_folder import RunFolder
from ganlib.runs import Run, read_tensors
from ganlib.training import TrainingConfig
from helpers.gallery import edit_recipe

PROJECT = Path(__file__).parents[2]
NAMES = ("a", "b", "c")
ENTRY = """
[[run]]
name = "{name}"
model = "dcgan"
data = "digits"
images = {images}
halve = {halve}
evaluate = []
[run.fields]
width = 8
z_dim = 8
batch_size = 16
seed = {seed}
precision = "fp32"
state_every = 0.1
log_every = 4
"""


def entries(images: int = 1600, halve: str = "false") -> str:
    return "".join(ENTRY.format(name=n, seed=i, images=images, halve=halve) for i, n in enumerate(NAMES))


def queue(file: Path, runs: Path, *extra: str, before: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ganlib", "queue", str(file), "--runs", str(runs), "--device", "cpu", *extra]
    return subprocess.Popen([*before, *command], cwd=PROJECT, stdout=subprocess.DEVNULL)


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def autogroups() -> bool:
    setting = Path("/proc/sys/kernel/sched_autogroup_enabled")
    return setting.exists() and setting.read_text().strip() == "1"


def trainings_of(runs: Path) -> list[int]:
    """Process ids of trainings into this folder."""
    ids = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"train" in command and any(part.startswith(bytes(runs)) for part in command):
            ids.append(int(path.parent.name))
    return ids


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="finds processes in /proc")
def test_killed_twice_it_ends_with_the_weights_of_an_undisturbed_queue(tmp_path):
    file = tmp_path / "queue.toml"
    file.write_text(entries())
    for name, seed in zip(NAMES, range(3), strict=True):  # undisturbed
        fields = ["--width", "8", "--z-dim", "8", "--batch-size", "16", "--seed", str(seed), "--precision", "fp32"]
        budget = ["--images", "1600", "--state-every", "0.1", "--log-every", "4", "--device", "cpu"]
        assert (
            main(["train", "dcgan", "--data", "digits", "--out", str(tmp_path / "alone" / name), *fields, *budget]) == 0
        )
    runs = tmp_path / "runs"
    first = queue(file, runs, "--workers", "2")
    wait_until(lambda: (runs / "a" / "log.csv").exists())
    os.kill(trainings_of(runs)[0], signal.SIGKILL)  # one of its trainings
    wait_until(lambda: len(list(runs.glob("*/state.pt"))) >= 2)
    first.kill()  # and the queue itself: its trainings live on
    first.wait()
    assert queue(file, runs, "--workers", "2").wait(120) == 0
    states = StateFolder(runs)
    assert [states.read(name).stage for name in NAMES] == [Stage.DONE] * 3
    for name in NAMES:
        tensors, expected = (read_tensors(RunFolder(root / name).weights) for root in (runs, tmp_path / "alone"))
        assert tensors.keys() == expected.keys()
        assert all((tensors[key] == expected[key]).all() for key in expected)
        steps = [line.partition(",")[0] for line in (runs / name / "log.csv").read_text().splitlines()[1:]]
        assert len(steps) == len(set(steps))  # nothing was trained by two at once


@pytest.mark.slow
def test_entries_are_taken_while_it_works_and_a_raised_budget_is_gone_on_with(tmp_path, capsys):
    file, runs = tmp_path / "queue.toml", tmp_path / "runs"
    file.write_text(ENTRY.format(name="a", seed=0, images=64, halve="true"))
    added: list[str] = []

    def report(message: str) -> None:
        added.append(message)
        if message == "a: done":
            file.write_text(file.read_text().replace("images = 64", "images = 96"))
        if message == "a: train" and added.count(message) == 2:
            file.write_text(file.read_text() + "[[run]]\nname = 1")  # reported, and the entries read before stay

    Scheduler(file, runs, options=["--device", "cpu"], report=report).run()
    assert Run(runs / "a").images_seen == 96
    assert [m for m in added if m.startswith("a:")] == [
        *("a: train", "a: halve", "a: halve", "a: done"),
        *("a: train", "a: halve", "a: halve", "a: done"),
    ]
    assert any("An entry needs" in message and "The entries read before stay" in message for message in added)
    file.write_text(ENTRY.format(name="a", seed=0, images=96, halve="true"))
    assert main(["queue", str(file), "--runs", str(runs), "--status"]) == 0
    assert "done      100%" in capsys.readouterr().out


def test_a_run_folder_is_trained_by_one_process(tmp_path, capsys):
    run, budget = tmp_path / "run", ["--max-minutes", "0", "--device", "cpu"]
    assert (
        main(["train", "dcgan", "--data", "digits", "--width", "4", "--images", "64", "--out", str(run), *budget]) == 0
    )
    with RunFolder(run).training():
        assert RunFolder(run).in_training()
        assert main(["train", "--resume", str(run), "--images", "128", *budget]) == 1
        assert "run is being trained by another process; stop that one first." in capsys.readouterr().err
    assert not RunFolder(run).in_training()
    assert main(["train", "--resume", str(run), "--images", "128", *budget]) == 0


def test_what_the_gallery_has_of_the_same_recipe_is_done(tmp_path, monkeypatch, capsys):
    file, gallery, runs = tmp_path / "queue.toml", tmp_path / "gallery", tmp_path / "runs"
    a, b = (ENTRY.format(name=name, seed=0, images=32, halve="false") for name in "ab")
    file.write_text(a)
    Scheduler(file, gallery, options=["--device", "cpu"], report=lambda message: None).run()
    monkeypatch.setenv("GANLIB_GALLERY", str(gallery))
    file.write_text(a + b.replace("evaluate", 'needs = ["a"]\nevaluate'))
    Scheduler(file, runs, options=["--device", "cpu"], report=lambda message: None).run()
    assert sorted(path.name for path in runs.glob("[!.]*")) == ["b"]
    assert main(["queue", str(file), "--runs", str(runs), "--status"]) == 0
    shipped, trained = capsys.readouterr().out.splitlines()
    assert " gallery   100%          32 images" in shipped
    assert " done      100%          32 images" in trained
    for changed in (a.replace("width = 8", "width = 4"), a.replace("images = 32", "images = 48")):
        file.write_text(changed)
        (entry,) = Scheduler(file, runs)._unfinished()
        assert entry.name == "a"


def test_a_training_of_the_gallery_that_was_stopped_early_is_not_done(tmp_path, monkeypatch):
    file, gallery = tmp_path / "queue.toml", tmp_path / "gallery"
    file.write_text(ENTRY.format(name="a", seed=0, images=32, halve="false"))
    Scheduler(file, gallery, options=["--device", "cpu"], report=lambda message: None).run()
    monkeypatch.setenv("GANLIB_GALLERY", str(gallery))
    file.write_text(ENTRY.format(name="a", seed=0, images=64, halve="false"))
    edit_recipe(gallery / "a", training__images=64)  # as was asked for
    assert [entry.name for entry in Scheduler(file, tmp_path / "runs")._unfinished()] == ["a"]


@pytest.mark.slow
@pytest.mark.skipif(not autogroups(), reason="the system has no autogroups")
def test_niceness_holds_for_the_trainings_sessions_as_well(tmp_path):
    file, runs = tmp_path / "queue.toml", tmp_path / "runs"
    file.write_text(entries(100_000))
    nice = queue(file, runs, before=["nice", "-n", "7"])
    try:
        wait_until(lambda: trainings_of(runs) != [])
        (training,) = trainings_of(runs)
        wait_until(lambda: Path(f"/proc/{training}/autogroup").read_text().endswith(" nice 7\n"))
        assert os.getpriority(os.PRIO_PROCESS, training) == 7
    finally:
        nice.terminate()
        nice.wait()


def test_two_queues_do_not_share_runs(tmp_path):
    file = tmp_path / "queue.toml"
    file.write_text(entries())
    scheduler = Scheduler(file, tmp_path / "runs")

    def second() -> bool:
        with pytest.raises(GanlibError, match="Another process works through the queue"):
            Scheduler(file, tmp_path / "runs").run()
        return True

    scheduler.run(second)


def test_what_fails_again_and_again_is_given_up_and_so_is_what_needs_it(tmp_path):
    file = tmp_path / "queue.toml"
    file.write_text(
        entries()
        + ENTRY.format(name="d", seed=0, images=16, halve="false").replace(
            "evaluate = []", 'evaluate = []\nneeds = ["a"]'
        )
    )
    scheduler = Scheduler(file, tmp_path / "runs")
    scheduler.states.path.mkdir(parents=True)
    scheduler.states.output("a").write_text("…\nganlib: the reason\n")
    a = scheduler.entries[0]
    state = State()
    for attempt in range(1, ATTEMPTS + 1):
        state = scheduler._failed(a, state, status=1)
        assert (state.failed, state.error) == (attempt == ATTEMPTS, "ganlib: the reason")
    assert scheduler._failed(a, State(), status=2).failed  # arguments that are refused will be so again
    scheduler.states.write("a", state)
    assert [entry.name for entry in scheduler._unfinished()] == ["b", "c"]
    assert scheduler.hopeless() == ["a", "d"]


@pytest.mark.slow
def test_a_queue_with_an_entry_that_failed_ends_with_an_error_that_names_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("ganlib.queue.scheduler.ATTEMPTS", 1)
    file, runs = tmp_path / "queue.toml", tmp_path / "runs"
    missing, waiting, good = entries(images=32).replace('"digits"', '"folder:nowhere"', 1).split("\n[[run]]\n")[1:]
    waiting = waiting.replace("data =", 'needs = ["a"]\ndata =')
    file.write_text("".join(f"[[run]]\n{block}\n" for block in (missing, waiting, good)))
    command = ["queue", str(file), "--runs", str(runs), "--device", "cpu"]
    assert main(command) == 1
    assert "such an entry: a, b; " in capsys.readouterr().err
    assert Run(runs / "c").images_seen == 32
    assert main([*command, "--status"]) == 0
    failed, waits, done = capsys.readouterr().out.splitlines()
    assert " failed " in failed
    assert "nowhere" in failed
    assert " train " in waits
    assert waits.endswith("needs a")
    assert " done " in done


def test_an_entry_starts_from_the_weights_of_another_once_that_is_done(tmp_path):
    file, runs = tmp_path / "queue.toml", tmp_path / "runs"
    first, second, _ = entries(images=32).split("\n[[run]]\n")[1:]
    file.write_text(
        "".join(f"[[run]]\n{block}\n" for block in (first, second.replace("data =", 'start = "a"\ndata =')))
    )
    Scheduler(file, runs, workers=2, options=["--device", "cpu"]).run()
    a, b = (Run(runs / name) for name in ("a", "b"))
    assert b.recipe.start is not None
    assert (b.recipe.start.run, b.recipe.start.weights) == ("a", a.weights_hash)


def test_snapshots_are_evaluated_before_the_weights_are_halved(tmp_path, monkeypatch):
    file, runs = tmp_path / "queue.toml", tmp_path / "runs"
    entry = ENTRY.format(name="a", seed=0, images=320, halve="true")
    evaluate = "at = [0.25, 0.5]\nevaluate = [{ n = 20, blocks = 2 }, { n = 20, blocks = 2, metrics = ['kid'] }]"
    file.write_text(entry.replace("evaluate = []", evaluate))
    stages: list[str] = []
    scheduler = Scheduler(file, runs, options=["--device", "cpu"], report=stages.append)
    evaluations: list[list[str]] = []

    def arguments(entry: Any, state: State) -> list[str]:
        words = original(entry, state)
        if words[0] == "evaluate":  # digits without a classifier have no features
            evaluations.append(words)
            return ["list", "models"]
        return words

    original = scheduler._arguments
    monkeypatch.setattr(scheduler, "_arguments", arguments)
    scheduler.run()
    assert RunFolder(runs / "a").snapshots_near([80, 160], 320) == [80, 160]  # to the image
    at = [(words[words.index("--at") + 1], words[words.index("--metrics") + 1]) for words in evaluations]
    snapshots = [("80", "fid"), ("80", "kid"), ("160", "fid"), ("160", "kid")]
    assert at == [*snapshots, ("final", "fid"), ("final", "kid")]
    assert ["--keep-images" in words for words in evaluations] == [True, False] * 3
    assert [stage for stage in dict.fromkeys(stages)] == [
        f"a: {stage}" for stage in ("train", "snapshots", "halve", "evaluate", "done")
    ]


def test_a_killed_evaluation_of_a_snapshot_is_repeated_and_lost_snapshots_are_passed_over(tmp_path):
    file, runs = tmp_path / "queue.toml", tmp_path / "runs"
    entry = ENTRY.format(name="a", seed=0, images=320, halve="true")
    file.write_text(entry.replace("evaluate = []", "at = [0.3, 0.55]\nevaluate = [{ n = 20 }]"))
    scheduler = Scheduler(file, runs)
    (a,) = scheduler.entries
    folder = RunFolder(runs / "a")
    state = State(Stage.SNAPSHOTS, evaluated=1, images=320)
    scheduler.states.path.mkdir(parents=True)
    scheduler.states.write("a", state)
    assert scheduler.state(a) == State()  # its run was deleted: it is trained anew
    values = ["--width", "8", "--z-dim", "8", "--images", "320", "--snapshot-at", "96", "176", "--device", "cpu"]
    values += ["--batch-size", "64"]
    assert main(["train", "dcgan", "--data", "digits", "--out", str(folder.path), *values]) == 0
    assert scheduler.state(a) == state
    assert scheduler._arguments(a, state)[2:4] == ["--at", "192"]  # the first batch of 64 to end at 176 or later
    for snapshot in folder.snapshots.iterdir():
        snapshot.unlink()
    assert scheduler.state(a) == State(Stage.HALVE, images=320)


def test_a_damaged_state_is_that_of_the_beginning(tmp_path):
    states = StateFolder(tmp_path)
    states.path.mkdir()
    (states.path / "a.json").write_text('{"stage": "dancing"}')
    assert states.read("a") == State() == states.read("b")
    states.write("a", State(Stage.EVALUATE, evaluated=1, images=64))
    assert states.read("a") == State(Stage.EVALUATE, evaluated=1, images=64)


def test_fields_become_flags():
    config = TrainingConfig(images=5)
    text = " ".join(flags(config))
    assert "--images 5 " in text
    assert "--max-minutes 0.0" in text
    assert "--precision auto" in text
    assert flag("g_bias", -1e-5) == ["--g-bias", "-0.00001"]  # -1e-05 would be the name of an option
    assert flag("betas", (0.0, 0.999, 1e-12)) == ["--betas", "0.0", "0.999", "0.000000000001"]
    assert float(flag("lr", 1 / 3)[1]) == 1 / 3
