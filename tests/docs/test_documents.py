"""The documents: generated tables are current, links lead somewhere, the README stays short."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs import balancing, directions, experiments, frontier, licences
from docs.gallery import GALLERY, PAGE, render
from ganlib import __version__

PROJECT = Path(__file__).parents[2]
DOCUMENTS = [*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md"), *PROJECT.glob(".github/**/*.md")]
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_PATH = re.compile(r"`([\w./-]+/[\w.-]*\.(?:py|md|toml|yml|yaml|txt|csv|json|png))`")


@pytest.mark.slow
def test_the_gallery_page_is_what_its_command_writes(monkeypatch):
    monkeypatch.setenv("GANLIB_GALLERY", str(GALLERY))
    monkeypatch.delenv("GANLIB_RUNS", raising=False)
    assert PAGE.read_text(encoding="utf-8") == render(), "run python -m docs.gallery"


@pytest.mark.slow
def test_the_page_of_the_frontier_is_what_its_command_writes(monkeypatch):
    monkeypatch.setenv("GANLIB_GALLERY", str(GALLERY))
    monkeypatch.delenv("GANLIB_RUNS", raising=False)
    assert frontier.PAGE.read_text(encoding="utf-8") == frontier.render(), "run python -m docs.frontier"


def test_the_page_of_directions_is_that_of_its_tables():
    assert directions.PAGE.read_text(encoding="utf-8") == directions.render(), "run python -m docs.directions"


def test_the_page_of_balancing_is_what_its_command_writes():
    assert balancing.PAGE.read_text(encoding="utf-8") == balancing.render(), "run python -m docs.balancing"


@pytest.mark.slow
def test_the_page_of_experiments_is_what_its_command_writes():
    assert experiments.PAGE.read_text(encoding="utf-8") == experiments.render(), "run python -m docs.experiments"


def test_licences_of_all_requirements_are_listed():
    text = licences.PAGE.read_text(encoding="utf-8")
    listed = {line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if line.startswith("| ")}
    wanted = {name for file in licences.FILES for name in licences.names(file)}
    assert wanted <= listed, "run python -m docs.licences"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_relative_links_and_named_files_exist(document):
    text = document.read_text(encoding="utf-8")
    links = [link for link in _LINK.findall(text) if "://" not in link]
    missing = [link for link in links if not (document.parent / link.partition("#")[0]).exists()]
    missing += [name for name in _PATH.findall(text) if not (PROJECT / name).exists()]
    anchors = [link for link in links if "#" in link]
    missing += [link for link in anchors if not _has_anchor(document, link)]
    assert not missing


def _has_anchor(document: Path, link: str) -> bool:
    """Whether the link's place is a heading, or named in HTML, of its file or of the document itself."""
    path, _, anchor = link.partition("#")
    text = (document.parent / path if path else document).read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    places = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    return anchor in places + re.findall(r'<a id="([^"]+)">', text)


def test_contributors_are_told_of_every_program_that_writes_documents():
    text = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    programs = [f"docs.{path.stem}" for path in PROJECT.glob("docs/*.py") if path.stem != "__init__"]
    assert [program for program in programs if program not in text] == []


def test_the_readme_has_under_150_lines():
    assert len((PROJECT / "README.md").read_text(encoding="utf-8").splitlines()) < 150


def test_citation_and_changelog_have_the_version_of_the_package():
    assert f"\nversion: {__version__}\n" in (PROJECT / "CITATION.cff").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[(\S+)\]", (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert versions[0] == __version__
