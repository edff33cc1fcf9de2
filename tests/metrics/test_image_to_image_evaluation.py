"""``evaluate`` of image-to-image models, trained for moments on real digits."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganlib.__main__ import main
from ganlib.data import Split
from ganlib.metrics.image_to_image import directions
from ganlib.metrics.similarity import psnr
from ganlib.models import ImageToImage
from ganlib.records import read_records
from ganlib.run_folder import RunFolder
from ganlib.runs import Run
from ganlib.sampling import transform
from helpers.gallery import edit_recipe
from helpers.tiny_models import write_run

TRAINING = ["--image-size", "16", "--channels", "1", "--images", "16", "--batch-size", "4", "--device", "cpu"]
LITE = ["--extractor", "efficientnet_lite0", "--blocks", "2", "--device", "cpu"]


@pytest.fixture
def folder(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two domains, of dark and of light pictures."""
    target = tmp_path / "domains"
    monkeypatch.setenv("GANLIB_DATA", str(tmp_path))
    rng = np.random.default_rng(0)
    for part, count in (("train", 12), ("test", 8)):
        for name, level in (("dark", 40), ("light", 200)):
            place = target / part / name
            place.mkdir(parents=True)
            for i in range(count):
                Image.fromarray((level + rng.integers(-20, 20, (16, 16))).astype(np.uint8)).save(place / f"{i}.png")
    return target


def test_a_paired_model_is_compared_with_the_wanted_images(root: Path, folder: Path) -> None:
    path = root / "larger"
    network = ["--scale", "2", "--width", "4", "--blocks", "1", "--d-width", "4", "--feature", "0"]
    assert main(["train", "srgan", "--data", f"folder:{folder}", *TRAINING, *network, "--out", str(path)]) == 0
    assert main(["evaluate", str(path), "--metrics", "fid", "kid", *LITE]) == 0
    records = {record.metric: record for record in read_records(RunFolder(path).evaluation)}
    assert list(records) == ["psnr", "ssim", "feature_distance", "target_fid", "target_kid"]
    run = Run(path)
    test = np.stack(
        [
            np.asarray(Image.open(p))
            for p in sorted((folder / "test").glob("*/*.png"), key=lambda p: (p.parts[-2], int(p.stem)))
        ]
    )[..., None]
    model = run.load()
    assert isinstance(model, ImageToImage)
    expected = psnr(transform(model, test, [0] * len(test)).outputs, test).mean()
    assert records["psnr"].value == pytest.approx(expected, abs=0.05)
    assert records["psnr"].interval is not None
    assert records["psnr"].protocol.n_real == 16
    assert {r.protocol.extra["task"] for r in records.values()} == {"superresolution x2"}
    assert records["target_fid"].protocol.n_fake == 16
    assert "covariance is singular" in str(records["target_fid"].warning)
    assert records["psnr"].weights_hash == run.weights_hash


def test_domains_are_compared_each_way_before_and_after(root: Path, folder: Path, capsys) -> None:
    path = root / "translation"
    network = ["--width", "4", "--blocks", "1", "--d-width", "4", "--d-layers", "1", "--pool", "2"]
    assert main(["train", "cyclegan", "--data", f"folder:{folder}", *TRAINING, *network, "--out", str(path)]) == 0
    assert main(["evaluate", str(path), *LITE]) == 0
    records = read_records(RunFolder(path).evaluation)
    assert [(r.metric, r.protocol.extra["task"]) for r in records] == [
        ("target_fid", "dark to light"),
        ("source_fid", "dark to light"),
        ("target_fid", "light to dark"),
        ("source_fid", "light to dark"),
    ]
    assert "(efficientnet_lite0, dark to light, n=8 vs 12 train)" in records[0].describe()
    assert {(r.protocol.n_real, r.protocol.n_fake) for r in records} == {(12, 8)}
    capsys.readouterr()
    assert main(["evaluate", str(path), "--metrics", "isc", *LITE]) == 1
    assert "No single image is the wanted one in translation" in capsys.readouterr().err


def test_inputs_are_even_over_classes_or_in_proportion_to_an_imbalanced_set(tmp_path: Path) -> None:
    run, labels = write_run(tmp_path / "varies", "dagan"), np.repeat([0, 1, 2], 100)
    model: Any = SimpleNamespace(task="variation", condition="variation")
    test = Split(np.zeros((300, 4, 4, 1), np.uint8), labels, "f")
    rows = {}
    for name, counts in {"unknown": [], "even": [9, 8, 7], "imbalanced": [80, 16, 4]}.items():
        edit_recipe(run.path, data__class_counts=counts)
        (direction,) = directions(Run(run.path), model, test, 60)
        rows[name] = np.bincount(labels[direction.rows]).tolist()
    assert rows == {"unknown": [20] * 3, "even": [20] * 3, "imbalanced": [48, 10, 2]}
    (most,) = directions(Run(run.path), model, test, 10_000)
    assert np.bincount(labels[most.rows]).tolist() == [100, 20, 5]  # as many as the first class allows
