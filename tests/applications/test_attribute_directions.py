"""Directions of attributes: from the classifier's log odds, from labels, from two sets; and whose classifier it was."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ganlib.__main__ import main
from ganlib.applications.catalogue import (
    cached_directions,
    find_directions,
    measure_for,
    measured_directions,
    methods_of,
)
from ganlib.applications.classifier import NONE, classifier_hash
from ganlib.applications.effects import Effect, log_odds
from ganlib.applications.storage import saved_directions
from ganlib.applications.two_sets import direction_between
from ganlib.errors import GanlibError
from ganlib.models import GenerativeModel
from ganlib.runs import Run
from ganlib.sampling.keyframes import KeyFrame
from helpers.tiny_models import write_run

CPU = torch.device("cpu")
ATTRIBUTES = ("Smiling", "Wearing_Hat")


@pytest.fixture
def root(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("GANLIB_GALLERY", str(tmp_path / "runs"))
    monkeypatch.setenv("GANLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GANLIB_RUNS", raising=False)
    return tmp_path / "runs"


def load(run: Run) -> GenerativeModel:
    model = run.load()
    assert isinstance(model, GenerativeModel)
    return model


def test_log_odds_are_those_of_the_combinations():
    p = torch.tensor([[0.1, 0.2, 0.3, 0.4]])  # neither, hat, smiling, both
    odds = log_odds(p.log(), ATTRIBUTES)
    assert float(odds["attribute-Smiling"].exp()) == pytest.approx(0.7 / 0.3)
    assert float(odds["attribute-Wearing_Hat"].exp()) == pytest.approx(0.6 / 0.4)
    assert Effect("attribute-Wearing_Hat", 1.0, -2.0).words([]) == "not Wearing Hat"


def test_directions_of_attributes_are_found_by_the_classifiers_log_odds(root: Path):
    run = write_run(root / "faces", "sngan", attributes=ATTRIBUTES)
    write_run(root / "classifier", "classifier", num_classes=4)
    model = load(run)
    assert methods_of(run, model) == ["sefa", "pca", "statistics", "attributes"]
    found = find_directions(run, model, "attributes", measure_for(run, CPU))
    assert list(found) == ["attribute-Smiling", "attribute-Wearing_Hat"]
    smiling, hat = (direction.vector for direction in found.values())
    assert abs(torch.nn.functional.cosine_similarity(smiling, hat, dim=0)) < 0.99
    with pytest.raises(GanlibError, match="has no directions by classes"):
        find_directions(run, model, "classes")


def test_labels_have_directions_where_styles_depend_on_them(root: Path):
    run = write_run(root / "faces", "stylegan2_ada", attributes=ATTRIBUTES)
    model = load(run)
    found = find_directions(run, model, "labels")
    assert list(found) == ["label-Smiling", "label-Wearing_Hat"]
    labels = torch.tensor([0, 1, 2, 3] * 64)
    styles = model.map(model.latents(range(256)), labels, "w").z
    vector = (styles[labels >= 2].mean(0) - styles[labels < 2].mean(0)).flatten()
    direction = found["label-Smiling"].vector.flatten()
    assert torch.nn.functional.cosine_similarity(vector, direction, dim=0) > 0.8
    plain = write_run(root / "plain", "cdcgan")
    assert "labels" not in methods_of(plain, load(plain))


def test_what_was_measured_belongs_to_the_classifier_that_measured_it(root: Path):
    run = write_run(root / "cdcgan")
    assert classifier_hash(run) == NONE
    measured_directions(run, load(run), "sefa", measure_for(run, CPU), count=1)
    assert cached_directions(run, "sefa", count=1)
    classifier = write_run(root / "classifier", "classifier")
    assert classifier_hash(run) == classifier.weights_hash
    assert cached_directions(run, "sefa", count=1) is None
    again = measured_directions(run, load(run), "sefa", measure_for(run, CPU), count=1)
    assert "class-0" in {effect.name for effect in again["sefa-1"].effects}


def test_two_sets_give_the_difference_of_their_means(root: Path, capsys):
    run = write_run(root / "cdcgan")
    model = load(run)
    more, less = [KeyFrame(3, 0), KeyFrame(4, 1)], [KeyFrame(5, 0)]
    measured = direction_between(run, model, more, less, measure_for(run, CPU))
    vector = (model.latents([3, 4]).z.mean(0) - model.latents([5]).z[0]).flatten()
    assert torch.nn.functional.cosine_similarity(vector, measured.direction.vector.flatten(), dim=0) > 0.999
    assert measured.seeds == 100
    with pytest.raises(GanlibError, match="choose some of each"):
        direction_between(run, model, more, [], measure_for(run, CPU))
    arguments = ["directions", "cdcgan", "--more", "a~3", "--more", "b~4", "--less", "a~5"]
    assert main(arguments) == 1
    assert "add --save NAME" in capsys.readouterr().err
    assert main([*arguments, "--save", "sunny"]) == 0
    saved, _ = saved_directions(run)
    assert torch.equal(saved["sunny"].direction.vector, measured.direction.vector)
