"""Names of run folders."""

from __future__ import annotations

from pathlib import Path

from ganlib.naming import run_names


def test_folders_of_one_name_get_distinct_names() -> None:
    folders = [Path("/x/gallery/a"), Path("/x/runs/a"), Path("/x/runs/a"), Path("/y/runs/a")]
    assert list(run_names(folders).values()) == ["a", "runs/a", "/y/runs/a"]
