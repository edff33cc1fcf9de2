"""Exports: a row is the image of its seed, an interrupted export ends the same, filters leave out what they say."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganlib.applications.export import ExportConfig, export, filters
from ganlib.applications.export.card import _size_category
from ganlib.applications.export.filters import Confidence, Distance
from ganlib.applications.export.formats import Encoded, ShardWriter, class_folders
from ganlib.applications.export.manifest import Row
from ganlib.applications.export.selection import Selection, samples_of
from ganlib.data import load_data
from ganlib.errors import GanlibError
from ganlib.runs import Run
from ganlib.sampling import sample
from helpers.gallery import digits_run
from helpers.tiny_models import CPU, build, write_run

PNG = "*/*.png"


def rows_of(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "manifest.csv").read_text(encoding="utf-8").splitlines()))


def hashes(folder: Path) -> dict[str, str]:
    """Of every file but the header, which says when it was begun."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "export.json")
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return digits_run(tmp_path / "digits-cdcgan")


def test_each_row_is_the_image_of_its_seed_and_class(run, tmp_path):
    result = export(run, tmp_path / "out", ExportConfig(images=12), CPU)
    assert (result.images, result.resumed) == (120, 0)
    rows = rows_of(tmp_path / "out")
    seeds, labels = [int(row["seed"]) for row in rows], [int(row["label"]) for row in rows]
    assert len(set(seeds)) == 120
    assert np.bincount(labels).tolist() == [12] * 10
    images = np.stack([np.asarray(Image.open(tmp_path / "out" / row["file"])) for row in rows])
    assert np.array_equal(images[..., None], sample(run.load(), seeds, labels))
    assert {row["weights_sha256_12"] for row in rows} == {run.weights_hash}
    assert {row["class"] for row in rows} == set(run.classes)


def test_an_export_is_a_data_set_to_train_on(run, tmp_path):
    export(run, tmp_path / "out", ExportConfig(counts=(5, 10, *[6] * 8)), CPU)
    data = load_data(f"folder:{tmp_path / 'out'}")
    assert data.classes == run.classes
    assert np.bincount(np.concatenate([data.train.labels, data.test.labels])).tolist() == [5, 10, *[6] * 8]


def members(path: Path) -> list[tuple[str, bytes]]:
    """Of a ZIP, in their order, but for the header, which has the time."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return [(name, archive.read(name)) for name in archive.namelist() if name != "export.json"]


@pytest.mark.parametrize("form", ["folder", "webdataset", "zip"])
def test_an_interrupted_export_ends_as_an_uninterrupted_one(run, tmp_path, form):
    config = ExportConfig(images=30, format=form, shard=70)
    export(run, tmp_path / "whole", config, CPU)

    class StopError(Exception):
        pass

    def stop(stage: str, done: int, total: int) -> None:
        if done > 200:
            raise StopError

    with pytest.raises(StopError):
        export(run, tmp_path / "parts", config, CPU, progress=stop)
    partial = tmp_path / ("parts.partial" if form == "zip" else "parts")
    manifest = partial / "manifest.csv"
    manifest.write_bytes(manifest.read_bytes() + b"4/0000000")  # what a kill may leave
    result = export(run, tmp_path / "parts", config, CPU)
    assert 0 < result.resumed < 300
    if form == "zip":
        assert members(tmp_path / "whole") == members(tmp_path / "parts")
        assert len(members(tmp_path / "whole")) == 305  # with manifest, card and three tables of the search for copies
        assert not partial.exists()
    else:
        assert hashes(tmp_path / "whole") == hashes(tmp_path / "parts")


@pytest.mark.slow
@pytest.mark.parametrize("form", ["folder", "zip"])
def test_a_killed_export_ends_as_an_uninterrupted_one(run, tmp_path, form):
    config = ExportConfig(images=400, format=form)
    export(run, tmp_path / "whole", config, CPU)
    command = [sys.executable, "-m", "ganlib", "export", run.path, "--images", "400", "--format", form]
    command += ["--out", tmp_path / "parts"]
    for rows in (100, 900):
        process = subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL, env=os.environ)
        manifest = tmp_path / ("parts.partial" if form == "zip" else "parts") / "manifest.csv"
        while process.poll() is None and not (manifest.exists() and manifest.read_bytes().count(b"\n") > rows):
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert export(run, tmp_path / "parts", config, CPU).resumed > 800
    if form == "zip":
        assert members(tmp_path / "whole") == members(tmp_path / "parts")
    else:
        assert hashes(tmp_path / "whole") == hashes(tmp_path / "parts")


def test_what_a_killed_export_was_writing_goes(run, tmp_path):
    config = ExportConfig(images=3)
    export(run, tmp_path / "out", config, CPU)
    left = tmp_path / "out" / ".writing-killed"
    left.mkdir()
    (left / "image.png").write_bytes(b"half")
    export(run, tmp_path / "out", config, CPU)
    assert not list((tmp_path / "out").glob(".*"))
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "out").glob(PNG)} == {0o644}


def test_a_zip_that_lacks_what_its_manifest_names_is_said(run, tmp_path):
    config = ExportConfig(images=2, format="zip")
    export(run, tmp_path / "whole", config, CPU)
    partial = tmp_path / "parts.partial"
    partial.mkdir()
    with zipfile.ZipFile(tmp_path / "whole") as archive:
        archive.extract("export.json", partial)
        archive.extract("manifest.csv", partial)
    (partial / "images.zip").write_bytes((tmp_path / "whole").read_bytes()[:5000])
    with pytest.raises(GanlibError, match=r"images.zip lacks images that its manifest names; delete .*partial and"):
        export(run, tmp_path / "parts", config, CPU)


def test_shards_hold_image_class_and_seed(run, tmp_path):
    export(run, tmp_path / "out", ExportConfig(images=7, format="webdataset", shard=32), CPU)
    names = sorted(path.name for path in tmp_path.glob("out/*.tar"))
    assert names == ["shard-000000.tar", "shard-000001.tar", "shard-000002.tar"]
    rows = rows_of(tmp_path / "out")
    with tarfile.open(tmp_path / "out" / names[1]) as archive:
        members = archive.getnames()
        row = rows[32]
        key = f"{int(row['seed']):010d}"
        assert members[:3] == [f"{key}.png", f"{key}.json", f"{key}.cls"]
        assert archive.extractfile(f"{key}.cls").read().decode() == row["label"]
        assert json.loads(archive.extractfile(f"{key}.json").read())["seed"] == int(row["seed"])
    assert len({row["label"] for row in rows[:32]}) == 10  # shards hold all classes


@pytest.mark.parametrize("sizes", [[0], [1, 511, 512, 513], [5000] * 40])
def test_shards_are_the_bytes_of_tarfile(tmp_path, sizes):
    rows = [Row("", 7 * i, "chá", i, {"confidence": 0.5}) for i in range(len(sizes))]
    images = [Encoded(row, bytes(range(256)) * 20) for row in rows]
    images = [Encoded(row, content[:size]) for (row, content), size in zip(images, sizes, strict=True)]
    writer = ShardWriter(tmp_path, 100, 0)
    writer.write(images)
    assert writer.finish() == rows
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for row, content in images:
            about = json.dumps({"seed": row.seed, "class": "chá", "confidence": 0.5}, ensure_ascii=False).encode()
            for ending, data in (("png", content), ("json", about), ("cls", str(row.label).encode())):
                member = tarfile.TarInfo(f"{row.seed:010d}.{ending}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    assert (tmp_path / "shard-000000.tar").read_bytes() == buffer.getvalue()


def test_an_unconditional_run_gives_unlabelled_images(tmp_path):
    export(write_run(tmp_path / "noise-dcgan", "dcgan"), tmp_path / "out", ExportConfig(images=9), CPU)
    rows = rows_of(tmp_path / "out")
    assert [int(row["seed"]) for row in rows] == list(range(9))
    assert {(row["label"], row["class"]) for row in rows} == {("", "")}
    assert len(list((tmp_path / "out" / "images").glob("*.png"))) == 9


class Parity:
    """Lets a share of the images pass: those of even mean level."""

    name, flag = "confidence", "min-confidence"

    def scores(self, images, labels):
        return (images.reshape(len(images), -1).sum(1) % 2).astype(float)

    def passes(self, scores):
        return scores > 0


def test_filtered_images_are_the_first_of_each_class_that_pass():
    model, quotas = build("cdcgan"), [30, 0, 40]
    selection = Selection(samples_of(model), quotas, 7, [Parity()])
    pictures = [picture for part in selection for picture in part]
    for label, quota in enumerate(quotas):
        seeds = [7 + 3 * turn + label for turn in range(200)]
        images = sample(model, seeds, torch.full((200,), label))
        passing = np.array(seeds)[Parity().passes(Parity().scores(images, []))][:quota]
        assert [p.seed for p in pictures if p.label == label] == passing.tolist()


class Nothing(Parity):
    def passes(self, scores):
        return scores < 0


def test_a_filter_that_nothing_passes_is_said():
    with pytest.raises(GanlibError, match="only 0 pass the filters; lower --min-confidence"):
        list(Selection(samples_of(build("cdcgan")), [1, 1, 1], 0, [Nothing()]))


def test_confidence_is_the_probability_of_the_class():
    classifier = build("classifier")
    images = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 1), np.uint8)
    scores = [Confidence(classifier, CPU, 0.5).scores(images, [label] * 6) for label in range(3)]
    assert np.sum(scores, axis=0) == pytest.approx(np.ones(6))


def test_distance_is_calibrated_on_test_images():
    rng = np.random.default_rng(0)
    training, test = (rng.integers(0, 256, (n, 16, 16, 1), np.uint8) for n in (50, 200))
    near = Distance(training, test, 0.1)
    assert near.passes(near.scores(test, [])).mean() == pytest.approx(0.9, abs=0.01)
    copies = np.concatenate([training[:5], training[5:10, :, ::-1]])
    assert near.scores(copies, []) == pytest.approx(np.zeros(10), abs=1e-2)
    assert not near.passes(near.scores(copies, [])).any()
    shifted = training[:5].astype(int) // 2 + 64
    half = np.abs(shifted - training[:5]).mean()
    assert near.scores(shifted.astype(np.uint8), []).max() < 2 * half


def test_the_card_says_where_the_images_come_from_and_whether_they_are_copies(run, tmp_path):
    export(run, tmp_path / "out", ExportConfig(images=10, min_distance=0.05), CPU)
    card = (tmp_path / "out" / "README.md").read_text()
    assert f"weights `{run.weights_hash}`" in card
    assert "| 3 | 3 | 10 | " in card
    assert "--min-distance 0.05" in card
    assert "Of 100 images none is called a copy" in card
    assert "In thumbnails of 8 x 8 pixels, mirrored or not, no image lies as near to a training image as 5 % of" in card
    assert all(float(row["distance"]) > 0 for row in rows_of(tmp_path / "out"))


def test_a_filter_that_judges_otherwise_than_at_the_start_is_refused(run, tmp_path, monkeypatch):
    config = ExportConfig(images=3, min_confidence=1e-6, min_distance=0.01)
    monkeypatch.setattr(filters, "load_classifier", lambda run, device: build("classifier", num_classes=10))
    monkeypatch.setattr(filters, "classifier_hash", lambda run: "0123456789ab")
    configs = {"folder": config, "zip": replace(config, format="zip")}
    for out, chosen in configs.items():
        export(run, tmp_path / out, chosen, CPU)
    header = json.loads((tmp_path / "folder" / "export.json").read_text())
    assert header["filters"]["confidence"] == "0123456789ab"
    assert "(weights `0123456789ab`)" in (tmp_path / "folder" / "README.md").read_text()
    monkeypatch.setattr(filters, "classifier_hash", lambda run: "ba9876543210")
    said = r"filtered by another classifier \(0123456789ab\) than are here now \(ba9876543210\); choose another --out"
    for out, chosen in configs.items():
        with pytest.raises(GanlibError, match=said):
            export(run, tmp_path / out, chosen, CPU)
    del header["filters"]  # as earlier versions wrote it
    (tmp_path / "folder" / "export.json").write_text(json.dumps(header))
    assert export(run, tmp_path / "folder", config, CPU).resumed == 30


def test_a_filter_that_cannot_judge_leaves_no_folder(run, tmp_path, monkeypatch):
    monkeypatch.setattr(filters, "load_classifier", lambda run, device: None)
    with pytest.raises(GanlibError, match="takes a classifier of digits, and no run is one"):
        export(run, tmp_path / "out", ExportConfig(images=3, min_confidence=0.5), CPU)
    assert not (tmp_path / "out").exists()


def test_what_is_there_already(run, tmp_path):
    config = ExportConfig(images=3)
    export(run, tmp_path / "out", config, CPU)
    assert export(run, tmp_path / "out", config, CPU).resumed == 30
    with pytest.raises(GanlibError, match="holds an export with another export; choose another --out"):
        export(run, tmp_path / "out", ExportConfig(images=4), CPU)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(GanlibError, match="holds other files"):
        export(run, tmp_path / "other", config, CPU)
    with pytest.raises(GanlibError, match="Give a count for each of 10 classes"):
        export(run, tmp_path / "new", ExportConfig(counts=(1, 2)), CPU)


@pytest.mark.parametrize("form", ["folder", "zip", "webdataset"])
def test_of_two_exports_into_one_place_the_second_is_refused(run, tmp_path, form):
    """Both would write every image and every row of the manifest."""
    config = ExportConfig(images=3, format=form)
    refused: list[pytest.ExceptionInfo[GanlibError]] = []

    def export_again(stage: str, done: int, total: int) -> None:
        if not refused:
            with pytest.raises(GanlibError, match=r"Another process is exporting to .*out; wait for it") as error:
                export(run, tmp_path / "out", config, CPU)
            refused.append(error)

    assert export(run, tmp_path / "out", config, CPU, progress=export_again).images == 30
    assert refused
    assert export(run, tmp_path / "out", config, CPU).resumed == 30


@pytest.mark.parametrize("change", ["twice", "out of order", "foreign"])
def test_a_manifest_that_lists_other_images_than_were_asked_for_is_refused(run, tmp_path, change):
    """Such as two processes of an earlier version wrote: its counts and its data card would be false."""
    config = ExportConfig(images=3)
    export(run, tmp_path / "out", config, CPU)
    path = tmp_path / "out" / "manifest.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    changed = {"twice": rows + rows, "out of order": rows[::-1], "foreign": rows[:-1] + rows[-1:] * 2}[change]
    path.write_text("".join([header, *changed]), encoding="utf-8")
    with pytest.raises(GanlibError, match=r"The manifest has seed \d+ twice, out of order or beyond"):
        export(run, tmp_path / "out", config, CPU)


def test_the_card_has_the_hubs_size_category():
    sizes = {1: "n<1K", 999: "n<1K", 1_000: "1K<n<10K", 100_000: "100K<n<1M", 1_000_000: "1M<n<10M", 10**9: "1B<n<10B"}
    assert {images: _size_category(images) for images in sizes} == sizes


def test_folders_that_every_system_holds():
    names = class_folders(["a/b", "A_b", "train", "con", " . ", "été", "é", "e\u0301"])
    assert names[:5] == ["a_b", "A_b_1", "class_2_train", "class_3_con", "class_4_"]
    assert len({name.casefold() for name in names}) == len(names)
