"""FID against closed forms and torch-fidelity, evaluation from the command line, records that survive."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import permutations
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch_fidelity
from PIL import Image
from torch.utils.data import Dataset
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from ganlib.__main__ import main
from ganlib.data import load_data
from ganlib.errors import GanlibError
from ganlib.experiments import read_evaluations
from ganlib.metrics.codes import match, some, tabulate
from ganlib.metrics.config import METRICS, EvaluationConfig
from ganlib.metrics.evaluate import evaluate
from ganlib.metrics.extractors import EXTRACTORS, Extracted, extract
from ganlib.metrics.fidelity import EMBEDDED, Statistics, frechet, statistics
from ganlib.metrics.intervals import from_blocks, of_share
from ganlib.metrics.measures import MEASURES, Fake
from ganlib.metrics.partial import Partial
from ganlib.metrics.records import append_records, current, describe, protocol_key, read_records
from ganlib.metrics.references import describe_images
from ganlib.runs import Run

CPU = torch.device("cpu")
SMALL = EvaluationConfig(n=120, blocks=3)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A root with ``gan`` and ``judge``, trained for moments on a folder of real digits of three classes."""
    home = tmp_path_factory.mktemp("metrics")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANLIB_CACHE", str(home / "cache"))
        patch.setenv("GANLIB_GALLERY", str(home / "none"))
        patch.delenv("GANLIB_RUNS", raising=False)
        digits = load_data("digits").train
        for label in range(3):
            for part, rows in [("train", slice(60)), ("test", slice(60, 80))]:
                folder = home / "digits" / part / f"class-{label}"
                folder.mkdir(parents=True)
                for i, image in enumerate(digits.images[digits.labels == label][rows]):
                    Image.fromarray(image[:, :, 0]).save(folder / f"{i}.png")
        common = ["--data", f"folder:{home / 'digits'}", "--image-size", "16", "--channels", "1"]
        judge = ["--width", "4", "--images", "3000", "--schedule-images", "3000", "--batch-size", "30"]
        gan = ["--width", "4", "--images", "320", "--batch-size", "32", "--snapshot-first", "320"]
        assert main(["train", "classifier", *common, *judge, "--out", str(home / "runs" / "judge")]) == 0
        assert main(["train", "cdcgan", *common, *gan, "--out", str(home / "runs" / "gan")]) == 0
        info = [*gan, "--z-dim", "8", "--categories", "2", "4", "--hidden", "8"]
        assert main(["train", "infogan", *common, *info, "--out", str(home / "runs" / "info")]) == 0
        yield home


@pytest.fixture
def root(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the runs in a root of its own; the data set lies apart and is decoded already."""
    shutil.copytree(trained / "runs", tmp_path / "runs")
    monkeypatch.setenv("GANLIB_GALLERY", str(tmp_path / "runs"))
    monkeypatch.delenv("GANLIB_RUNS", raising=False)
    monkeypatch.setenv("GANLIB_CACHE", str(trained / "cache"))
    monkeypatch.setenv("GANLIB_DATA", str(trained))
    return tmp_path / "runs"


@pytest.fixture
def without_data(trained: Path) -> Iterator[None]:
    """As on a machine that never had the images."""
    (trained / "digits").rename(trained / "away")
    yield
    (trained / "away").rename(trained / "digits")


def changed(record: dict[str, Any], **protocol: Any) -> dict[str, Any]:
    return record | {"protocol": record["protocol"] | protocol}


# Mathematics


def test_fid_of_two_gaussians_is_the_closed_form() -> None:
    rng = np.random.default_rng(0)
    rotation = np.linalg.qr(rng.normal(size=(8, 8)))[0]
    a, b = rng.uniform(0.1, 3, (2, 8))
    mu = rng.normal(size=(2, 8))
    covariances = [rotation @ np.diag(v) @ rotation.T for v in (a, b)]  # they commute: the root is explicit
    expected = ((mu[0] - mu[1]) ** 2).sum() + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum()
    x, y = (Statistics(m, c, 100) for m, c in zip(mu, covariances, strict=True))
    assert frechet(x, y) == pytest.approx(expected, rel=1e-9)
    assert frechet(x, x) == pytest.approx(0, abs=1e-9)


def test_fid_of_samples_approaches_that_of_their_gaussians() -> None:
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(50_000, 3, generator=generator)
    b = torch.randn(50_000, 3, generator=generator) * 2 + torch.tensor([1.0, 0, 0])
    assert frechet(statistics(a), statistics(b)) == pytest.approx(1 + 3 * (2 - 1) ** 2, rel=0.02)


def test_features_that_are_not_finite_are_refused() -> None:
    with pytest.raises(GanlibError, match="not finite"):
        statistics(torch.tensor([[1.0, 2.0], [float("nan"), 0.0]]))


def test_interval_of_blocks_lies_around_the_value_of_all_images() -> None:
    found = from_blocks(10.0, [11.0, 12.0, 13.0, 14.0], 4000)
    half = 3.182446 * sqrt(5 / 3) / 2  # t-quantile of 3 degrees of freedom
    assert found is not None
    assert (found["low"], found["high"]) == pytest.approx((10 - half, 10 + half), rel=1e-6)
    assert "4 disjoint seed blocks of 1,000 images" in found["how"]
    assert from_blocks(10.0, [], 4000) is None


def test_interval_of_a_share_is_wilsons() -> None:
    found = of_share(8, 10)
    assert (found["low"], found["high"]) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert of_share(10, 10)["high"] == 1
    assert of_share(0, 10)["low"] == 0


# Extractors


class Images(Dataset[torch.Tensor]):
    """(N, H, W, 1) uint8 as torch-fidelity wants them: (3, H, W)."""

    def __init__(self, images: np.ndarray) -> None:
        self.images = torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).expand(-1, 3, -1, -1)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> torch.Tensor:
        return self.images[i]


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # torch-fidelity's, on few cores
def test_streamed_metrics_equal_torch_fidelitys(root: Path) -> None:
    rng = np.random.default_rng(0)
    digits = load_data("digits").train
    real, labels = digits.images[:150], digits.labels[:150]
    fake = (real[60:150] + rng.integers(-90, 90, (90, 16, 16, 1))).clip(0, 255).astype(np.uint8)
    theirs = torch_fidelity.calculate_metrics(
        input1=Images(fake),
        input2=Images(real),
        fid=True,
        kid=True,
        isc=True,
        prc=True,
        kid_subset_size=90,
        samples_shuffle=False,
        cuda=False,
        feature_extractor=EMBEDDED,
        feature_extractor_weights_path=str(root / "judge"),
        verbose=False,
        cache=False,
    )
    extractor = EXTRACTORS["embedded"](Run(root / "gan"), CPU, None)

    def measured(x: np.ndarray) -> Extracted:
        return extract(extractor, lambda start: (np.array(x[i : i + 40]) for i in range(start, len(x), 40)), len(x))

    about_real = describe_images(measured(real).features, np.array(labels))._replace(sample=measured(real).features)
    made = Fake(*measured(fake), None)
    ours = {v.metric: v.value for name in ("fid", "kid", "isc", "prc") for v in MEASURES[name](about_real, made, 1)}
    assert 0.1 < ours["precision"] < 1
    assert ours == pytest.approx(
        {
            "fid": theirs["frechet_inception_distance"],
            "kid": theirs["kernel_inception_distance_mean"],
            "isc": theirs["inception_score_mean"],
            "precision": theirs["precision"],
            "recall": theirs["recall"],
        },
        rel=1e-3,
    )


def test_no_number_depends_on_the_batch_size(root: Path) -> None:
    run = Run(root / "gan")
    large = evaluate(run, SMALL, CPU)
    shutil.rmtree(root / "judge" / "references")
    small = evaluate(run, EvaluationConfig(n=120, blocks=3, batch=7), CPU)
    for a, b in zip(large, small, strict=True):
        assert a["value"] == pytest.approx(b["value"], rel=1e-5)
        assert a["blocks"] == pytest.approx(b["blocks"], rel=1e-5)
        assert protocol_key(a) == protocol_key(b)


class Blank(FeatureExtractorInceptionV3):  # type: ignore[misc]
    """torch-fidelity's Inception with fresh random weights."""

    def load_state_dict(self, *args: Any, **kwargs: Any) -> None:
        pass


def test_inception_takes_a_file_of_the_right_keys(root: Path, tmp_path: Path) -> None:
    torch.save({}, tmp_path / "none.pth")
    network = Blank(
        "inception-v3-compat", ["2048", "logits_unbiased"], feature_extractor_weights_path=tmp_path / "none.pth"
    )
    torch.save(network.state_dict(), tmp_path / "inception.pth")
    extractor = EXTRACTORS["inception"](Run(root / "gan"), CPU, str(tmp_path / "inception.pth"))
    images = np.array(load_data("digits").train.images[:2])
    found = extract(extractor, lambda start: [images], 2)
    expected = network(torch.from_numpy(images).permute(0, 3, 1, 2).expand(-1, 3, -1, -1))[0]
    assert found.features.shape == (2, 2048)
    assert torch.allclose(found.features, expected, rtol=1e-4, atol=1e-5)
    assert found.logits.shape == (2, 1008)
    assert "inception" in str(extractor.references)


def test_inception_refuses_what_is_not_its_weights(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(root / "gan")
    (tmp_path / "noise.pth").write_bytes(b"noise")
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    torch.save(run, tmp_path / "code.pth")  # an object: unpickling it would run code
    for name in ("noise", "other", "code"):
        with pytest.raises(GanlibError, match="does not hold torch-fidelity's Inception weights"):
            EXTRACTORS["inception"](run, CPU, str(tmp_path / f"{name}.pth"))
    with pytest.raises(GanlibError, match="There is no file"):
        EXTRACTORS["inception"](run, CPU, str(tmp_path / "absent.pth"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nothing listens there: no network
    with pytest.raises(GanlibError, match=r"cannot be downloaded.*--extractor-weights"):
        EXTRACTORS["inception"](run, CPU, None)


def test_unknown_extractor_is_named(root: Path) -> None:
    with pytest.raises(GanlibError, match="no extractor 'embeded'; try embedded"):
        evaluate(Run(root / "gan"), EvaluationConfig(extractor="embeded"), CPU)


def test_missing_classifier_names_the_command_that_trains_one(root: Path) -> None:
    shutil.rmtree(root / "judge")
    with pytest.raises(GanlibError, match=r"train classifier --data folder:digits --image-size 16"):
        evaluate(Run(root / "gan"), SMALL, CPU)


# Codes


def codes_of(*values: np.ndarray) -> Callable[[torch.Tensor], list[torch.Tensor]]:
    """Answers with the one-hot rows of (values, K) in turn, whatever the images."""
    rows = [iter(torch.from_numpy(v)) for v in values]
    return lambda images: [torch.stack([next(r) for _ in images]) for r in rows]


def test_a_permutation_of_the_classes_is_found_whatever_it_is() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 200)
    images = [np.zeros((40, 8, 8, 1), np.uint8)] * 5
    for _ in range(5):
        permutation = rng.permutation(10)
        one_hot, constant = np.eye(10)[permutation[labels]], np.eye(3)[np.zeros(200, int)]
        permuted, same = tabulate(codes_of(one_hot, constant), images, labels, 10, CPU, lambda *_: None)
        values, classes = match(permuted)
        assert np.array_equal(permutation[classes], values)
        assert permuted[match(permuted)].sum() == 200
        assert same[match(same)].sum() == np.bincount(labels).max()  # one value can name one class


def test_a_code_that_knows_nothing_names_about_one_in_k() -> None:
    rng = np.random.default_rng(0)
    n, k = 20_000, 10
    learnt, tested = (np.histogram2d(*rng.integers(0, k, (2, n)), k)[0].astype(np.int64) for _ in range(2))
    chance = tested[match(learnt)].sum() / n
    assert chance == pytest.approx(1 / k, abs=4 * sqrt(0.1 * 0.9 / n))
    assert learnt[match(learnt)].sum() / n > chance  # which is why other images are tested than matched


@pytest.mark.parametrize("k", [2, 5])
def test_values_or_classes_without_a_partner_name_nothing(k: int) -> None:
    labels = np.arange(60) % 3
    (table,) = tabulate(codes_of(np.eye(k)[labels % k]), [np.zeros((60, 8, 8, 1), np.uint8)], labels, 3, CPU, print)
    values, classes = match(table)
    assert len(values) == len(classes) == min(k, 3)
    assert table[values, classes].sum() == (60 if k == 5 else 40)


def test_unlabelled_images_match_no_class() -> None:
    labels = np.array([0, -1, 1, -1])
    (table,) = tabulate(codes_of(np.eye(2)[[1, 1, 0, 0]]), [np.zeros((4, 8, 8, 1), np.uint8)], labels, 2, CPU, print)
    assert table.tolist() == [[0, 1], [1, 0]]


def test_the_images_to_match_are_always_the_same_and_of_all_parts() -> None:
    assert np.array_equal(some(50_000, 10_000), some(50_000, 10_000))
    assert np.bincount(some(50_000, 10_000) // 5_000, minlength=10).min() > 800
    assert np.array_equal(some(7, 10_000), np.arange(7))


def test_code_accuracy_is_of_the_better_code_on_the_test_images(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "info", "--n", "120", "--blocks", "3", "--device", "cpu"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    fid, found = read_records(root / "info" / "evaluation.json")
    assert (fid["metric"], found["metric"]) == ("fid", "code_accuracy")
    run = Run(root / "info")
    model: Any = run.load()
    data = load_data(run.data_name, size=16, channels=1)
    fits = {}
    for code, k in enumerate(run.config.categories, 1):
        train, test = (
            model.infer_codes(torch.from_numpy(np.array(split.images)).permute(0, 3, 1, 2) / 127.5 - 1)[code - 1]
            .argmax(1)
            .numpy()
            for split in (data.train, data.test)
        )
        # Every matching there is; from 3 on a number is no class.
        namings = [np.array(classes) for classes in permutations(range(max(k, 3)), k)]
        for naming in namings:
            fit = int((naming[train] == data.train.labels).sum())
            fits.setdefault((fit, -code), set()).add(int((naming[test] == data.test.labels).sum()))
    (_, code), hits = max(fits.items())
    n = round(found["value"] * 60)
    assert n in hits  # several matchings may fit equally
    assert (found["value"], found["interval"]) == (n / 60, of_share(n, 60))
    assert found["protocol"]["code"] == f"c{-code}"
    assert found["protocol"]["reference"] == {
        "data": run.data_name,
        "split": "test",
        "fingerprint": data.test.fingerprint,
    }
    assert found["protocol"]["matched"] == {
        "data": run.data_name,
        "split": "train",
        "fingerprint": data.train.fingerprint,
        "n": 180,
    }
    assert found["weights_hash"] == run.weights_hash
    assert f"info  code accuracy (c{-code}, 60 test images) {found['value']:.1%}" in shown.out


def test_without_the_images_code_accuracy_alone_is_missing(
    root: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    assert main(["evaluate", "gan", "--n", "120", "--device", "cpu"]) == 0  # stores the reference
    capsys.readouterr()
    request.getfixturevalue("without_data")
    assert main(["evaluate", "info", "--n", "120", "--blocks", "3", "--device", "cpu"]) == 0
    shown = capsys.readouterr()
    assert re.fullmatch(r"info: Code accuracy was not measured: .*There is no folder.*\n", shown.err)
    assert "info  FID" in shown.out
    assert [r["metric"] for r in read_records(root / "info" / "evaluation.json")] == ["fid"]


def test_code_accuracy_is_not_made_where_it_would_say_nothing_new(root: Path) -> None:
    warnings: list[str] = []
    run = Run(root / "info")
    for how in ({"snapshot": 320}, {"options": {"temperature": 0.5}}):
        assert [r["metric"] for r in evaluate(run, SMALL, CPU, **how, warn=warnings.append)] == ["fid"]
    assert warnings == []


def test_the_dashboard_reads_code_accuracy_and_ranks_as_before(root: Path) -> None:
    evaluated = evaluate(Run(root / "info"), SMALL, CPU)
    append_records(root / "info" / "evaluation.json", evaluated[:1])
    before, _ = read_evaluations([root / "info"])
    append_records(root / "info" / "evaluation.json", evaluated[1:])
    frame, broken = read_evaluations([root / "info"])
    assert broken == []
    assert frame.metric.tolist() == ["fid", "code_accuracy"]
    assert frame[frame.metric == "fid"].equals(before)
    assert frame.value[1] == evaluated[1]["value"]
    assert json.loads(frame.protocol[1])["code"] in ("c1", "c2")


# Evaluation


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
        *METRICS,
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
        "gan  FID of class-2 (embedded, n=80 vs 60 train)",
    ):
        assert line in shown
    records = read_records(root / "gan" / "evaluation.json")
    assert len({protocol_key(r) for r in records if r["metric"] == "class_fid"}) == 3
    assert all(r["interval"] for r in records)
    assert records[2]["protocol"]["subset"] == 120
    frame, broken = read_evaluations([root / "gan"])
    assert broken == []
    assert len(frame) == len(records) == 12


def test_all_snapshots_are_scored_and_the_best_is_known(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["evaluate", "gan", "--n", "120", "--blocks", "1", "--device", "cpu", "--metrics", "fid"]
    assert main([*command, "--at", "best"]) == 1
    assert "No snapshot of gan has an FID of n = 120 yet; score them with --at all." in capsys.readouterr().err
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
    assert set(METRICS) == set(MEASURES) - {"class_fid"}  # which --per-class asks for


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


# Records


def record(**changes: Any) -> dict[str, Any]:
    protocol = {
        "n_real": 50_000,
        "n_fake": 10_000,
        "reference": {"data": "cifar10", "split": "train", "fingerprint": "f"},
        "extractor": "embedded",
        "extractor_name": "judge",
        "extractor_hash": "e",
        "resizer": "none",
        "options": {},
    }
    return {
        "metric": "fid",
        "value": 12.34,
        "interval": {"low": 12.14, "high": 12.54, "how": "blocks"},
        "protocol": protocol,
        "seeds": "0-9999",
        "versions": {"torch": "2"},
        "weights_hash": "a",
        "snapshot": None,
    } | changes


def test_records_are_appended_and_a_damaged_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    assert read_records(path) == []
    append_records(path, [record()])
    append_records(path, [record(value=11.0), record(weights_hash="b"), record(snapshot=7)])
    assert [r["value"] for r in read_records(path)] == [12.34, 11.0, 12.34, 12.34]
    assert [r["value"] for r in current(read_records(path), "a")] == [12.34, 11.0]
    for damage in (
        path.read_text()[:-20],
        "[]",
        '{"records": [1]}',
        json.dumps({"records": [record(value="12")]}),
        json.dumps({"records": [{"metric": "fid"}]}),
    ):
        path.write_text(damage)
        with pytest.raises(GanlibError, match=r"evaluation\.json is damaged"):
            append_records(path, [record()])
        assert path.read_text() == damage
    with pytest.raises(ValueError, match="JSON"):
        append_records(tmp_path / "new.json", [record(value=float("nan"))])
    assert not (tmp_path / "new.json").exists()


def test_the_protocol_decides_what_is_compared() -> None:
    key = protocol_key(record())
    assert protocol_key(record(seeds="5-7", versions={}, value=1.0, weights_hash="z")) == key
    reordered = record()
    reordered["protocol"] = dict(reversed(reordered["protocol"].items()))
    assert protocol_key(reordered) == key
    for name, value in [("n_fake", 5_000), ("options", {"temperature": 0.5}), ("extractor_hash", "x")]:
        assert protocol_key(changed(record(), **{name: value})) != key


def test_a_line_names_the_extractor() -> None:
    assert describe(record()) == "FID (embedded, n=10,000 vs 50,000 train) 12.34 ± 0.2"
    assert describe(record(metric="class_agreement", value=0.5, interval=None)).endswith("n=10,000) 50.0%")


def test_reading_records_needs_no_torch() -> None:
    code = "import sys, ganlib.metrics.records; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1]).returncode == 0
