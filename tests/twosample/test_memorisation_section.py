"""Held-out images of a comparison and of an export: fresh real images in place of generated ones are none too near."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ganlib.applications.export import ExportConfig, export
from ganlib.applications.export.copies import Sample
from ganlib.data import load_data
from ganlib.runs import Run
from ganlib.twosample.config import ComparisonConfig
from ganlib.twosample.context import prepare
from ganlib.twosample.memorisation_section import memorisation_section
from helpers.gallery import edit_recipe
from helpers.tiny_models import CPU, write_run

CLASSES = ("busy", "flat")  # pictures of flat lie much nearer to each other
N = 60  # images of a class in either split


def draw(label, n, seed):
    contrast = (1.0, 0.4)[label]
    levels = np.random.default_rng([label, seed]).integers(0, 256, (n, 8, 8)).repeat(2, 1).repeat(2, 2)
    return (128 + (levels - 128.0) * contrast).astype(np.uint8)


def generator(root, flat=N) -> Run:
    """Of a folder whose test images, so many of them flat, are stored class by class."""
    for seed, split in enumerate(("train", "test")):
        for label, name in enumerate(CLASSES):
            folder = root / "pictures" / split / name
            folder.mkdir(parents=True)
            for i, levels in enumerate(draw(label, flat if (split, name) == ("test", "flat") else N, seed)):
                Image.fromarray(levels).save(folder / f"{i:03}.png")
    name = "folder:pictures"
    data = load_data(name, size=16, channels=1, root=str(root))
    path = root / "generator"
    write_run(path, "cdcgan", num_classes=2)
    splits = {s: {"n": len(d), "fingerprint": d.fingerprint} for s, d in [("train", data.train), ("test", data.test)]}
    edit_recipe(path, data={"name": name, "classes": list(data.classes), **splits})
    assert (np.diff(data.test.labels) >= 0).all()
    return Run(path)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    return generator(tmp_path_factory.mktemp("sorted"))


def fresh(labels):
    """(n, 16, 16, 1) real images that are in no split."""
    labels = np.asarray(labels)
    images = np.empty((len(labels), 16, 16, 1), np.uint8)
    for label in (0, 1):
        images[labels == label] = draw(label, int((labels == label).sum()), 2)[..., None]
    return images


def test_a_comparison_of_fewer_images_than_are_held_out_takes_them_of_all_classes(run):
    config = ComparisonConfig(n=N, networks=("no-such-network",), data_root=str(run.path.parent))
    context = prepare(f"{run.data_name}#test", str(run.path), config, CPU, ({}, {}), lambda *_: None)
    context.synthetic = replace(context.synthetic, images=fresh(context.synthetic.labels))
    memorisation_section(context)
    test = context.result.tests.set_index("test").loc["nearer than held-out"]
    assert test["n_real"] == N
    assert 0.05 < test["p_value"] < 0.95


@pytest.mark.parametrize("counts", [(40, 40), (60, 0), (0, 60), (75, 25)])
def test_an_export_is_judged_beside_test_images_of_its_own_class_proportions(run, tmp_path, monkeypatch, counts):
    monkeypatch.setattr(Sample, "images", lambda self, rows, draw: fresh([row.label for row in rows]))
    export(run, tmp_path / "out", ExportConfig(counts=counts, data_root=str(run.path.parent)), CPU)
    tests = pd.read_csv(tmp_path / "out" / "memorisation_tests.csv").set_index("test")
    nearer = tests.loc["nearer than held-out"]
    assert 0.05 < nearer["p_value"] < 0.95
    held_out = {(40, 40): 2 * N, (60, 0): N, (0, 60): N, (75, 25): N * 100 // 75}[counts]
    assert nearer["n_real"] == held_out  # as many as there are, however few images are exported
    assert f"calibrated on {held_out} test images" in (tmp_path / "out" / "README.md").read_text()


def test_an_export_says_of_which_classes_there_are_too_few_test_images(tmp_path):
    export(generator(tmp_path, flat=5), tmp_path / "out", ExportConfig(counts=(40, 40), data_root=str(tmp_path)), CPU)
    card = (tmp_path / "out" / "README.md").read_text()
    assert "calibrated on 38 test images" in card
    assert "There are too few held-out images of 'flat'" in card
