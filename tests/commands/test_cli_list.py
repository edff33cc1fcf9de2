"""list, broken runs, promote."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganlib.__main__ import main
from ganlib.models import MODELS
from ganlib.records import read_records
from ganlib.runs import Run
from helpers.command_line import run_command, run_refused_command
from helpers.gallery import (
    BROKEN,
    CONDITIONAL,
    IMAGES,
    MISFITS,
    OTHER,
    PROJECT,
    RUNS,
    add_broken_runs,
    copy_of,
    direct,
    score,
)
from helpers.tiny_models import files_of


def test_list_shows_models_runs_and_data_sets(gallery, capsys):
    text = run_command("list", capsys=capsys)
    for word in ("models", "runs", "data", *MODELS, *RUNS, "digits", "cifar10", "mnist", "celeba", "folder:"):
        assert word in text


@pytest.mark.parametrize(("what", "words"), [("models", list(MODELS)), ("runs", list(RUNS)), ("data", ["digits"])])
def test_list_shows_one_section_alone(what, words, gallery, capsys):
    text = run_command("list", what, capsys=capsys)
    for word in words:
        assert re.search(rf"^  {word}\s", text, re.MULTILINE)
    if what == "runs":
        assert text.count(f"{IMAGES} images") == len(RUNS)


def test_each_architecture_is_summed_up_under_its_name(capsys):
    lines = run_command("list", "models", capsys=capsys).splitlines()
    for name, line in zip(MODELS, lines, strict=True):
        family = MODELS[name].display_name.partition(" (")[0]  # without the kind of its networks
        assert family in line.removeprefix(f"  {name} ").partition(":")[0], line


def test_list_shows_the_snapshots_of_a_run(gallery, capsys):
    text = run_command("list", CONDITIONAL, capsys=capsys)
    assert f"{IMAGES} images seen" in text
    assert f"snapshots: 0, 320, 640, {IMAGES}" in text


def test_list_without_runs_says_where_it_looked(gallery, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GANLIB_GALLERY", str(tmp_path / "nothing"))
    text = run_command("list", "runs", capsys=capsys)
    assert f"no runs are in {tmp_path / 'nothing'}: train one" in text


@pytest.fixture
def damaged(gallery, tmp_path_factory, monkeypatch) -> Path:
    root = copy_of(gallery, tmp_path_factory.mktemp("damaged"))
    add_broken_runs(root)
    monkeypatch.setenv("GANLIB_GALLERY", str(root))
    return root


def test_list_names_each_broken_run_in_a_line_and_still_shows_the_others(damaged, capsys):
    lines = run_command("list", "runs", capsys=capsys).splitlines()
    named = {name for name in BROKEN if name != "config-refused"}  # that takes building the model
    assert len([line for line in lines if line.startswith("  ! ")]) == len(named)
    for name in named:
        assert len([line for line in lines if line.startswith("  ! ") and f"/{name}" in line]) == 1
    for name in RUNS:
        assert len([line for line in lines if line.startswith(f"  {name} ")]) == 1


@pytest.mark.parametrize(
    "command", [["sample"], ["evaluate"], ["list"], ["promote"], ["halve"], ["train", "--resume"]], ids=" ".join
)
def test_no_command_takes_a_broken_run_or_changes_it(command, damaged, tmp_path, capsys):
    before = files_of(damaged)
    for name in BROKEN | MISFITS:
        if command == ["list"] and name in (*MISFITS, "config-refused"):
            continue  # it builds no model
        run_refused_command(*command, name, *(["0"] if command == ["promote"] else []), capsys=capsys)
    assert files_of(damaged) == before
    assert list(tmp_path.iterdir()) == []


def test_a_broken_run_or_record_hides_no_other_score(damaged, capsys):
    (damaged / CONDITIONAL / "evaluation.json").write_text("{")
    assert main(["list", "scores"]) == 0
    out, err = capsys.readouterr()
    assert re.search(rf"^\| {OTHER} .* 8\.25 ± 1\.00 ", out, re.MULTILINE)
    assert f"{CONDITIONAL}/evaluation.json is damaged" in err
    run_command("list", capsys=capsys)


@pytest.mark.slow
def test_no_interval_of_a_listed_score_reads_as_zero(own_gallery, capsys):
    score(own_gallery / OTHER, 0.2234, low=0.2194, high=0.2274)
    assert "| 0.223 ± 0.004 |" in run_command("list", "scores", capsys=capsys)
    score(own_gallery / OTHER, 0.2234, low=0.2134, high=0.2334)
    assert "| 0.22 ± 0.01 |" in run_command("list", "scores", capsys=capsys)
    score(own_gallery / OTHER, 0.2234, interval=None)
    assert "| 0.22 |" in run_command("list", "scores", capsys=capsys)


@pytest.mark.slow
def test_promote_makes_a_snapshot_the_weights_and_says_to_evaluate_again(own_gallery, capsys):
    run = Run(own_gallery / OTHER)
    before, weights = run.weights_hash, direct(own_gallery, OTHER, range(4), [0] * 4)
    text = run_command("promote", OTHER, "320", capsys=capsys)
    assert "320 images" in text
    assert "evaluate it again" in text
    promoted = Run(own_gallery / OTHER)
    assert promoted.images_seen == 320
    assert promoted.weights_hash != before
    assert not np.array_equal(direct(own_gallery, OTHER, range(4), [0] * 4), weights)
    run_command("promote", OTHER, IMAGES, capsys=capsys)
    assert np.array_equal(direct(own_gallery, OTHER, range(4), [0] * 4), weights)


@pytest.mark.parametrize(("name", "snapshot"), [(OTHER, 5), (OTHER, -1), ("nothing", 0)])
def test_promoting_what_is_not_there_changes_nothing(name, snapshot, own_gallery, capsys):
    before = files_of(own_gallery)
    error = run_refused_command("promote", name, "--", snapshot, capsys=capsys)
    assert f"no snapshot at {snapshot} images; it has: 0, 320, 640, {IMAGES}" in error or "no run 'nothing'" in error
    assert files_of(own_gallery) == before


def test_list_metrics_has_those_of_the_same_images(own_gallery, capsys):
    score(own_gallery / OTHER, 0.875, metric="precision")
    score(own_gallery / OTHER, 0.125, metric="precision", n_fake=500)  # of fewer images
    score(own_gallery / OTHER, 0.5, metric="recall", protocol=protocol_of(own_gallery) | {"options": {"steps": 3}})
    score(own_gallery / OTHER, 0.5, metric="kid", protocol=protocol_of(own_gallery) | {"extractor_hash": "f" * 12})
    for space in ("z", "w"):
        score(own_gallery / OTHER, ord(space), metric="ppl", protocol=protocol_of(own_gallery) | {"space": space})
    rows = run_command("list", "metrics", capsys=capsys).splitlines()
    assert rows[0].startswith("| run | extractor | n | FID | FID∞ | KID | IS | Precision | Recall |")
    (mine,) = (row for row in rows if f"| {OTHER} |" in row)
    assert mine == f"| {OTHER} | embedded | 1,000 | 8.25 | – | – | – | 0.875 | – | – | – | {ord('z')} | – |"


def test_an_fid_of_fewer_images_than_the_others_of_its_row_says_so(own_gallery, capsys):
    fewer = protocol_of(own_gallery) | {"extractor": "efficientnet_lite0", "extractor_hash": "e" * 12, "n_fake": 500}
    score(own_gallery / OTHER, 300.0, low=290.0, high=310.0, protocol=fewer)
    (mine,) = (row for row in run_command("list", "scores", capsys=capsys).splitlines() if f"| {OTHER} |" in row)
    assert "| 8.25 ± 1.00 | 300 ± 10 (n 500) | – | 1,000 |" in mine


def test_scores_by_imagenet_features_stand_beside_the_embedded_ones(own_gallery, capsys):
    imagenet = protocol_of(own_gallery) | {"extractor": "efficientnet_lite0", "extractor_hash": "e" * 12}
    cas = imagenet | {"extractor": None, "extractor_name": None, "extractor_hash": None}
    score(own_gallery / OTHER, 300.0, low=290.0, high=310.0, protocol=imagenet)
    score(own_gallery / OTHER, 0.5, metric="cas", protocol=cas)
    (mine,) = (row for row in run_command("list", "scores", capsys=capsys).splitlines() if f"| {OTHER} |" in row)
    assert "| 8.25 ± 1.00 | 300 ± 10 | – | 1,000 |" in mine
    rows = [row for row in run_command("list", "metrics", capsys=capsys).splitlines() if f"| {OTHER} |" in row]
    assert [row.split(" | ")[1:4] for row in rows] == [
        ["embedded", "1,000", "8.25"],
        ["efficientnet_lite0", "1,000", "300"],
    ]
    assert [row.endswith("| 0.500 |") for row in rows] == [True, False]
    (own_gallery / OTHER / "evaluation.json").unlink()
    score(own_gallery / OTHER, 300.0, protocol=imagenet)
    (mine,) = (row for row in run_command("list", "scores", capsys=capsys).splitlines() if f"| {OTHER} |" in row)
    assert "| – | 300 | – | 1,000 |" in mine


def protocol_of(gallery: Path) -> dict[str, Any]:
    return read_records(gallery / OTHER / "evaluation.json")[0].protocol.to_dict()


def test_a_reader_that_stops_early_hears_no_complaint(gallery):
    command = [sys.executable, "-m", "ganlib", "list", "models"]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == (b"", 141)
