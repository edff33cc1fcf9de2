"""Work that a kill, a full disk or another process must not cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.evaluate import evaluate
from ganlib.metrics.generation import Generation
from ganlib.partial import Partial
from ganlib.records import Record
from ganlib.runs import Run

CPU = torch.device("cpu")
SMALL = EvaluationConfig(n=120, blocks=3)


def test_a_killed_evaluation_goes_on_at_its_last_chunk(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, config = Run(root / "gan"), EvaluationConfig(n=120, blocks=3, batch=20)
    (complete, *_) = evaluate(run, config, CPU)

    class Killed(Exception):
        pass

    def stop(text: str, done: int, total: int) -> None:
        if text == "generated" and done == 60:
            raise Killed

    with pytest.raises(Killed):
        evaluate(run, config, CPU, progress=stop)
    (partial,) = run.path.glob(".features-*")
    content = partial.read_bytes()
    partial.write_bytes(content[:-10])  # the kill came in the middle of a row
    seen: list[int] = []
    (resumed, *_) = evaluate(run, config, CPU, progress=lambda text, done, total: seen.append(done))
    assert min(seen) > 59
    assert resumed.value == pytest.approx(complete.value, rel=1e-6)
    assert not list(run.path.glob(".features-*"))
    with pytest.raises(Killed):
        evaluate(run, config, CPU, progress=stop)
    (other, *_) = evaluate(run, config, CPU, options={"temperature": 0.5})  # other images: not gone on with
    assert other.value != pytest.approx(complete.value, rel=1e-5)


def test_images_that_one_evaluation_keeps_the_next_one_measures(root: Path) -> None:
    run, stages = Run(root / "gan"), []
    evaluate(run, EvaluationConfig(n=40, blocks=2, keep_images=True), CPU)
    assert list(run.path.glob(".images-*.u8"))
    again, *_ = evaluate(run, EvaluationConfig(n=60, blocks=2), CPU, progress=lambda *stage: stages.append(stage))
    assert min(done for text, done, _ in stages if text == "generated") > 40
    assert not list(run.path.glob(".images-*"))
    alone, *_ = evaluate(run, EvaluationConfig(n=60, blocks=2), CPU)
    assert again.value == alone.value


def test_what_was_made_is_kept_until_its_records_are_stored(root: Path) -> None:
    run = Run(root / "gan")

    def full(records: list[Record]) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        evaluate(run, SMALL, CPU, store=full)
    stages: list[str] = []
    evaluate(run, SMALL, CPU, progress=lambda text, done, total: stages.append(text))
    assert "generated" not in stages
    assert not list(run.path.glob(".features-*"))


def test_images_of_other_code_are_not_gone_on_with(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model: Any = Run(root / "gan").load(CPU)

    def path() -> Path:
        return Generation(Run(root / "gan"), model, "0" * 12, {}, 120, 64).partial("features").path

    before = path()
    monkeypatch.setattr("ganlib.provenance.commit", lambda: "of the same code, as where a record was committed")
    assert path() == before
    monkeypatch.setattr("ganlib.metrics.generation.source_hash", lambda: "another")
    assert path() != before


def test_a_run_that_cannot_be_written_to_is_measured_all_the_same(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, config = Run(root / "gan"), EvaluationConfig(n=120, blocks=3)
    (complete, *_) = evaluate(run, config, CPU)
    refused = []

    def refuse(path: Path, *args: Any) -> int:
        refused.append(path)
        raise PermissionError(path)

    monkeypatch.setattr("ganlib.partial.os.open", refuse)
    (again, *_) = evaluate(run, config, CPU)
    assert again.value == complete.value
    assert refused


def test_two_evaluations_at_once_do_not_mix_their_rows(tmp_path: Path) -> None:
    one, other = Partial(tmp_path, {"a": 1}), Partial(tmp_path, {"a": 1})
    rows = torch.arange(12.0).view(6, 2)
    for start in (0, 2, 4):
        for partial in (one, other):
            partial.write(rows[start : start + 2], start)
    assert torch.equal(one.rows(2), rows)
    one.remove()
    other.write(rows[4:], 4)  # the other one is done: nothing is begun in its middle
    assert not other.path.exists()
