"""Evaluation from the command line."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ganlib.__main__ import main
from ganlib.errors import GanlibError
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.evaluate import evaluate
from ganlib.metrics.extractors import EXTRACTORS
from ganlib.metrics.measures import MEASURES
from ganlib.records import GROUPS, read_evaluations, read_records
from ganlib.runs import Run, read_tensors

CPU = torch.device("cpu")
SMALL = EvaluationConfig(n=120, blocks=3)


def test_evaluates_from_the_command_line_without_the_data_set(
    root: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    command = ["evaluate", "gan", "--n", "120", "--blocks", "3", "--device", "cpu"]
    assert main(["evaluate", "judge", *command[1:]]) == 0
    shown = capsys.readouterr().out
    assert "judge  Accuracy (60 test images)" in shown
    assert "judge  FID of test images (embedded, n=60 vs 180 train)" in shown
    assert "gan  FID (embedded, n=120 vs 180 train)" in shown
    assert "gan  Class agreement (embedded, n=120)" in shown
    request.getfixturevalue("without_data")
    assert main([*command, "--option", "temperature=0.5"]) == 0
    assert main([*command, "--at", "320"]) == 0
    records = read_records(root / "gan" / "evaluation.json")
    assert [r.metric for r in records] == ["fid", "class_agreement"] * 3
    fid, agreement, other, _, snapshot, _ = records
    judge = Run(root / "judge")
    assert fid.protocol.to_dict() == {
        "n_real": 180,
        "n_fake": 120,
        "reference": {
            "data": judge.data_name,
            "split": "train",
            "fingerprint": judge.fingerprint("train"),
        },
        "extractor": "embedded",
        "extractor_name": "judge",
        "extractor_hash": judge.weights_hash,
        "resizer": "none",
        "options": {},
    }
    assert (fid.labels, fid.seeds, fid.options) == ("balanced", "0-119", {"temperature": 1.0})
    assert fid.interval.low < fid.value < fid.interval.high
    assert len(fid.blocks) == 3
    assert other.protocol.options == {"temperature": 0.5}
    assert other.protocol.key != fid.protocol.key
    assert (snapshot.snapshot, snapshot.images_seen) == (320, 320)
    assert snapshot.value == pytest.approx(fid.value, rel=1e-6)  # the last snapshot is the weights
    assert 0 <= agreement.interval.low <= agreement.value <= agreement.interval.high <= 1
    accuracy = read_records(root / "judge" / "evaluation.json")[0]
    assert accuracy.value > 0.6  # three classes, trained for a moment


def test_every_metric_from_the_command_line(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [
        "evaluate",
        "gan",
        "--n",
        "240",
        "--blocks",
        "2",
        "--device",
        "cpu",
        "--per-class",
        "--metrics",
        *(name for name in GROUPS if name != "cas"),
    ]
    assert main(command) == 0
    shown = capsys.readouterr().out
    for line in (
        "gan  FID (embedded, n=240 vs 180 train)",
        "gan  FID∞ (embedded, n=240 vs 180 train)",
        "gan  KID (embedded, n=240 vs 180 train)",
        "gan  IS (embedded, n=240)",
        "gan  Precision (embedded, n=240 vs 180 train)",
        "gan  Recall (embedded, n=240 vs 180 train)",
        "gan  Density (embedded, n=240 vs 180 train)",
        "gan  Coverage (embedded, n=240 vs 180 train)",
        "gan  Class agreement (embedded, n=240)",
        "gan  PPL in z (embedded, n=240)",
        "gan  FID of class-2 (embedded, n=80 vs 60 train)",
    ):
        assert line in shown
    records = read_records(root / "gan" / "evaluation.json")
    assert len({r.protocol.key for r in records if r.metric == "class_fid"}) == 3
    assert all(r.interval for r in records)
    assert records[2].protocol.extra["subset"] == 120
    frame, broken = read_evaluations({root / "gan": "gan"})
    assert broken == []
    assert len(frame) == len(records) == 13


def test_all_snapshots_are_scored_and_the_best_is_known(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["evaluate", "gan", "--n", "120", "--blocks", "1", "--device", "cpu", "--metrics", "fid"]
    assert main([*command, "--at", "best"]) == 1
    assert "No snapshot of gan has an FID of n = 120 with the embedded extractor yet" in capsys.readouterr().err
    assert main([*command, "--at", "all"]) == 0
    records = read_records(root / "gan" / "evaluation.json")
    assert [r.snapshot for r in records] == [0, 320, None]
    assert "gan at 320 images  FID (embedded" in capsys.readouterr().out
    assert main([*command, "--at", "best"]) == 0
    best = min(records[:2], key=lambda r: r.value)
    assert read_records(root / "gan" / "evaluation.json")[-1].snapshot == best.snapshot
    assert main([*command, "--at", "first"]) == 1
    assert "--at takes all, best, final or the images of a snapshot, not 'first'." in capsys.readouterr().err


def test_an_unknown_metric_is_named() -> None:
    with pytest.raises(GanlibError, match="There is no metric 'fdi'; there are fid, fid_infinity, kid"):
        EvaluationConfig(metrics=("fdi",))
    assert set(GROUPS) - {"ppl", "cas"} == set(MEASURES) - {"class_fid"}  # which --per-class asks for


def test_a_classifier_measures_real_images_itself_or_by_the_extractor_asked_for(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(root / "judge", root / "a-judge")  # the first in the order of names
    other = Run(root / "a-judge")
    other.store({k: v * 0.5 if v.is_floating_point() else v for k, v in read_tensors(other.folder.weights).items()})
    floor = next(r for r in evaluate(Run(root / "judge"), SMALL, CPU) if r.metric == "fid_floor")
    assert floor.protocol.extractor_name == "judge"
    assert floor.protocol.extractor_hash == floor.weights_hash
    stand_in = lambda run, device, weights: replace(EXTRACTORS["embedded"](run, device, None), name=str(weights))  # noqa: E731
    monkeypatch.setitem(EXTRACTORS._entries, "clip", stand_in)
    config = EvaluationConfig(n=120, blocks=3, extractor="clip", extractor_weights="a file")
    floor = next(r for r in evaluate(Run(root / "judge"), config, CPU) if r.metric == "fid_floor")
    assert floor.protocol.extractor == "a file"


def test_a_warning_that_many_records_share_is_said_once(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["evaluate", "gan", "--n", "120", "--blocks", "2", "--per-class", "--metrics", "fid", "--device", "cpu"]
    assert main(command) == 0
    shown = capsys.readouterr()
    assert shown.out.count("FID of class-") == 3
    assert shown.err.count("images in each block of the class") == 1


def test_a_bad_run_or_option_costs_no_other_run(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(root / "gan", root / "torn")
    (root / "torn" / "weights.safetensors").write_bytes(b"noise")
    assert main(["evaluate", "torn", "gan", "--n", "120", "--device", "cpu"]) == 1
    shown = capsys.readouterr()
    assert "damaged" in shown.err
    assert "Not evaluated, for the reasons above: torn." in shown.err
    assert "gan  FID" in shown.out
    assert not (root / "torn" / "evaluation.json").exists()
    assert main(["evaluate", "gan", "--option", "speed=2"]) == 1
    assert "no option 'speed'" in capsys.readouterr().err
    assert main(["evaluate", "judge", "--option", "temperature=0.5"]) == 1
    assert "generates nothing" in capsys.readouterr().err
