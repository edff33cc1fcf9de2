"""Directions by name: found, cached, saved in the run's folder, applied to seeds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ganlib.applications import catalogue
from ganlib.applications.catalogue import find_directions, measure_for, measured_directions, methods_of
from ganlib.applications.directions import Direction
from ganlib.applications.edits import edited_latents, film_strip, generate, latents_of, resolve
from ganlib.applications.effects import STRENGTHS, Measured
from ganlib.applications.saved_latents import load_latents, save_latents
from ganlib.applications.statistics import STATISTICS
from ganlib.applications.storage import (
    read_directions,
    save_direction,
    saved_directions,
    saved_folder,
    write_directions,
)
from ganlib.errors import GanlibError
from ganlib.models import GenerativeModel
from ganlib.runs import Run
from ganlib.sampling import sample
from ganlib.sampling.request import Edit, SampleRequest, format_edits, parse_edits
from helpers.tiny_models import write_run

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def few_seeds(monkeypatch, tmp_path):
    monkeypatch.setenv("GANLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(catalogue, "FOUND_ON", range(1_000, 1_064))
    monkeypatch.setattr(catalogue, "MEASURED_ON", range(6))


@pytest.fixture
def run(tmp_path) -> Run:
    write_run(tmp_path / "runs" / "a", "cdcgan")
    return Run(tmp_path / "runs" / "a")


def load(run: Run) -> GenerativeModel:
    model = run.load(CPU)
    assert isinstance(model, GenerativeModel)
    return model


def test_edits_read_back_what_they_print() -> None:
    edits = (Edit("sefa-1@0-3", 2.0), Edit("my own", -0.5))
    assert format_edits(edits) == "sefa-1@0-3=2,my own=-0.5"
    assert parse_edits(format_edits(edits)) == edits
    assert parse_edits("") == ()
    for text in ("sefa-1", "=2", "sefa-1=nan", "sefa-1=1e9", "sefa-1=2=x"):
        with pytest.raises(GanlibError, match="is no edit; write a direction"):
            parse_edits(text)


def test_directions_are_found_once_for_the_weights(run: Run) -> None:
    model = load(run)
    found = measured_directions(run, model, "sefa", measure_for(run, CPU), count=3)
    assert list(found) == ["sefa-1", "sefa-2", "sefa-3"]
    again = measured_directions(run, model, "sefa", lambda images: pytest.fail("measured again"), count=3)
    for name, measured in found.items():
        assert again[name].effects == measured.effects
        assert torch.equal(again[name].direction.vector, measured.direction.vector)


def test_statistics_and_classes_have_directions_of_their_own_names(run: Run) -> None:
    model = load(run)
    names = find_directions(run, model, "statistics", measure_for(run, CPU))
    assert set(names) <= set(STATISTICS)
    assert "brightness" in names
    with pytest.raises(GanlibError, match="need a classifier of the run's data set"):
        find_directions(run, model, "classes", None)


def test_an_edited_seed_is_the_same_alone_and_in_a_batch(run: Run) -> None:
    model = load(run)
    edits = (Edit("sefa-1", 2.0), Edit("pca-2", -1.0))
    request = SampleRequest(run, (0, 2), (3, 4, 5), edits=edits)
    together = sample(model, latents_of(model, request), request.image_labels)
    for image, single in zip(together, request.singles, strict=True):
        assert np.array_equal(sample(model, latents_of(model, single), single.image_labels)[0], image)
    assert not np.array_equal(together, sample(model, request.image_seeds, request.image_labels))
    unmoved = SampleRequest(run, (0, 2), (3, 4, 5), edits=(Edit("sefa-1", 0.0),))
    assert np.array_equal(
        sample(model, latents_of(model, unmoved), request.image_labels),
        sample(model, request.image_seeds, request.image_labels),
    )


def test_a_film_strip_is_one_seed_at_every_strength(run: Run) -> None:
    model = load(run)
    ((direction, _),) = resolve(run, model, [Edit("sefa-1", 1.0)])
    frames = film_strip(model, SampleRequest(run, (1,), (7,)), direction, STRENGTHS)
    for frame, strength in zip(frames, STRENGTHS, strict=True):
        latents = edited_latents(model, [7], [1], [(direction, strength)])
        assert np.array_equal(sample(model, latents, [1])[0], frame)


def test_saved_directions_are_used_by_name_and_only_with_their_weights(run: Run, tmp_path: Path) -> None:
    model = load(run)
    found = measured_directions(run, model, "pca", measure_for(run, CPU))
    file = save_direction(run, "sunny side", "pca-2", found["pca-2"])
    assert file == run.path / "directions" / "sunny side.safetensors"
    saved, errors = saved_directions(run)
    assert (list(saved), errors) == (["sunny side"], [])
    assert saved["sunny side"].effects == found["pca-2"].effects
    ((direction, strength),) = resolve(run, model, [Edit("sunny side", 0.5)])
    assert torch.equal(direction.vector, found["pca-2"].direction.vector)
    assert strength == 0.5
    with pytest.raises(GanlibError, match="directions of other weights"):
        read_directions(file, "0" * 12)
    file.write_bytes(b"\xff" * 40)
    saved, (error,) = saved_directions(run)
    assert not saved
    assert "holds no directions that can be read" in error


@pytest.mark.parametrize("name", ["sefa-1", "brightness", 'a")+print("b', "a,b", "x" * 5000])
def test_a_foreign_file_adds_no_direction_of_a_name_that_none_could_be_saved_by(run: Run, name: str) -> None:
    model = load(run)
    direction = find_directions(run, model, "sefa")["sefa-2"]
    write_directions(saved_folder(run) / "foreign.safetensors", {name: Measured(direction, (), 0)}, run)
    saved, (error,) = saved_directions(run)
    assert not saved
    assert "cannot name a direction" in error
    assert len(error) < 400


@pytest.mark.parametrize("shape", [(), (1,), (7,), (2, 3)])
def test_a_foreign_direction_of_another_shape_is_refused_in_a_sentence(run: Run, shape: tuple[int, ...]) -> None:
    direction = Direction(torch.ones(shape), "z", "by hand")
    write_directions(saved_folder(run) / "foreign.safetensors", {"foreign": Measured(direction, (), 0)}, run)
    request = SampleRequest(run, (0,), (0,), edits=(Edit("foreign", 1.0),))
    with pytest.raises(GanlibError, match=r"This direction has .* values, the model's latents of z"):
        generate(load(run), request)


@pytest.mark.parametrize("layers", [(4, 10), (-1, 2), (3, 3)])
def test_a_foreign_direction_of_layers_that_there_are_none_of_is_refused(
    tmp_path: Path, layers: tuple[int, int]
) -> None:
    run = write_run(tmp_path / "styles", "stylegan2_ada")
    model = load(run)
    (found, *_) = find_directions(run, model, "sefa").values()
    with pytest.raises(GanlibError, match="the model has 0 to 5"):
        edited_latents(model, [1], [0], [(replace(found, layers=layers), 1.0)])


def test_huge_files_of_latents_and_directions_are_refused_unread(run: Run) -> None:
    for folder, name in (("latents", "huge"), ("directions", "huge")):
        file = run.path / folder / f"{name}.safetensors"
        file.parent.mkdir(exist_ok=True)
        with file.open("wb") as sparse:
            sparse.truncate(10**12)
    with pytest.raises(GanlibError, match="it is larger than 64 MB"):
        load_latents(run, "huge")
    _, (error,) = saved_directions(run)
    assert "it is larger than 64 MB" in error


@pytest.mark.parametrize("name", ["", "../x", "a/b", "sefa-1", "brightness", "class-2", "7up", "x" * 65])
def test_names_that_are_no_file_names_or_belong_to_found_ones_are_refused(run: Run, name: str) -> None:
    found = measured_directions(run, load(run), "sefa", measure_for(run, CPU), count=1)
    with pytest.raises(GanlibError, match="cannot name a direction"):
        save_direction(run, name, "sefa-1", found["sefa-1"])


def test_what_a_model_does_not_admit_is_refused_in_a_sentence(run: Run, tmp_path: Path) -> None:
    model = load(run)
    refusals = {
        "layers are for sefa and pca of models with styles": ("sefa", (0, 2)),
        "no method 'magic'": ("magic", None),
    }
    for sentence, (method, layers) in refusals.items():
        with pytest.raises(GanlibError, match=sentence):
            find_directions(run, model, method, layers=layers)
    with pytest.raises(GanlibError, match="has no direction 'sunny'; there are sefa-1, pca-1, brightness"):
        resolve(run, model, [Edit("sunny", 1.0)])
    write_run(tmp_path / "runs" / "noise", "ddpm")
    noise = Run(tmp_path / "runs" / "noise")
    assert methods_of(noise, load(noise)) == []
    with pytest.raises(GanlibError, match="its latent has 256 values that spread over the whole image"):
        find_directions(noise, load(noise), "sefa")


def test_layers_of_styles_are_part_of_the_name(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "s", "stylegan2_ada")
    run = Run(tmp_path / "runs" / "s")
    model = load(run)
    found = find_directions(run, model, "sefa", layers=(1, 3), count=2)
    assert list(found) == ["sefa-1@1-2", "sefa-2@1-2"]
    ((direction, _),) = resolve(run, model, [Edit("sefa-2@1-2", 1.0)])
    assert torch.equal(direction.vector, found["sefa-2@1-2"].vector)
    with pytest.raises(GanlibError, match="has the layers 0 to 5, not 4 to 9"):
        find_directions(run, model, "pca", layers=(4, 10))


def test_latents_of_a_picture_are_kept_with_their_class_and_weights(run: Run) -> None:
    latents = load(run).latents([9])
    file = save_latents(run, "my dog", latents, 2)
    read, label = load_latents(run, "my dog")
    assert torch.equal(read.z, latents.z)
    assert (read.space, read.seeds.tolist(), label) == ("z", [9], 2)
    with pytest.raises(GanlibError, match="has no latents 'my cat'; it has my dog"):
        load_latents(run, "my cat")
    with pytest.raises(GanlibError, match="cannot name latents"):
        save_latents(run, "../x", latents, 2)
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(GanlibError, match="holds no latents that can be read"):
        load_latents(run, "my dog")
