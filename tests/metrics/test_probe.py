"""The SVM on D's features: which layers it sees, that no label reaches them, and the record it leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ganlib.__main__ import main
from ganlib.data import Split, load_data
from ganlib.errors import GanlibError
from ganlib.intervals import wilson_interval
from ganlib.metrics.probe import accuracy, features, fit, hidden_layers, pixels, score_images
from ganlib.models import MODELS
from ganlib.records import read_evaluations, read_records
from helpers.gallery import digits_run
from helpers.tiny_models import build, write_run

JUDGES = [name for name in MODELS if hasattr(MODELS[name], "score")]
IMAGES = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 1), np.uint8)


def layers_of(model: Any) -> list[str]:
    return hidden_layers(model, torch.linspace(-1, 1, 2 * 16 * 16).reshape(2, 1, 16, 16))


def toy(n: int, seed: int, shuffled: bool = False) -> Split:
    """Three classes of 4 x 4 images that differ in which row is bright."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    images = rng.integers(0, 60, (n, 4, 4, 1), np.uint8)
    images[np.arange(n), labels] += 150
    return Split(images, rng.permutation(labels) if shuffled else labels, "0123456789abcdef")


# Features


@pytest.mark.parametrize("name", JUDGES)
def test_every_discriminator_has_features_and_no_label_in_them(name: str) -> None:
    model: Any = build(name)
    layers = layers_of(model)
    assert layers
    result = features(model, layers, IMAGES)
    assert result.shape[0] == len(IMAGES)
    assert np.isfinite(result).all()
    assert (result.std(axis=0) > 0).any()
    for layer in layers:  # each depends on the image, so none is the label's alone
        assert features(model, [layer], IMAGES).std(axis=0).max() > 0
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize(
    ("name", "layers", "dimension"),
    [
        ("dcgan", ["D.net.0", "D.net.2"], (4 + 8) * 16),
        ("fcgan", ["D.net.1"], 16),
        ("cgan", ["D.image.1", "D.joint"], 16 + 16),
        ("lapgan", ["D.2.net.0", "D.2.net.2"], (8 + 16) * 16),
        ("infogan", ["D.trunk.0", "D.trunk.2"], (4 + 8) * 16),
        ("bigan", ["D.image.0", "D.image.2", "D.image.5", "D.latent", "D.joint.1"], (4 + 8) * 16 + 3 * 16),
    ],
)
def test_the_layers_are_the_hidden_ones_on_the_way_to_the_logit(name: str, layers: list[str], dimension: int) -> None:
    model: Any = build(name)
    assert set(layers_of(model)) == set(layers)
    assert features(model, layers, IMAGES).shape == (6, dimension)


def test_residual_blocks_count_and_the_projection_does_not() -> None:
    layers = layers_of(build("sngan"))
    assert {"D.blocks.0.conv1", "D.blocks.0.conv2", "D.blocks.0.shortcut"} <= set(layers)
    assert not {"D.linear", "D.embed"} & set(layers)


def test_features_are_the_layers_largest_values_in_each_cell() -> None:
    model: Any = build("dcgan")
    first = model.D.net[0](torch.from_numpy(IMAGES).permute(0, 3, 1, 2) / 127.5 - 1)
    expected = first.unflatten(3, (4, 2)).unflatten(2, (4, 2)).amax((3, 5)).flatten(1)
    assert np.allclose(features(model, ["D.net.0"], IMAGES), expected, atol=1e-5)


def test_what_works_in_place_changes_no_feature() -> None:
    model: Any = build("sngan")
    block = model.D.blocks[0]
    images = np.full((6, 16, 16, 1), 250, np.uint8)  # even: whole cells are negative, as no noise's largest value is
    x = torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1
    expected = block.conv1(x)  # the block itself rectifies it in place
    result = features(model, ["D.blocks.0.conv1"], images)
    assert np.allclose(result, torch.nn.functional.adaptive_max_pool2d(expected, 4).flatten(1), atol=1e-5)
    assert (result < 0).any()


def test_a_conditional_discriminator_is_asked_about_all_classes_in_equal_parts() -> None:
    model: Any = build("cdcgan")
    x = torch.from_numpy(IMAGES).permute(0, 3, 1, 2) / 127.5 - 1
    assert torch.equal(score_images(model, x), model.score(x, torch.full((6, 3), 1 / 3)))
    of_class = [model.score(x, torch.full((6,), k)) for k in range(3)]
    assert not torch.allclose(of_class[0], of_class[1])  # its features would tell


# The classifier


def test_separable_images_are_all_told_apart() -> None:
    train, test = toy(300, 0), toy(120, 1)
    assert accuracy(pixels, train, np.arange(300), test) == 120


def test_shuffled_labels_give_chance() -> None:
    train, test = toy(1500, 0, shuffled=True), toy(600, 1, shuffled=True)
    hits = accuracy(pixels, train, np.arange(1500), test)
    assert hits / 600 == pytest.approx(1 / 3, abs=0.08)


def test_constant_features_do_no_harm_and_infinite_ones_are_refused() -> None:
    labels = np.arange(60) % 2
    x = np.stack([labels + 0.0, np.full(60, 7.0)], axis=1).astype(np.float32)
    assert (fit(x.copy(), labels)(x) == labels).all()
    x[3, 1] = np.inf
    with pytest.raises(GanlibError, match="not finite"), np.errstate(invalid="ignore"):
        fit(x, labels)
    with pytest.raises(GanlibError, match="all of one class"):
        fit(np.ones((5, 2), np.float32), np.zeros(5, np.int64))


# The command


def test_probes_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = digits_run(tmp_path / "gan")
    command = ["probe", str(run.path), "--device", "cpu"]
    assert main([*command, "--train", "300"]) == 0
    assert main([*command, "--train", "300"]) == 0
    assert main([*command, "--train", "0"]) == 0
    shown = capsys.readouterr().out
    first, again, of_all_images = read_records(run.folder.evaluation)
    data = load_data("digits")
    assert first.protocol.to_dict() == {
        "n_real": 359,
        "n_fake": 0,
        "reference": {"data": "digits", "split": "test", "fingerprint": data.test.fingerprint},
        "extractor": None,
        "extractor_name": None,
        "extractor_hash": None,
        "resizer": "none",
        "options": {},
        "trained": {"data": "digits", "split": "train", "fingerprint": data.train.fingerprint, "n": 300},
        "grid": 4,
        "svm": {"loss": "hinge", "C": 1.0, "epochs": 10, "seed": 0},
    }
    assert (first.metric, first.extra["n_train"], first.extra["n_test"]) == ("probe_accuracy", 300, 359)
    assert (first.extra["layers"], first.extra["dimension"]) == (["D.net.0", "D.net.2"], 192)
    assert (first.images_seen, first.weights_hash, first.snapshot) == (64, run.weights_hash, None)
    assert first.interval == wilson_interval(round(first.value * 359), 359)
    assert {"python", "torch", "scikit-learn"} <= first.versions.keys()
    assert first.value > 0.6  # convolutions with any weights tell digits apart
    assert first.extra["pixels_accuracy"] > 0.8
    assert (again.value, again.protocol) == (first.value, first.protocol)
    assert of_all_images.extra["n_train"] == len(data.train)
    assert f"gan  Linear probe of D (192 features, 300 train, 359 test images) {first.value:.1%}" in shown


def test_the_dashboard_reads_what_the_probe_wrote(tmp_path: Path) -> None:
    run = digits_run(tmp_path / "gan")
    assert main(["probe", str(run.path), "--train", "100", "--device", "cpu"]) == 0
    frame, broken = read_evaluations({run.path: run.name})
    assert broken == []
    assert frame.metric.tolist() == ["probe_accuracy"]
    assert frame.protocol_label[0] == "359 digits test"
    assert json.loads(frame.protocol[0])["trained"]["n"] == 100


def test_what_cannot_be_probed_costs_no_other_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, classifier = digits_run(tmp_path / "good"), digits_run(tmp_path / "judge", "classifier")
    plain = write_run(tmp_path / "plain", "dcgan", num_classes=0)
    paths = [str(run.path) for run in (classifier, plain, good)]
    assert main(["probe", *paths, "--train", "100", "--device", "cpu"]) == 1
    shown = capsys.readouterr()
    assert "judge is a classifier, which has no discriminator; probe a GAN." in shown.err
    assert "noise has no classes, so the features of plain cannot be tested on any." in shown.err
    assert "Not probed, for the reasons above: judge, plain." in shown.err
    assert "good  Linear probe of D" in shown.out
    assert not classifier.folder.evaluation.exists()
    assert main(["probe", str(good.path), "--train", "-1"]) == 1
    assert "--train must be at least 0" in capsys.readouterr().err
