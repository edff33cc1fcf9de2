"""Training as a real process: killed, stopped, resumed, and equal to the run that nothing disturbed."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from ganlib.__main__ import main
from ganlib.runs import Run
from helpers.tiny_models import files_of, make_trainer

PROJECT = Path(__file__).parents[2]
IMAGES = 960  # 60 steps: time enough to be killed in the middle
FLAGS = ["--image-size", "16", "--width", "4", "--z-dim", "8", "--batch-size", "16", "--precision", "fp32"]
FLAGS += ["--log-every", "2", "--state-every", "0", "--snapshot-first", "500", "--device", "cpu"]


def train_flags(out: Path, images: int = IMAGES) -> list[str]:
    return ["train", "cdcgan", "--data", "digits", *FLAGS, "--images", str(images), "--out", str(out)]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANLIB_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("OMP_NUM_THREADS", "1")
        yield dict(os.environ)


@pytest.fixture(scope="module")
def undisturbed(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "undisturbed"
    assert main(train_flags(out)) == 0
    return out


def ganlib(environment: dict[str, str], *argv: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ganlib", *argv],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not ready():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "training did not get under way"
        time.sleep(0.01)


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "log.csv").open(newline="") as f:
        return list(csv.DictReader(f))


def logged(run: Path) -> int:
    return (run / "log.csv").read_text().count("\n") - 1 if (run / "log.csv").exists() else 0


def differences(a: Any, b: Any, at: str = "") -> list[str]:
    """Where two nested states differ in any bit."""
    if isinstance(a, torch.Tensor):
        return [] if a.dtype == b.dtype and torch.equal(a, b) else [at]
    if isinstance(a, dict):
        if a.keys() != b.keys():
            return [f"{at}: {sorted(map(str, a.keys() ^ b.keys()))}"]
        return [d for k in a for d in differences(a[k], b[k], f"{at}/{k}")]
    if isinstance(a, (list, tuple)):
        return [d for i, (x, y) in enumerate(zip(a, b, strict=True)) for d in differences(x, y, f"{at}/{i}")]
    return [] if a == b else [f"{at}: {a} is not {b}"]


def state(run: Path) -> dict[str, Any]:
    return torch.load(run / "state.pt", weights_only=True)


def assert_same_end(run: Path, undisturbed: Path) -> None:
    expected, found = state(undisturbed), state(run)
    assert expected.pop("seconds") > 0
    assert found.pop("seconds") > 0
    assert differences(expected, found) == []
    expected, weights = (load_file(r / "weights.safetensors") for r in (undisturbed, run))
    assert differences(expected, weights) == []
    assert Run(run).images_seen == IMAGES


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_bits(environment, undisturbed, tmp_path):
    run = tmp_path / "killed"
    process = ganlib(environment, *train_flags(run))
    wait_until(lambda: logged(run) >= 4 and (run / "state.pt").exists(), process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert 0 < state(run)["images"] < IMAGES
    Run(run).load()  # what a kill leaves behind is a whole run

    process = ganlib(environment, "train", "--resume", str(run), "--device", "cpu")
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert f"finished, {IMAGES:,} images" in out

    assert_same_end(run, undisturbed)
    timing = {"wall_time", "images/s"}
    expected, found = ([{k: v for k, v in r.items() if k not in timing} for r in rows(p)] for p in (undisturbed, run))
    assert found == expected
    kept = [{k for k in files_of(p) if k.startswith(("snapshots/", "samples/"))} for p in (undisturbed, run)]
    assert kept[0] == kept[1]
    for name in kept[0]:
        assert (run / name).read_bytes() == (undisturbed / name).read_bytes()


@pytest.mark.slow
def test_of_two_processes_that_resume_one_run_the_second_says_so(environment, undisturbed, tmp_path):
    run = tmp_path / "twice"
    shutil.copytree(undisturbed, run)
    command = ["train", "--resume", str(run), "--images", "10000000", "--device", "cpu"]
    first = ganlib(environment, *command)
    wait_until(lambda: logged(run) > IMAGES // 32 + 2, first)
    second = ganlib(environment, *command)
    _, err = second.communicate(timeout=120)
    assert second.returncode == 1
    assert err == f"ganlib: {run} is being trained by another process; stop that one first.\n"
    first.send_signal(signal.SIGTERM)
    _, err = first.communicate(timeout=120)
    assert first.returncode == 0, err
    steps = [int(row["step"]) for row in rows(run)]
    assert steps == sorted(set(steps))  # of one of them alone


@pytest.mark.slow
def test_of_two_processes_that_train_into_one_new_folder_one_wins_and_the_other_says_so(environment, tmp_path):
    run = tmp_path / "both"
    processes = [ganlib(environment, *train_flags(run), "--seed", seed) for seed in "12"]
    errors = [process.communicate(timeout=300)[1] for process in processes]
    assert sorted(process.returncode for process in processes) == [0, 1], errors
    winner, loser = sorted(range(2), key=lambda i: processes[i].returncode)
    assert errors[loser] in (
        f"ganlib: {run} is being trained by another process; stop that one first.\n",
        f"ganlib: {run} is a run already; --resume it or choose another --out.\n",  # it has begun just before
    )
    assert Run(run).training["seed"] == winner + 1  # the recipe is that of the weights
    steps = [int(row["step"]) for row in rows(run)]
    assert steps == sorted(set(steps))
    assert Run(run).images_seen == IMAGES


@pytest.mark.slow
def test_a_terminated_run_stops_cleanly_and_resumes_to_the_same_bits(environment, undisturbed, tmp_path):
    run = tmp_path / "stopped"
    process = ganlib(environment, *train_flags(run))
    wait_until(lambda: logged(run) >= 4, process)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "stopped; go on with --resume" in out
    seen = state(run)["images"]
    assert 0 < seen < IMAGES
    assert Run(run).images_seen == seen
    assert rows(run)[-1]["images"] == str(seen)

    assert main(["train", "--resume", str(run), "--device", "cpu"]) == 0
    assert_same_end(run, undisturbed)


def test_a_finished_run_goes_on_with_a_larger_budget(undisturbed, environment, tmp_path):
    run = tmp_path / "short"
    assert main(train_flags(run, images=IMAGES // 2)) == 0
    assert state(run)["images"] == IMAGES // 2
    assert main(["train", "--resume", str(run), "--images", str(IMAGES), "--device", "cpu"]) == 0
    assert_same_end(run, undisturbed)


@pytest.mark.parametrize(
    "flags",
    [
        ["--lr", "0.1"],
        ["--width", "8"],
        ["--image-size", "32"],
        ["--batch-size", "32"],
        ["--seed", "1"],
        ["--precision", "bf16"],
    ],
)
def test_a_resumed_run_keeps_its_recipe(flags, undisturbed, capsys):
    before = files_of(undisturbed)
    assert main(["train", "--resume", str(undisturbed), *flags]) == 1
    field = flags[0][2:].replace("-", "_")
    said = capsys.readouterr().err
    assert said == f"ganlib: A resumed run keeps its recipe, so {field} cannot change; use --like for a new run.\n"
    assert files_of(undisturbed) == before


def test_an_existing_run_is_not_overwritten(undisturbed, capsys):
    before = files_of(undisturbed)
    assert main(train_flags(undisturbed)) == 1
    assert "is a run already; --resume it or choose another --out." in capsys.readouterr().err
    assert files_of(undisturbed) == before


def test_a_recipe_is_repeated_bit_for_bit_and_flags_override_it(undisturbed, tmp_path):
    again, other = tmp_path / "again", tmp_path / "other"
    assert main(["train", "--like", str(undisturbed), "--images", "320", "--out", str(again), "--device", "cpu"]) == 0
    override = ["--images", "320", "--width", "5", "--out", str(other), "--device", "cpu"]
    assert main(["train", "--like", str(undisturbed), *override]) == 0
    recipes = [json.loads((r / "config.json").read_text()) for r in (undisturbed, again, other)]
    assert recipes[0]["config"] == recipes[1]["config"]
    assert recipes[2]["config"] == recipes[0]["config"] | {"width": 5}
    assert [r["training"]["images"] for r in recipes] == [IMAGES, 320, 320]
    timing = {"wall_time", "images/s"}
    first, second = (
        [{k: v for k, v in r.items() if k not in timing} for r in rows(p)[:10]] for p in (undisturbed, again)
    )
    assert second == first


def test_data_of_other_pixels_is_not_resumed_on(undisturbed, environment, tmp_path, capsys):
    run = tmp_path / "run"
    assert main(train_flags(run, images=32)) == 0
    config = run / "config.json"
    recipe = json.loads(config.read_text())
    recipe["data"]["train"]["fingerprint"] = "0" * 16
    config.write_text(json.dumps(recipe))
    before = files_of(run)
    assert main(["train", "--resume", str(run), "--images", "64"]) == 1
    assert "digits is not the data set run was trained on (its pixels differ)" in capsys.readouterr().err
    assert files_of(run) == before


def test_a_run_resumed_on_apples_gpu_has_the_noise_that_it_would_have_had(tmp_path, monkeypatch):
    trainer = make_trainer(tmp_path)
    restored: list[torch.Tensor] = []
    assert trainer.state_dict()["mps_rng"] is None
    trainer.device = torch.device("mps")  # whose generator stands in for it here
    noise = torch.arange(16, dtype=torch.uint8)
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: noise)
    monkeypatch.setattr(torch.mps, "set_rng_state", restored.append)
    state = trainer.state_dict()
    assert torch.equal(state["mps_rng"], noise)
    trainer.load_state_dict(state)
    assert len(restored) == 1
    assert torch.equal(restored[0], noise)
    del state["mps_rng"]  # as in states of before
    trainer.load_state_dict(state)
    assert len(restored) == 1
