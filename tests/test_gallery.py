"""What the gallery may hold: its size, and whose images."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ganlib.data.subset import whole_set
from ganlib.run_folder import RunFolder
from ganlib.runs import scan
from ganlib.settings import EXPERIMENTS, GALLERY

FREE = {"digits", "mnist", "fashion_mnist"}  # whose licences let a few images go with the project
LARGEST_FILE, WHOLE = 16_000_000, 300_000_000  # bytes


def tracked() -> list[Path]:
    root = GALLERY.parent
    done = subprocess.run(["git", "ls-files", "-z", GALLERY.name], cwd=root, capture_output=True, text=True)
    return [root / name for name in done.stdout.split("\0") if name]


def test_no_file_and_not_the_whole_is_too_large_for_a_clone() -> None:
    if not (files := tracked()):
        pytest.skip("no checkout")
    sizes = {path: path.stat().st_size for path in files}
    assert max(sizes.values()) <= LARGEST_FILE
    assert sum(sizes.values()) <= WHOLE


def test_reconstructions_are_shipped_where_the_test_images_above_them_may_be() -> None:
    runs, _ = scan([GALLERY, EXPERIMENTS / "runs"])
    shown = {whole_set(run.data_name) for run in runs if RunFolder(run.path).reconstruction_images()}
    assert shown
    assert shown <= FREE
