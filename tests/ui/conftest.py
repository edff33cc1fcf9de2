"""Galleries that a test may open the dashboard on."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
import streamlit as st

from ganlib.ui.catalog import MODELS_IN_MEMORY
from helpers.gallery import add_able_runs, add_broken_runs, copy_of, small_gallery
from helpers.tiny_models import write_run

FAST = {
    "test_markup.py",
    "test_sampling_page.py",
    "test_gallery_page.py",
    "test_interpolation_page.py",
    "test_cards.py",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Pages take seconds: most of this folder is of the slow tier, a test of each kind of page stays fast."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and item.path.name not in FAST:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
    return small_gallery(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module", autouse=True)
def _quick_collections(shared):
    """Streamlit collects garbage after every run: through all of torch and pandas that takes longer than the page.

    Caches are kept between these tests: their keys, not luck, must tell one test's runs from another's.
    """
    gc.freeze()
    yield
    gc.unfreeze()
    st.cache_data.clear()
    st.cache_resource.clear()
    MODELS_IN_MEMORY.clear()


@pytest.fixture
def use(monkeypatch, tmp_path_factory):
    """Puts a folder in place of the gallery and the local runs, and another in place of the user's caches."""

    def point(root: Path) -> Path:
        monkeypatch.setenv("GANLIB_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        monkeypatch.setenv("GANLIB_GALLERY", str(root))
        monkeypatch.delenv("GANLIB_RUNS", raising=False)
        return root

    return point


@pytest.fixture
def gallery(shared, use) -> Path:
    return use(shared)


@pytest.fixture
def own_gallery(shared, use, tmp_path) -> Path:
    """A copy that a test may change."""
    return use(copy_of(shared, tmp_path / "gallery"))


@pytest.fixture(scope="session")
def damaged(shared, tmp_path_factory) -> Path:
    root = copy_of(shared, tmp_path_factory.mktemp("damaged"))
    add_broken_runs(root)
    return root


@pytest.fixture(scope="session")
def able_runs(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("able")
    add_able_runs(root)
    write_run(root / "more-codes", "infogan", categories=[20])
    write_run(root / "two-codes", "infogan", categories=[3, 5])
    write_run(root / "long-canvas", "gran", steps=16)
    write_run(root / "plain", "dcgan")
    return root


@pytest.fixture
def able(able_runs, use) -> Path:
    return use(able_runs)
