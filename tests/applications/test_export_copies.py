"""The search for copies inside an export: files beside the card, training images only where anyone may have them."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ganlib.applications.export import ExportConfig, copies, export
from ganlib.applications.export.manifest import Row
from ganlib.applications.export.selection import Selection, samples_of
from ganlib.commands.export import _report
from ganlib.data import load_data
from ganlib.errors import GanlibError
from ganlib.models import GenerativeModel
from ganlib.runs import Run
from helpers.gallery import digits_run, pictures, pixels
from helpers.tiny_models import CPU


@pytest.fixture
def run(tmp_path) -> Run:
    return digits_run(tmp_path / "digits-cdcgan")


def test_the_report_lies_beside_the_card(run, tmp_path):
    export(run, tmp_path / "out", ExportConfig(images=20), CPU, report=_report)
    card = (tmp_path / "out" / "README.md").read_text()
    assert all(f"`{name}`" in card for name in copies.REPORT)
    page = (tmp_path / "out" / "memorisation.html").read_text()
    assert "Of 200 images" in card
    assert "None of 200 synthetic images is nearer" in page
    neighbours = pd.read_csv(tmp_path / "out" / "memorisation_neighbours.csv")
    manifest = csv.DictReader((tmp_path / "out" / "manifest.csv").read_text().splitlines())
    assert sorted(neighbours["file"]) == sorted(row["file"] for row in manifest)
    assert load_data(f"folder:{tmp_path / 'out'}").classes == run.classes  # no file is taken for an image
    sheet = pixels(pictures(page)[-1])  # behind those in the script of the charts
    assert sheet.shape == (4 * 18 - 2, 8 * 18 - 2)  # 16 pairs
    first = neighbours.iloc[0]
    assert np.array_equal(sheet[:16, :16], np.asarray(Image.open(tmp_path / "out" / first["file"])))
    training = load_data("digits", size=16, channels=1).train.images
    assert np.array_equal(sheet[:16, 18:34], training[first["training"]][..., 0])


@pytest.mark.parametrize("anonymised", [True, False])
def test_an_anonymised_export_and_one_of_other_peoples_images_show_none(run, tmp_path, monkeypatch, anonymised):
    config = ExportConfig(images=20, min_distance=0.05 if anonymised else 0.0)
    if not anonymised:
        monkeypatch.setattr(copies, "FREE", ())
    export(run, tmp_path / "out", config, CPU, report=_report)
    page = (tmp_path / "out" / "memorisation.html").read_text()
    sheet = pixels(pictures(page)[-1])  # behind those in the script of the charts
    assert sheet.shape == (2 * 18 - 2, 8 * 18 - 2)  # 16 generated images
    neighbours = pd.read_csv(tmp_path / "out" / "memorisation_neighbours.csv")
    for i, file in enumerate(neighbours["file"][:16]):
        y, x = i // 8 * 18, i % 8 * 18
        assert np.array_equal(sheet[y : y + 16, x : x + 16], np.asarray(Image.open(tmp_path / "out" / file)))
    assert ("training" in neighbours) != anonymised
    assert "Training images are not among them." in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.parametrize("form", ["folder", "webdataset"])
def test_an_export_that_was_stopped_before_its_card_gets_the_same_files(run, tmp_path, monkeypatch, form):
    config = ExportConfig(images=5, format=form)
    export(run, tmp_path / "whole", config, CPU, report=_report)

    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setitem(export.__globals__, "data_card", stop)  # the module goes by the function's name
        with pytest.raises(KeyboardInterrupt):
            export(run, tmp_path / "parts", config, CPU, report=_report)
    assert not (tmp_path / "parts" / "README.md").exists()
    export(run, tmp_path / "parts", config, CPU, report=_report)
    for name in (*copies.REPORT, "README.md"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_without_training_images_the_card_says_why_and_no_report_is_left(run, tmp_path, monkeypatch):
    export(run, tmp_path / "out", ExportConfig(images=5), CPU, report=_report)

    def missing(*arguments: object) -> None:
        raise GanlibError("They are not here.")

    monkeypatch.setattr(copies, "load_training_images", missing)
    export(run, tmp_path / "out", ExportConfig(images=5), CPU, report=_report)
    assert "Not examined: They are not here." in (tmp_path / "out" / "README.md").read_text()
    assert not [name for name in copies.REPORT if (tmp_path / "out" / name).exists()]


def test_images_of_the_sample_are_those_that_were_written(run):
    model = run.load()
    assert isinstance(model, GenerativeModel)
    selection = Selection(samples_of(model), [160] * 10)
    total, sample = selection.total, copies.Sample(selection.total)
    pictures = [picture for part in selection for picture in part]
    rows = [Row("", pictures[i].seed, "", pictures[i].label, {}) for i in sample.numbers]
    written = np.stack([pictures[i].image for i in sample.numbers])
    assert (total, len(rows)) == (1600, 1000)
    sample.keep(700, pictures[700:])  # as after an interruption
    asked: list[int] = []

    def draw(seeds, labels):
        asked.extend(seeds)
        return selection.draw(seeds, labels)

    assert np.array_equal(sample.images(rows, draw), written)
    assert asked == [pictures[i].seed for i in sample.numbers if i < 700]
