"""Minutes of one thread of a CPU, whatever trained a run."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import Any

import pytest

from ganlib.records import read_evaluations
from ganlib.runs import Run
from ganlib.ui.training_cost import one_thread_minutes, one_thread_rates
from helpers.gallery import edit_recipe, score
from helpers.tiny_models import write_run


def edited(path: Path, **fields) -> Run:
    edit_recipe(path, **fields)
    return Run(path)


def test_a_gpus_training_costs_what_its_images_take_a_thread(tmp_path):
    run = edited(write_run(tmp_path / "a", "cdcgan").path, hardware="NVIDIA H200")
    assert run.trained_by_gpu
    assert isnan(one_thread_minutes(run, 600, {}, {}))
    assert one_thread_minutes(run, 600, {"a": 5.0}, {}) == 2.0


@pytest.mark.parametrize("hardware", ["", "Intel(R) Xeon(R), 1 thread"])
def test_a_threads_own_clock_counts(tmp_path, hardware):
    run = edited(write_run(tmp_path / "a", "cdcgan").path, hardware=hardware)
    assert not run.trained_by_gpu
    own = run.training_seconds / 60
    assert one_thread_minutes(run, run.images_seen, {"a": 1e-9}, {}) == pytest.approx(own)


def test_a_start_costs_what_it_did(tmp_path):
    first = edited(write_run(tmp_path / "first", "cdcgan").path, hardware="NVIDIA H200")
    start = {"run": "first", "weights": first.weights_hash, "images": first.images_seen, "seconds": 120.0}
    run = edited(write_run(tmp_path / "second", "cdcgan").path, hardware="NVIDIA H200", start=start)
    rates = {"first": 2.0, "second": 4.0}
    own, before = 240 / 4 / 60, first.images_seen / 2 / 60
    assert one_thread_minutes(run, 240, rates, {"first": first}) == pytest.approx(own + before)
    assert one_thread_minutes(run, 240, rates, {}) == pytest.approx(own + 2)  # its start is gone


def test_rates_are_those_of_one_thread(tmp_path):
    run = write_run(tmp_path / "a", "cdcgan")
    score(run.path, 1.0)
    assert one_thread_rates(read_evaluations({run.path: "a"})[0]) == {}
    for machine, rate in [("Intel, 1 thread", 3.0), ("NVIDIA H200", 900.0), ("Intel, 2 threads", 5.0)]:
        protocol: dict[str, Any] = {
            "n_real": 0,
            "n_fake": 0,
            "reference": None,
            "extractor": None,
            "options": {},
            "machine": machine,
        }
        score(run.path, rate, metric="training_rate", protocol=protocol)
    records, broken = read_evaluations({run.path: "a"})
    assert not broken
    assert one_thread_rates(records) == {"a": 3.0}
