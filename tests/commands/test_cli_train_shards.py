"""train --data shards:PATH: resumed, in two processes, from our own export, with damaged pictures and shards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from ganlib.__main__ import main
from helpers.command_line import run_command, run_refused_command
from helpers.gallery import CONDITIONAL
from helpers.image_files import picture
from helpers.processes import run_command_in
from helpers.shard_files import write_tars

FLAGS = ["--width", "4", "--z-dim", "8", "--batch-size", "16", "--precision", "fp32", "--device", "cpu"]


@pytest.fixture
def shards(gallery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANLIB_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GANLIB_CACHE", str(tmp_path / "cache"))
    return write_tars(tmp_path / "data" / "animals")


def train(out: Path, images: int, *more: str, model: str = "wgan_gp") -> list[str]:
    return ["train", model, "--data", "shards:animals", *FLAGS, "--images", str(images), "--out", str(out), *more]


def data_of(run: Path) -> dict[str, Any]:
    return json.loads((run / "config.json").read_text())["data"]


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "weights.safetensors")


def test_a_resumed_training_is_the_whole_one(shards, tmp_path, capsys):
    run_command(*train(tmp_path / "whole", 160), capsys=capsys)
    run_command(*train(tmp_path / "part", 64), capsys=capsys)
    run_command("train", "--resume", tmp_path / "part", "--images", "160", "--device", "cpu", capsys=capsys)
    assert all(torch.equal(t, weights(tmp_path / "part")[name]) for name, t in weights(tmp_path / "whole").items())
    assert data_of(tmp_path / "whole")["name"] == "shards:animals"
    assert "skipped" not in data_of(tmp_path / "whole")


@pytest.mark.slow
def test_two_processes_train_the_same(shards, tmp_path, capsys):
    run_command(*train(tmp_path / "alone", 96, "--microbatches", "2"), capsys=capsys)
    assert run_command_in(2, *train(tmp_path / "two", 96)) == [0, 0]
    torch.testing.assert_close(weights(tmp_path / "two"), weights(tmp_path / "alone"), rtol=1e-4, atol=1e-5)


def test_an_export_of_shards_is_trained_on(shards, tmp_path, capsys):
    export = ["export", CONDITIONAL, "--images", "8", "--format", "webdataset", "--shard", "30", "--device", "cpu"]
    run_command(*export, "--out", tmp_path / "data" / "generated", capsys=capsys)
    out = tmp_path / "run"
    run_command("train", "cdcgan", "--data", "shards:generated", *FLAGS, "--images", "32", "--out", out, capsys=capsys)
    assert data_of(out)["classes"] == list("0123456789")
    assert (data_of(out)["train"]["n"], data_of(out)["test"]["n"]) == (60, 20)


def test_what_is_damaged_is_said_and_stands_in_the_recipe(shards, tmp_path, capsys):
    broken, path, content = shards / "train-000001.tar", shards / "train-000000.tar", picture(9, (16, 16))
    broken.write_bytes(broken.read_bytes()[:5000])
    path.write_bytes(path.read_bytes().replace(content, bytes(len(content))))
    output = run_command(*train(tmp_path / "run", 160), capsys=capsys)
    assert "1 unreadable files were skipped:\n  train-000001.tar: unexpected end of data\n" in output
    picture_line = "train-000000.tar/00009.png: not an image"
    assert f"Damaged pictures, left out for others of their classes: 1\n  {picture_line}\n" in output
    skipped = [data_of(tmp_path / "run")[key] for key in ("skipped", "skipped_count")]
    assert skipped == [["train-000001.tar: unexpected end of data", picture_line], 2]
    assert main(["train", "--resume", str(tmp_path / "run"), "--images", "192", "--device", "cpu"]) == 0
    assert data_of(tmp_path / "run")["skipped_count"] == 2


def test_a_run_goes_on_with_its_own_shards_alone(shards, tmp_path, capsys):
    run_command(*train(tmp_path / "run", 32), capsys=capsys)
    (shards / "train-000003.tar").unlink()
    error = run_refused_command("train", "--resume", tmp_path / "run", "--images", "64", capsys=capsys)
    assert "shards:animals is not the data set run was trained on" in error
