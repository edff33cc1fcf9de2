"""Training in processes that torchrun starts: killed, resumed, refused, and the same as in one process."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ganlib.__main__ import main
from helpers.processes import SECONDS, torchrun

pytestmark = pytest.mark.slow
IMAGES = 640
FLAGS = ["--image-size", "16", "--width", "4", "--z-dim", "8", "--batch-size", "16", "--precision", "fp32"]
FLAGS += ["--log-every", "2", "--state-every", "0", "--snapshot-first", "5000", "--device", "cpu"]


def flags(out: Path, images: int = IMAGES) -> list[str]:
    return ["train", "wgan_gp", "--data", "digits", *FLAGS, "--images", str(images), "--out", str(out)]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return os.environ | {"GANLIB_CACHE": str(tmp_path_factory.mktemp("cache")), "OMP_NUM_THREADS": "1"}


def run(size: int, *argv: str, environment: dict[str, str]) -> tuple[int, str, str]:
    process = torchrun(size, *argv, environment=environment)
    output, error = process.communicate(timeout=SECONDS)
    return process.returncode, output, error


def sentences(error: str) -> list[str]:
    return [line for line in error.splitlines() if line.startswith("ganlib: ")]


@pytest.fixture(scope="module")
def undisturbed(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "undisturbed"
    code, output, error = run(2, *flags(out), environment=environment)
    assert (code, output) == (0, f"{out}: finished, {IMAGES} images in 0.0 minutes\n"), error
    return out


def world_of(run: Path) -> list[tuple[int, int, int]]:
    parts = json.loads((run / "config.json").read_text()).get("world", [])
    return [(part["images"], part["world_size"], part["microbatches"]) for part in parts]


def test_one_process_with_micro_batches_trains_the_same(undisturbed, environment, tmp_path, monkeypatch):
    monkeypatch.setenv("GANLIB_CACHE", environment["GANLIB_CACHE"])
    out = tmp_path / "alone"
    assert main([*flags(out), "--microbatches", "2"]) == 0
    weights, shared = (load_file(path / "weights.safetensors") for path in (out, undisturbed))
    torch.testing.assert_close(weights, shared, rtol=1e-4, atol=1e-5)
    assert world_of(undisturbed) == [(0, 2, 1)]
    assert world_of(out) == [(0, 1, 2)]


def test_a_killed_process_ends_all_and_the_resumed_run_is_the_undisturbed(undisturbed, environment, tmp_path):
    out = tmp_path / "killed"
    process = torchrun(2, *flags(out), environment=environment)
    deadline = time.monotonic() + SECONDS
    while not (out / "log.csv").exists() or (out / "log.csv").read_text().count("\n") < 4:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(rank_process(process.pid, 1), signal.SIGKILL)
    _, error = process.communicate(timeout=SECONDS)
    assert process.returncode != 0
    (sentence,) = sentences(error)
    assert "Rank 0 of 2 has lost the connection to another process" in sentence
    assert sentence.endswith(f"go on from the last saved state with --resume {out}.")
    code, _, error = run(2, "train", "--resume", str(out), "--device", "cpu", environment=environment)
    assert code == 0, error
    resumed, expected = (load_file(path / "weights.safetensors") for path in (out, undisturbed))
    torch.testing.assert_close(resumed, expected, rtol=0, atol=0)
    assert world_of(out) == [(0, 2, 1)]


def rank_process(launcher: int, rank: int) -> int:
    for task in Path(f"/proc/{launcher}/task").iterdir():
        for child in (task / "children").read_text().split():
            variables = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
            if f"RANK={rank}".encode() in variables:
                return int(child)
    raise AssertionError("no such process")


def test_a_run_goes_on_in_another_number_of_processes_and_its_recipe_says_so(environment, tmp_path, monkeypatch):
    monkeypatch.setenv("GANLIB_CACHE", environment["GANLIB_CACHE"])
    out = tmp_path / "run"
    assert main(flags(out, 64)) == 0
    assert world_of(out) == []
    resume = ["train", "--resume", str(out), "--device", "cpu", "--images"]
    code, _, error = run(2, *resume, "128", environment=environment)
    assert code == 0, error
    assert world_of(out) == [(0, 1, 1), (64, 2, 1)]
    assert main([*resume, "192", "--microbatches", "2"]) == 0
    assert world_of(out) == [(0, 1, 1), (64, 2, 1), (128, 1, 2)]


def test_what_all_processes_refuse_is_said_once_and_nothing_is_written(environment, tmp_path):
    code, output, error = run(3, *flags(tmp_path / "out"), environment=environment)
    assert code != 0
    assert output == ""
    (sentence,) = sentences(error)
    assert "A batch of 16 images does not divide into 3 equal shares" in sentence
    assert list(tmp_path.iterdir()) == []
