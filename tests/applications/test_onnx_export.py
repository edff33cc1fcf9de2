"""Generators as ONNX files: what ONNX Runtime draws is what torch draws."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ganlib.__main__ import main
from ganlib.applications.onnx_export import export_onnx
from ganlib.errors import GanlibError
from ganlib.images import to_uint8
from ganlib.sampling import sample
from helpers.tiny_models import write_run

pytestmark = pytest.mark.slow
onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


@pytest.mark.parametrize(
    ("name", "options"), [("cdcgan", {}), ("wgan_gp", {}), ("sagan", {}), ("stylegan2_ada", {"noise": "held"})]
)
def test_any_number_of_images_is_that_of_torch(name, options, tmp_path):
    run = write_run(tmp_path / "run", name)
    result = export_onnx(run, tmp_path / "model.onnx", options)
    assert result.largest <= 1
    model: Any = run.load()
    seeds = range(100, 107)
    labels = [i % 3 for i in range(7)] if model.conditional else None
    session = onnxruntime.InferenceSession(result.path.read_bytes(), providers=["CPUExecutionProvider"])
    inputs = {"z": model.latents(seeds).z.numpy()}
    if labels is not None:
        inputs["class_weights"] = np.eye(3, dtype=np.float32)[labels]
    images = to_uint8(torch.from_numpy(session.run(["images"], inputs)[0]))
    assert np.abs(images.astype(int) - sample(model, seeds, labels, **options)).max() <= 1


def test_the_file_says_what_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run = write_run(tmp_path / "run", "cdcgan")
    assert main(["export", str(run.path), "--format", "onnx", "--option", "temperature=0.5"]) == 0
    assert "run.onnx: z, class_weights to images, opset 18; on 16 seeds at most" in capsys.readouterr().out
    about = {entry.key: entry.value for entry in onnx.load("run.onnx").metadata_props}
    assert about["weights_sha256_12"] == run.weights_hash
    assert json.loads(about["options"]) == {"temperature": 0.5}
    assert json.loads(about["classes"]) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ddpm", "draws in .* steps; an ONNX file holds one forward pass"),
        ("classifier", "generates nothing from seeds"),
        ("stylegan2_ada", "noise of the seed besides z, choose an --option that holds it"),
    ],
)
def test_what_is_no_function_of_the_inputs_is_refused_and_nothing_is_written(name, reason, tmp_path):
    run = write_run(tmp_path / "run", name)
    with pytest.raises(GanlibError, match=reason):
        export_onnx(run, tmp_path / "out" / "model.onnx")
    assert not Path(tmp_path / "out").exists()
