"""Classification accuracy score: a classifier of generated images, tested on real ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ganlib.__main__ import main
from ganlib.data import DataSet, load_data
from ganlib.errors import GanlibError
from ganlib.intervals import wilson_interval
from ganlib.metrics.accuracy import count_hits
from ganlib.metrics.cas import train
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.evaluate import evaluate
from ganlib.records import read_evaluations, read_records
from ganlib.runs import Run
from ganlib.sampling import sample
from ganlib.training import TrainingConfig

CPU = torch.device("cpu")
CAS = EvaluationConfig(metrics=("cas",), n=60)


@pytest.fixture
def _brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganlib.metrics.cas.IMAGES", 600)
    monkeypatch.setattr("ganlib.metrics.cas.WIDTH", 4)


def accuracy(data: DataSet, labels: np.ndarray) -> float:
    """On the test images after training on the training images under these labels."""
    relabelled = replace(data, train=replace(data.train, labels=labels))
    config = TrainingConfig(images=4_000, batch_size=50, precision="fp32")
    model = train(relabelled, config, CPU, lambda *_: None)
    return count_hits(model.classify, [np.array(data.test.images)], data.test.labels, CPU, print) / len(data.test)


@pytest.mark.slow
def test_a_classifier_learns_what_the_images_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganlib.metrics.cas.WIDTH", 8)
    digits = load_data("digits")
    state = torch.get_rng_state()
    right = accuracy(digits, digits.train.labels)
    assert right > 0.9
    assert right == accuracy(digits, digits.train.labels)
    assert torch.equal(torch.get_rng_state(), state)
    chance = accuracy(digits, np.random.default_rng(0).permutation(digits.train.labels))
    assert chance < 0.4


@pytest.mark.usefixtures("_brief")
def test_the_record_says_what_was_trained_and_tested(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "gan", "--metrics", "cas", "--n", "60", "--device", "cpu"]) == 0
    (record,) = read_records(root / "gan" / "evaluation.json")
    n = round(record.value * 60)
    assert (record.value, record.interval, record.blocks) == (n / 60, wilson_interval(n, 60), ())
    run = Run(root / "gan")
    assert record.protocol.to_dict() == {
        "n_real": 60,
        "n_fake": 60,
        "reference": {"data": run.data_name, "split": "test", "fingerprint": run.fingerprint("test")},
        "extractor": None,
        "extractor_name": None,
        "extractor_hash": None,
        "resizer": "none",
        "options": {},
        "trained": {"model": "classifier", "width": 4, "images": 600, "batch_size": 128, "seed": 0},
    }
    assert (record.labels, record.seeds, record.snapshot) == ("balanced", "0-59", None)
    assert "gan  CAS (n=60, 60 test images)" in capsys.readouterr().out
    frame, broken = read_evaluations({run.path: run.name})
    assert (frame.metric.tolist(), broken) == (["cas"], [])
    (again,) = evaluate(run, CAS, CPU)
    assert again.value == record.value


@pytest.mark.usefixtures("_brief")
def test_images_are_made_once_for_all_metrics_and_kept_over_a_kill(root: Path) -> None:
    run = Run(root / "gan")
    config = EvaluationConfig(metrics=("fid", "cas"), n=60, blocks=3, batch=20)
    progress: list[tuple[str, int]] = []

    def watch(text: str, done: int, total: int) -> None:
        progress.append((text, done))
        if len(progress) == 2 and text == "generated":
            raise InterruptedError

    alone = evaluate(run, replace(config, metrics=("fid",)), CPU)
    with pytest.raises(InterruptedError):
        evaluate(run, config, CPU, progress=watch)
    (partial,) = run.path.glob(".images-*.u8")
    expected = sample(run.load(), range(40), [i % 3 for i in range(40)])  # type: ignore[arg-type]
    assert partial.read_bytes() == expected.tobytes()
    both = evaluate(run, config, CPU, progress=watch)
    assert [done for text, done in progress if text == "generated"] == [20, 40, 60]
    assert [r.metric for r in both] == ["fid", "cas"]
    assert both[0].value == pytest.approx(alone[0].value, rel=1e-6)
    assert not [*run.path.glob(".images-*"), *run.path.glob(".features-*")]


@pytest.mark.usefixtures("_brief")
def test_it_needs_no_extractor_but_the_test_images(root: Path, request: pytest.FixtureRequest) -> None:
    (root / "judge" / "config.json").unlink()
    assert [r.metric for r in evaluate(Run(root / "gan"), CAS, CPU)] == ["cas"]
    request.getfixturevalue("without_data")
    stages: list[str] = []
    with pytest.raises(GanlibError, match="There is no folder"):
        evaluate(Run(root / "gan"), CAS, CPU, progress=lambda text, done, total: stages.append(text))
    assert stages == []


def test_what_cannot_teach_is_refused_before_an_image_is_made(root: Path) -> None:
    stages: list[str] = []
    for name, config, reason in [
        ("info", CAS, "info is not conditional"),
        ("gan", EvaluationConfig(metrics=("fid", "cas"), n=2, blocks=1), "3 classes cannot learn from 2 images"),
    ]:
        with pytest.raises(GanlibError, match=reason):
            evaluate(Run(root / name), config, CPU, progress=lambda text, done, total: stages.append(text))
    assert stages == []
