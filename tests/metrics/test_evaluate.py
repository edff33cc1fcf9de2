"""Evaluation from the command line: what is measured, refused, gone on with."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from ganlib.__main__ import main
from ganlib.errors import GanlibError
from ganlib.experiments import read_evaluations
from ganlib.metrics.config import METRICS, EvaluationConfig
from ganlib.metrics.evaluate import evaluate
from ganlib.metrics.measures import MEASURES, Value
from ganlib.metrics.partial import Partial
from ganlib.metrics.records import current, protocol_key, read_records
from ganlib.runs import Run, read_tensors

CPU = torch.device("cpu")
SMALL = EvaluationConfig(n=120, blocks=3)


def test_evaluates_from_the_command_line_without_the_data_set(
    root: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    command = ["evaluate", "gan", "--n", "120", "--blocks", "3", "--device", "cpu"]
    assert main(["evaluate", "judge", *command[1:]]) == 0
    shown = capsys.readouterr().out
    assert "judge  accuracy (60 test images)" in shown
    assert "judge  FID of test images (embedded, n=60 vs 180 train)" in shown
    assert "gan  FID (embedded, n=120 vs 180 train)" in shown
    assert "gan  class agreement (embedded, n=120)" in shown
    request.getfixturevalue("without_data")
    assert main([*command, "--option", "temperature=0.5"]) == 0
    assert main([*command, "--at", "320"]) == 0
    records = read_records(root / "gan" / "evaluation.json")
    assert [r["metric"] for r in records] == ["fid", "class_agreement"] * 3
    fid, agreement, other, _, snapshot, _ = records
    judge = Run(root / "judge")
    assert fid["protocol"] == {
        "n_real": 180,
        "n_fake": 120,
        "reference": {
            "data": judge.data_name,
            "split": "train",
            "fingerprint": judge.data["train"]["fingerprint"],
        },
        "extractor": "embedded",
        "extractor_name": "judge",
        "extractor_hash": judge.weights_hash,
        "resizer": "none",
        "options": {},
    }
    assert (fid["labels"], fid["seeds"], fid["options"]) == ("balanced", "0-119", {"temperature": 1.0})
    assert fid["interval"]["low"] < fid["value"] < fid["interval"]["high"]
    assert len(fid["blocks"]) == 3
    assert other["protocol"]["options"] == {"temperature": 0.5}
    assert protocol_key(other) != protocol_key(fid)
    assert (snapshot["snapshot"], snapshot["images_seen"]) == (320, 320)
    assert snapshot["value"] == pytest.approx(fid["value"], rel=1e-6)  # the last snapshot is the weights
    assert 0 <= agreement["interval"]["low"] <= agreement["value"] <= agreement["interval"]["high"] <= 1
    kept = current(records, Run(root / "gan").weights_hash)
    assert kept == records[:4]
    accuracy = read_records(root / "judge" / "evaluation.json")[0]
    assert accuracy["value"] > 0.6  # three classes, trained for a moment


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
        *(name for name in METRICS if name != "cas"),
    ]
    assert main(command) == 0
    shown = capsys.readouterr().out
    for line in (
        "gan  FID (embedded, n=240 vs 180 train)",
        "gan  FID∞ (embedded, n=240 vs 180 train)",
        "gan  KID (embedded, n=240 vs 180 train)",
        "gan  IS (embedded, n=240)",
        "gan  precision (embedded, n=240 vs 180 train)",
        "gan  recall (embedded, n=240 vs 180 train)",
        "gan  density (embedded, n=240 vs 180 train)",
        "gan  coverage (embedded, n=240 vs 180 train)",
        "gan  class agreement (embedded, n=240)",
        "gan  PPL in z (embedded, n=240)",
        "gan  FID of class-2 (embedded, n=80 vs 60 train)",
    ):
        assert line in shown
    records = read_records(root / "gan" / "evaluation.json")
    assert len({protocol_key(r) for r in records if r["metric"] == "class_fid"}) == 3
    assert all(r["interval"] for r in records)
    assert records[2]["protocol"]["subset"] == 120
    frame, broken = read_evaluations([root / "gan"])
    assert broken == []
    assert len(frame) == len(records) == 13


def test_all_snapshots_are_scored_and_the_best_is_known(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["evaluate", "gan", "--n", "120", "--blocks", "1", "--device", "cpu", "--metrics", "fid"]
    assert main([*command, "--at", "best"]) == 1
    assert "No snapshot of gan has an FID of n = 120 with the embedded extractor yet" in capsys.readouterr().err
    assert main([*command, "--at", "all"]) == 0
    records = read_records(root / "gan" / "evaluation.json")
    assert [r["snapshot"] for r in records] == [0, 320, None]
    assert "gan at 320 images  FID (embedded" in capsys.readouterr().out
    assert main([*command, "--at", "best"]) == 0
    best = min(records[:2], key=lambda r: r["value"])
    assert read_records(root / "gan" / "evaluation.json")[-1]["snapshot"] == best["snapshot"]
    assert main([*command, "--at", "first"]) == 1
    assert "--at takes all, best, final or the images of a snapshot, not 'first'." in capsys.readouterr().err


def test_an_unknown_metric_is_named() -> None:
    with pytest.raises(GanlibError, match="There is no metric 'fdi'; there are fid, fid_infinity, kid"):
        EvaluationConfig(metrics=("fdi",))
    assert set(METRICS) - {"ppl", "cas"} == set(MEASURES) - {"class_fid"}  # which --per-class asks for


def test_what_cannot_be_measured_is_said_before_an_image_is_made(root: Path) -> None:
    made: list[str] = []
    for name, config, reason in [
        ("gan", EvaluationConfig(metrics=("isc", "fid"), n=9, blocks=1), "9 images are too few"),
        ("gan", EvaluationConfig(metrics=("dc",), n=20, blocks=4), "5 images in a block are too few"),
        ("gan", EvaluationConfig(n=9, blocks=2, per_class=True), "3 of a class are too few"),
        ("info", EvaluationConfig(metrics=("class_agreement",)), "Of info there is no class_agreement"),
        ("gan", EvaluationConfig(metrics=()), "Of gan there is no number"),
    ]:
        with pytest.raises(GanlibError, match=reason):
            evaluate(Run(root / name), config, CPU, progress=lambda text, *counts: made.append(text))
    assert "generated" not in made
    assert not (root / "gan" / "evaluation.json").exists()


def test_no_number_is_not_one(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(root / "gan")
    monkeypatch.setitem(MEASURES._entries, "fid", lambda real, fake, blocks: [Value("fid", float("nan"), [], 1, 1)])
    with pytest.raises(GanlibError, match="fid of gan came out as nan; nothing was recorded"):
        evaluate(run, SMALL, CPU)
    run.store({k: v * float("nan") for k, v in read_tensors(run.folder.weights).items()})
    with pytest.raises(GanlibError, match="Some weights of gan are not finite"):
        evaluate(run, SMALL, CPU)


def test_a_killed_evaluation_goes_on_at_its_last_chunk(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, config = Run(root / "gan"), EvaluationConfig(n=120, blocks=3, batch=20)
    (whole, *_) = evaluate(run, config, CPU)

    class Killed(Exception):
        pass

    def stop(text: str, done: int, total: int) -> None:
        if text == "generated" and done == 60:
            raise Killed

    with pytest.raises(Killed):
        evaluate(run, config, CPU, progress=stop)
    (kept,) = run.path.glob(".features-*")
    content = kept.read_bytes()
    kept.write_bytes(content[:-10])  # the kill came in the middle of a row
    seen: list[int] = []
    (resumed, *_) = evaluate(run, config, CPU, progress=lambda text, done, total: seen.append(done))
    assert min(seen) > 59
    assert resumed["value"] == pytest.approx(whole["value"], rel=1e-6)
    assert not list(run.path.glob(".features-*"))
    with pytest.raises(Killed):
        evaluate(run, config, CPU, progress=stop)
    (other, *_) = evaluate(run, config, CPU, options={"temperature": 0.5})  # other images: not gone on with
    assert other["value"] != pytest.approx(whole["value"], rel=1e-3)


def test_a_run_that_cannot_be_written_to_is_measured_all_the_same(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, config = Run(root / "gan"), EvaluationConfig(n=120, blocks=3)
    (whole, *_) = evaluate(run, config, CPU)
    refused = []

    def refuse(path: Path, *args: Any) -> int:
        refused.append(path)
        raise PermissionError(path)

    monkeypatch.setattr("ganlib.metrics.partial.os.open", refuse)
    (again, *_) = evaluate(run, config, CPU)
    assert again["value"] == whole["value"]
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


def test_reference_of_other_weights_is_made_afresh_or_refused(root: Path, request: pytest.FixtureRequest) -> None:
    run = Run(root / "gan")
    first = evaluate(run, SMALL, CPU)[0]["value"]
    stored = next((root / "judge" / "references").iterdir())
    weights = (root / "judge" / "weights.safetensors").read_bytes()
    size = int.from_bytes(weights[:8], "little")
    padded = (size + 8).to_bytes(8, "little") + weights[8 : 8 + size] + b" " * 8 + weights[8 + size :]
    (root / "judge" / "weights.safetensors").write_bytes(padded)  # the same tensors in another file
    before = stored.read_bytes()
    assert evaluate(run, SMALL, CPU)[0]["value"] == pytest.approx(first, rel=1e-6)
    assert stored.read_bytes() != before
    for content, reason in [(before, "other weights"), (b"noise", "damaged"), (None, "no reference")]:
        stored.unlink(missing_ok=True)
        if content:
            stored.write_bytes(content)
        if reason == "other weights":
            request.getfixturevalue("without_data")
        with pytest.raises(GanlibError, match=f"{reason}.*--data-root: There is no folder"):
            evaluate(run, SMALL, CPU)


def test_too_few_images_are_warned_about_and_fewer_refused(root: Path) -> None:
    found = evaluate(Run(root / "gan"), EvaluationConfig(n=20, blocks=1), CPU)[0]
    assert "Only 20 generated images for 32 feature dimensions" in found["warning"]
    assert found["interval"] is None
    found = evaluate(Run(root / "gan"), EvaluationConfig(n=60, blocks=4), CPU)[0]
    assert "Only 15 images in each block" in found["warning"]
    with pytest.raises(GanlibError, match="need n ≥ 8"):
        EvaluationConfig(n=7, blocks=4)


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
