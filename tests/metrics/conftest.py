"""Runs trained for moments, in a root of their own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from ganlib.__main__ import main
from ganlib.data import load_data


@pytest.fixture(scope="package")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
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
    return home


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
