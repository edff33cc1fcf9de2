"""Sampling and evaluation dealt over processes: the same bytes and numbers, killed or not."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.numpy import load_file

from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.evaluate import evaluate
from ganlib.partial import first_rows
from ganlib.records import Record
from ganlib.runs import Run
from helpers.processes import SECONDS, in_processes, run_command_in, start_command

CPU = torch.device("cpu")


def test_parts_begin_at_whole_chunks():
    assert first_rows(100, 16, 1) == [0, 100]
    assert first_rows(100, 16, 2) == [0, 48, 100]
    assert first_rows(100, 16, 4) == [0, 16, 48, 80, 100]
    assert first_rows(10, 16, 2) == [0, 0, 10]


def undated(records: list[Record]) -> list[Record]:
    return [replace(record, date="") for record in records]


def references_of(root: Path) -> dict[Path, dict[str, bytes]]:
    """Statistics of real images, which are computed where they are absent."""
    files = {path: load_file(path) for path in root.glob("*/references/*")}
    return {path: {name: array.tobytes() for name, array in arrays.items()} for path, arrays in files.items()}


@pytest.mark.slow
def test_the_records_are_those_of_one_process(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganlib.metrics.cas.IMAGES", 300)
    run = Run(root / "gan")
    metrics = ("fid", "kid", "class_agreement", "ppl", "cas")
    config = EvaluationConfig(metrics=metrics, n=330, blocks=3, batch=32, per_class=True)
    alone = undated(evaluate(run, config, CPU))
    assert {record.metric for record in alone} >= set(metrics)
    references = references_of(root)
    for size in (2, 4):
        for path in references:
            path.unlink()
        stored: list[Any] = in_processes(size, lambda world: undated(evaluate(run, config, CPU, world=world)))
        assert stored == [alone, *[[]] * (size - 1)]
        assert references_of(root) == references
    assert not [path for path in run.path.glob(".*") if path.suffix in (".f32", ".u8")]


def test_a_failure_of_one_process_ends_all(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (root / "gan" / "evaluation.json").write_text("[")
    assert run_command_in(2, "evaluate", str(root / "gan"), "--n", "120", "--blocks", "2", "--device", "cpu") == [1, 1]
    error = capfd.readouterr().err
    assert error.count("ganlib: ") == 1
    assert "evaluation.json" in error


@pytest.mark.slow
def test_killed_evaluations_and_samplings_are_gone_on_with(root: Path, tmp_path: Path) -> None:
    gan, alone = str(root / "gan"), tmp_path / "alone.png"
    sample = ["sample", gan, "--seeds", "0-1999", "--device", "cpu", "--out"]
    assert run_command_in(1, *sample, str(alone)) == [0]
    for size in (2, 4):
        out = tmp_path / f"{size}" / "grid.png"
        kill_when(start_command(size, *sample, str(out)), size - 1, out.parent, ".images-*")
        assert not out.exists()
        assert run_command_in(size, *sample, str(out)) == [0] * size
        assert out.read_bytes() == alone.read_bytes()
        assert [path.name for path in out.parent.iterdir()] == ["grid.png"]

    evaluation = ["evaluate", gan, "--n", "4000", "--metrics", "fid", "--device", "cpu"]
    assert run_command_in(1, *evaluation) == [0]
    kill_when(start_command(2, *evaluation), 1, root / "gan", ".features-*")
    assert list((root / "gan").glob(".features-*"))
    assert run_command_in(2, *evaluation) == [0, 0]
    alone_record, record = json.loads((root / "gan" / "evaluation.json").read_text())["records"]
    assert record | {"date": ""} == alone_record | {"date": ""}
    assert not list((root / "gan").glob(".features-*"))


def kill_when(processes: list[Any], rank: int, folder: Path, pattern: str) -> None:
    """Kills one once it has stored something; the others end by themselves."""
    deadline = time.monotonic() + SECONDS
    while len([path for path in folder.glob(pattern) if path.stat().st_size]) < len(processes):
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.kill(processes[rank].pid, signal.SIGKILL)
    for process in processes:
        process.join(SECONDS)
        assert process.exitcode != 0
