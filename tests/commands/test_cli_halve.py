"""halve: float16 that draws the same."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from ganlib.__main__ import main
from ganlib.runs import Run
from helpers.command_line import run_command, run_refused_command
from helpers.gallery import CONDITIONAL, IMAGES, OTHER, RUNS, UNCONDITIONAL, direct
from helpers.tiny_models import files_of, write_run


def change(run: Run, how: Callable[[str, Tensor], Tensor]) -> None:
    run.store({k: how(k, v) for k, v in load_file(run.folder.weights).items()})


@pytest.mark.parametrize("name", RUNS)
def test_halve_stores_float16_that_draws_the_same(name, own_gallery, capsys):
    run = Run(own_gallery / name)
    before, size = files_of(own_gallery), run.folder.weights.stat().st_size
    tensors, metadata = load_file(run.folder.weights), run.metadata
    labels = [i % 10 for i in range(64)] if name != UNCONDITIONAL else None
    drawn = direct(own_gallery, name, range(64), labels).astype(int)
    text = run_command("halve", name, capsys=capsys)
    says = r"largest difference (\d) levels?, mean (\d\.\d\d), (\d\.\d) MB -> (\d\.\d) MB; evaluate it again\n"
    found = re.fullmatch(f"{re.escape(str(run.path))}: {says}", text)
    difference = np.abs(direct(own_gallery, name, range(64), labels) - drawn)
    assert found
    assert found[1] == str(difference.max())
    assert found[2] == f"{difference.mean():.2f}"
    assert run.folder.weights.stat().st_size < 0.6 * size
    half = load_file(run.folder.weights)
    assert {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}.keys() == half.keys()
    for k, v in half.items():
        assert v.dtype == (torch.float16 if tensors[k].is_floating_point() else torch.int64)
        assert torch.equal(v, tensors[k].to(v.dtype))
    assert Run(run.path).metadata == metadata
    after = files_of(own_gallery)
    assert {k for k in after if after[k] != before.get(k)} == {f"{name}/weights.safetensors"}
    assert run_command("halve", name, capsys=capsys) == f"{run.path}: halved already\n"
    assert files_of(own_gallery) == after


def test_a_halved_run_is_promoted_and_trained_on_as_before(own_gallery, capsys):
    path = own_gallery / CONDITIONAL
    run_command("halve", CONDITIONAL, capsys=capsys)
    assert "320 images" in run_command("promote", CONDITIONAL, "320", capsys=capsys)
    run_command("halve", CONDITIONAL, capsys=capsys)  # G is of float32 again
    run_command("train", "--resume", CONDITIONAL, "--images", IMAGES + 64, "--device", "cpu", capsys=capsys)
    assert {v.dtype for v in load_file(path / "weights.safetensors").values()} == {torch.float32, torch.int64}


def test_what_float16_cannot_hold_is_not_halved(own_gallery, capsys):
    run = Run(own_gallery / UNCONDITIONAL)
    change(run, lambda name, v: v + 1e5 if name == "D.net.0.bias" else v)
    before = files_of(own_gallery)
    error = run_refused_command("halve", UNCONDITIONAL, capsys=capsys)
    assert f"{UNCONDITIONAL} cannot be halved: D.net.0.bias holds values beyond those of float16" in error
    assert files_of(own_gallery) == before


def test_what_would_look_different_is_not_halved(own_gallery, capsys):
    run = Run(own_gallery / UNCONDITIONAL)
    # A shade of grey, made by large weights of numbers that float16 takes for 0.
    grey = {"G.net.4.weight": 0.0, "G.net.4.bias": 2.9e-8, "G.net.6.weight": 6e4}
    change(run, lambda name, v: torch.full_like(v, grey[name]) if name in grey else v)
    before = files_of(own_gallery)
    error = run_refused_command("halve", UNCONDITIONAL, capsys=capsys)
    assert re.search(r"would visibly change \(largest difference \d+ levels, mean \d+\.\d+; allowed are 8", error)
    assert "ship it as it is" in error
    assert files_of(own_gallery) == before


def test_one_run_that_cannot_be_halved_costs_no_other(own_gallery, capsys):
    change(Run(own_gallery / UNCONDITIONAL), lambda name, v: v * 1e9 if name == "G.net.0.weight" else v)
    assert main(["halve", UNCONDITIONAL, OTHER]) == 1
    out, err = capsys.readouterr()
    assert OTHER in out
    assert f"Not halved, for the reasons above: {UNCONDITIONAL}." in err


def test_halving_a_classifier_tells_what_else_to_measure_again(gallery, tmp_path, capsys):
    run = write_run(tmp_path / "judge", "classifier")
    (run.path / "references").mkdir()
    text = run_command("halve", run.path, capsys=capsys)
    assert re.search(r"judge: \d\.\d MB -> \d\.\d MB; evaluate it and what was measured with it again\n", text)


def test_an_image_to_image_run_is_halved_where_its_outputs_stay(tmp_path, capsys):
    run = write_run(tmp_path / "run", "srgan")
    assert re.search(r"largest difference \d levels?, mean \d\.\d\d", run_command("halve", run.path, capsys=capsys))
    coarse = write_run(tmp_path / "coarse", "pix2pix")
    change(coarse, lambda k, v: v * 300 if k.startswith("G.") and v.is_floating_point() else v)
    before = files_of(tmp_path)
    assert "visibly change" in run_refused_command("halve", coarse.path, capsys=capsys)
    assert files_of(tmp_path) == before
