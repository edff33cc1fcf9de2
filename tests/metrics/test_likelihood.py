"""Bits per dimension of test images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ganlib.__main__ import main
from ganlib.images import from_uint8
from ganlib.intervals import mean_interval
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.evaluate import evaluate
from ganlib.metrics.references import load_split
from ganlib.models import MODELS, KnowsLikelihood
from ganlib.runs import Run

CPU = torch.device("cpu")
SMALL = EvaluationConfig(n=120, blocks=3)


def test_the_models_with_a_likelihood_are_known() -> None:
    assert {name for name in MODELS if issubclass(MODELS[name], KnowsLikelihood)} == {"glow", "pixelcnn"}


def test_a_flow_gets_the_mean_over_the_test_images_beside_its_fid(root: Path, trained: Path) -> None:
    tiny = ["--scales", "2", "--steps", "1", "--hidden", "4", "--images", "320", "--batch-size", "32"]
    common = ["--data", f"folder:{trained / 'digits'}", "--image-size", "16", "--channels", "1"]
    assert main(["train", "glow", *common, *tiny, "--out", str(root / "flow")]) == 0
    run = Run(root / "flow")
    records = {record.metric: record for record in evaluate(run, SMALL, CPU)}
    assert {"fid", "bits_per_dim"} <= set(records)
    test = load_split(run, "test", None)
    with torch.inference_mode():
        bits = run.load(CPU).bits_per_dim(from_uint8(np.array(test.images)), torch.from_numpy(np.array(test.labels)))
    found = records["bits_per_dim"]
    assert found.value == pytest.approx(bits.mean().item(), rel=1e-4)
    assert found.interval.low < found.value < found.interval.high
    assert found.protocol.label == f"{len(test)} {run.data_name} test"
    assert "bits_per_dim" not in {record.metric for record in evaluate(run, SMALL, CPU, options={"temperature": 0.5})}


def test_the_interval_is_that_of_a_mean() -> None:
    interval = mean_interval([1.0, 2.0, 3.0, 4.0])
    assert interval is not None
    assert (interval.low + interval.high) / 2 == 2.5
    assert interval.half_width == pytest.approx(1.96 * (5 / 3) ** 0.5 / 2, rel=1e-3)
    assert mean_interval([1.0]) is None
