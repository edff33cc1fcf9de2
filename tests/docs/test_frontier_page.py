"""The commands of docs/frontier.md repeat the training of a point."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.frontier import command, read_points, table
from ganlib.__main__ import main
from ganlib.runs import Run
from helpers.gallery import CONDITIONAL, IMAGES, OTHER, copy_of, score, small_gallery

SMALL = ["--width", "4", "--z-dim", "4", "--batch-size", "16", "--precision", "fp32", "--device", "cpu"]


def repeat(point: str, out: Path) -> Run:
    """What the command trains, on the CPU."""
    words = point.split()
    assert words[:3] == ["python", "-m", "ganlib"]
    assert main([*words[3:], "--device", "cpu", "--out", str(out)]) == 0
    return Run(out)


def same_average(run: Run, other: Run, snapshot: int) -> bool:
    tensors, expected = run.read_snapshot(run.images_seen), other.read_snapshot(snapshot)
    return tensors.keys() == expected.keys() and all((tensors[key] == expected[key]).all() for key in expected)


@pytest.fixture
def gallery_of_two(tmp_path, monkeypatch):
    """A run with a limit of minutes, and one without that goes on from it at another rate."""
    root = tmp_path / "gallery"
    monkeypatch.setenv("GANLIB_GALLERY", str(root))
    monkeypatch.delenv("GANLIB_RUNS", raising=False)
    first = [*SMALL, "--images", "64", "--max-minutes", "9", "--snapshot-at", "32", "--out", str(root / "first")]
    assert main(["train", "dcgan", "--data", "digits", *first]) == 0
    more = ["--lr", "0.01", "--seed", "3", "--images", "48", "--max-minutes", "0", "--snapshot-at", "16"]
    assert main(["train", "--start", "first", *more, "--device", "cpu", "--out", str(root / "second")]) == 0
    return root


def test_a_command_ends_with_the_weights_of_its_point(gallery_of_two, tmp_path):
    first, second = (Run(gallery_of_two / name) for name in ("first", "second"))
    text = command(first, 32)
    assert text == "python -m ganlib train --like first --images 32 --max-minutes 0"
    assert same_average(repeat(text, tmp_path / "a"), first, 32)
    text = command(second, 16)
    assert "--start first" in text
    assert text.endswith("--images 16 --max-minutes 0")  # else the 9 minutes of the first would hold
    assert "--seed 3" in text
    assert same_average(repeat(text, tmp_path / "b"), second, 16)


@pytest.fixture
def own_gallery(tmp_path, tmp_path_factory, monkeypatch):
    """A copy of the small gallery that a test may change."""
    root = copy_of(small_gallery(tmp_path_factory.getbasetemp()), tmp_path / "own")
    monkeypatch.setenv("GANLIB_GALLERY", str(root))
    monkeypatch.delenv("GANLIB_RUNS", raising=False)
    return root


def test_a_row_is_a_point_and_the_frontier_is_marked(own_gallery):
    for snapshot, value in [(320, 20.0), (640, 2.0)]:
        score(own_gallery / OTHER, value, snapshot=snapshot, images_seen=snapshot, weights_hash="000000000000")
    score(own_gallery / OTHER, 0.5, metric="class_agreement")
    score(own_gallery / OTHER, 0.1, metric="class_agreement", n_fake=500)  # of other images
    points, compared = read_points("digits")
    runs = [(point.run.name, point.images) for point in points]
    assert runs[0] == (CONDITIONAL, IMAGES)
    assert runs[-3:] == [(OTHER, 320), (OTHER, 640), (OTHER, IMAGES)]
    assert set(compared["run"]) == {CONDITIONAL, OTHER}  # the third was measured on fewer images
    rows = {tuple(line.split(" | ")[0:2]): line for line in table(points, compared)[2:]}
    assert "| 2.00 |" in rows[f"| {OTHER}", "640"]
    assert rows[f"| {OTHER}", "640"].endswith("◆ |")
    assert " 50.0% " in rows[f"| {OTHER}", str(IMAGES)]
    assert "◆" not in rows[f"| {OTHER}", str(IMAGES)]
