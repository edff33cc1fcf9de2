"""The small gallery as the command line sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.gallery import copy_of, small_gallery


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Path:
    return small_gallery(tmp_path_factory.getbasetemp())


@pytest.fixture
def gallery(shared, tmp_path, monkeypatch) -> Path:
    """The shared gallery as the only root, and an empty folder to work in."""
    monkeypatch.setenv("GANLIB_GALLERY", str(shared))
    monkeypatch.delenv("GANLIB_RUNS", raising=False)
    monkeypatch.chdir(tmp_path)
    return shared


@pytest.fixture
def own_gallery(gallery, tmp_path_factory, monkeypatch) -> Path:
    """A copy that a test may change."""
    root = copy_of(gallery, tmp_path_factory.mktemp("own"))
    monkeypatch.setenv("GANLIB_GALLERY", str(root))
    return root
