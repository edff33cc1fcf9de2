"""Straightness of a flow's paths, as a record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.straightness import SEEDS, STEPS, straightness_record
from ganlib.models import MODELS, MeasuresStraightness
from helpers.tiny_models import write_run


def test_flow_matching_alone_measures_it() -> None:
    assert {name for name in MODELS if issubclass(MODELS[name], MeasuresStraightness)} == {"flow_matching"}


def test_the_record_is_the_mean_over_seeds_and_classes(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", "flow_matching")
    model: Any = run.load(torch.device("cpu"))
    found = straightness_record(run, model, EvaluationConfig(), lambda text, done, total: None)
    values = model.straightness(model.latents(range(SEEDS)), torch.arange(SEEDS) % 3, steps=STEPS)
    assert found.value == pytest.approx(values.mean().item(), rel=1e-4)
    assert found.interval is not None
    assert found.interval.low < found.value < found.interval.high
    assert (found.protocol.n_fake, found.protocol.extra) == (SEEDS, {"steps": STEPS})
