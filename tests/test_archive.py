"""Runs without their weights: recipe, records, curves and pictures stay what they were."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from ganlib.archive import archive_run
from ganlib.records import present, read_evaluations
from ganlib.run_folder import RunError
from ganlib.runs import Run, find_run, scan
from helpers.record_entries import entry
from helpers.tiny_models import write_run


@pytest.fixture
def run(tmp_path) -> Run:
    run = write_run(tmp_path / "runs" / "one")
    run.folder.log.write_text("step,images,loss/D\n1,32,0.5\n2,64,0.25\n")
    run.folder.samples.mkdir()
    for images in (0, 3, 16, 48, 64):
        Image.new("RGB", (8, 8), (images, 0, 0)).save(run.folder.samples / f"{images}.webp", lossless=True)
    records = [entry(weights_hash=run.weights_hash, value=5.0), entry(weights_hash="old", value=9.0)]
    run.folder.evaluation.write_text(json.dumps({"records": records}))
    return run


def test_everything_but_the_weights_is_as_it_was(run, tmp_path):
    archived = archive_run(run, tmp_path / "archive")
    assert archived.archived
    assert archived.recipe == run.recipe
    assert (archived.images_seen, archived.training_seconds) == (64, 1.5)
    assert archived.weights_hash == run.weights_hash
    assert archived.folder.log.read_bytes() == run.folder.log.read_bytes()
    frame, errors = read_evaluations({archived.path: "one"})
    assert errors == []
    assert present(frame, {"one": archived.weights_hash}).value.to_list() == [5.0]
    assert archived.parameters == run.parameters
    assert not archived.folder.weights.exists()


def test_of_the_pictures_those_nearest_to_the_shares_stay(run, tmp_path):
    assert archive_run(run, tmp_path / "archive", (0.01, 0.2, 0.3, 1.0)).folder.sample_images() == [3, 16, 64]
    again = archive_run(run, tmp_path / "archive")
    assert again.folder.sample_images() == [64]
    assert again.folder.samples.joinpath("64.webp").read_bytes() == run.folder.samples.joinpath("64.webp").read_bytes()
    assert archive_run(run, tmp_path / "archive", ()).folder.sample_images() == []


def test_it_draws_nothing_and_says_so(run, tmp_path):
    archived = archive_run(run, tmp_path / "archive")
    assert run.generates
    assert not archived.generates
    with pytest.raises(
        RunError, match=r"^one was archived without its weights; train it again with `.* --like one`\.$"
    ):
        archived.load()
    assert find_run("one", [tmp_path / "archive"]).archived
    assert scan([tmp_path / "archive"])[1] == []


def test_a_run_with_weights_is_never_replaced(run, tmp_path):
    write_run(tmp_path / "archive" / "one")
    with pytest.raises(RunError, match="has weights; name another folder"):
        archive_run(run, tmp_path / "archive")
    assert Run(tmp_path / "archive" / "one").generates


def test_weights_that_come_back_count(run, tmp_path):
    archived = archive_run(run, tmp_path / "archive")
    archived.folder.weights.write_bytes(run.folder.weights.read_bytes())
    again = Run(archived.path)
    assert not again.archived
    assert again.generates


def test_without_weights_and_their_record_it_is_an_incomplete_copy(run):
    run.folder.weights.unlink()
    with pytest.raises(RunError, match="is missing; copy the whole run folder again"):
        assert Run(run.path).weights_hash


def test_a_damaged_record_of_the_weights_is_named(run, tmp_path):
    archived = archive_run(run, tmp_path / "archive")
    archived.folder.weights_record.write_text('{"weights_hash": "0123456789ab", "metadata": {"images": "nan"}}')
    with pytest.raises(RunError, match=r"weights\.json is damaged \(images 'nan' in its metadata\)"):
        assert Run(archived.path).images_seen
