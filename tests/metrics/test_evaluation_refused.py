"""What has no number, and numbers that are doubtful."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import save

from ganlib.__main__ import main
from ganlib.errors import GanlibError
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.evaluate import evaluate
from ganlib.metrics.measures import MEASURES, Value
from ganlib.records import read_records
from ganlib.runs import Run, read_tensors
from helpers.image_files import PETS, tree, write

CPU = torch.device("cpu")
SMALL = EvaluationConfig(n=120, blocks=3)


def test_what_cannot_be_measured_is_said_before_an_image_is_made(root: Path) -> None:
    stages: list[str] = []
    for name, config, reason in [
        ("gan", EvaluationConfig(metrics=("isc", "fid"), n=9, blocks=1), "9 images are too few"),
        ("gan", EvaluationConfig(metrics=("dc",), n=20, blocks=4), "5 images in a block are too few"),
        ("gan", EvaluationConfig(n=9, blocks=2, per_class=True), "3 of a class are too few"),
        ("info", EvaluationConfig(metrics=("class_agreement",)), "Of info there is no class_agreement"),
        ("gan", EvaluationConfig(metrics=()), "Of gan there is no number"),
    ]:
        with pytest.raises(GanlibError, match=reason):
            evaluate(Run(root / name), config, CPU, progress=lambda text, *counts: stages.append(text))
    assert "generated" not in stages
    assert not (root / "gan" / "evaluation.json").exists()


def test_no_number_is_not_one(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(root / "gan")
    monkeypatch.setitem(MEASURES._entries, "fid", lambda real, fake, blocks: [Value("fid", float("nan"), [], 1, 1)])
    with pytest.raises(GanlibError, match="fid of gan came out as nan; nothing was recorded"):
        evaluate(run, SMALL, CPU)
    run.store({k: v * float("nan") for k, v in read_tensors(run.folder.weights).items()})
    with pytest.raises(GanlibError, match="Some weights of gan are not finite"):
        evaluate(run, SMALL, CPU)


def test_pictures_that_are_not_finite_have_no_score(root: Path) -> None:
    run = Run(root / "gan")
    run.store({k: v * 1e25 if v.is_floating_point() else v for k, v in read_tensors(run.folder.weights).items()})
    with pytest.raises(GanlibError, match="Some pixels are not numbers"):
        evaluate(run, SMALL, CPU)


def test_reference_of_other_weights_is_made_afresh_or_refused(root: Path, request: pytest.FixtureRequest) -> None:
    run = Run(root / "gan")
    first = evaluate(run, SMALL, CPU)[0].value
    stored = next((root / "judge" / "references").iterdir())
    weights = (root / "judge" / "weights.safetensors").read_bytes()
    size = int.from_bytes(weights[:8], "little")
    padded = (size + 8).to_bytes(8, "little") + weights[8 : 8 + size] + b" " * 8 + weights[8 + size :]
    (root / "judge" / "weights.safetensors").write_bytes(padded)  # the same tensors in another file
    before = stored.read_bytes()
    assert evaluate(run, SMALL, CPU)[0].value == pytest.approx(first, rel=1e-6)
    assert stored.read_bytes() != before
    for content, reason in [(before, "other weights"), (b"noise", "damaged"), (None, "no reference")]:
        stored.unlink(missing_ok=True)
        if content:
            stored.write_bytes(content)
        if reason == "other weights":
            request.getfixturevalue("without_data")
        with pytest.raises(GanlibError, match=f"{reason}.*--data-root: There is no folder"):
            evaluate(run, SMALL, CPU)


def test_a_reference_of_other_images_or_without_numbers_is_refused(root: Path, request: pytest.FixtureRequest) -> None:
    run = Run(root / "gan")
    evaluate(run, SMALL, CPU)
    request.getfixturevalue("without_data")
    (train,) = (root / "judge" / "references").iterdir()
    content = train.read_bytes()
    with safe_open(train, "np") as f:
        metadata, tensors = f.metadata(), {name: f.get_tensor(name) for name in f.keys()}  # noqa: SIM118
    train.write_bytes(save(tensors, metadata | {"split": "test"}))
    with pytest.raises(GanlibError, match="are of other images"):
        evaluate(run, SMALL, CPU)
    train.write_bytes(save(tensors | {"sample": tensors["sample"] * np.float32("nan")}, metadata))
    with pytest.raises(GanlibError, match="hold numbers that are not finite"):
        evaluate(run, SMALL, CPU)
    train.write_bytes(content)
    evaluate(run, SMALL, CPU)


def test_classes_that_cannot_be_measured_are_named(root: Path) -> None:
    warnings: list[str] = []
    evaluate(Run(root / "info"), EvaluationConfig(n=120, blocks=3, per_class=True), CPU, warn=warnings.append)
    assert warnings == ["FID of each class was not measured: it takes none."]


def test_a_class_of_one_image_is_named_and_the_others_are_measured(root: Path, tmp_path: Path, capsys) -> None:
    pets = {name: picture for name, picture in PETS.items() if name.startswith("cats")} | tree("rare/0.png")
    data = ["--data", f"folder:{write(tmp_path / 'pets', pets)}", "--image-size", "16"]
    small = ["--width", "4", "--batch-size", "4", "--images", "8"]
    for model in ("classifier", "cdcgan"):
        assert main(["train", model, *data, *small, "--out", str(root / f"pets-{model}")]) == 0
    capsys.readouterr()
    assert (
        main(["evaluate", "pets-cdcgan", "--n", "24", "--blocks", "2", "--per-class", "--data-root", str(tmp_path)])
        == 0
    )
    shown = capsys.readouterr()
    assert "FID was not measured of the classes 'rare' (1 training image): it takes at least two" in shown.err
    of_classes = [r for r in read_records(root / "pets-cdcgan" / "evaluation.json") if r.metric == "class_fid"]
    assert [record.protocol.extra["class"] for record in of_classes] == ["cats"]


def test_too_few_images_are_warned_about_and_fewer_refused(root: Path) -> None:
    record = evaluate(Run(root / "gan"), EvaluationConfig(n=20, blocks=1), CPU)[0]
    assert "Only 20 generated images for 32 feature dimensions" in record.warning
    assert record.interval is None
    record = evaluate(Run(root / "gan"), EvaluationConfig(n=60, blocks=4), CPU)[0]
    assert "Only 15 images in each block" in record.warning
    config = EvaluationConfig(metrics=("fid_infinity", "isc", "isc"), n=300, blocks=3)
    limit, score = evaluate(Run(root / "gan"), config, CPU)  # isc once
    assert "Only 30 generated images at the smallest size" in limit.warning
    assert "extrapolation unreliable" in limit.warning
    assert score.warning is None
    (score,) = evaluate(Run(root / "gan"), EvaluationConfig(metrics=("isc",), n=20, blocks=1), CPU)
    assert score.warning == "Only 2 images in each split for 3 classes: the score is too low."
    with pytest.raises(GanlibError, match="need n ≥ 8"):
        EvaluationConfig(n=7, blocks=4)
