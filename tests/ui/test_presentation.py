"""Presentation: views in order, by file or by link, in larger type; what is wrong with them is a sentence."""

from __future__ import annotations

import tomllib

import pytest
from streamlit.testing.v1 import AppTest

from ganlib.errors import GanlibError
from ganlib.settings import GALLERY, views_file
from ganlib.ui import presentation
from ganlib.ui.navigation import PAGES as NAVIGATION
from ganlib.ui.presentation import parse_view, read_views
from helpers.gallery import CONDITIONAL, OTHER, PROJECT
from helpers.streamlit_app import PAGES, open_page, values

VIEWS = f"""\
[[view]]
title = "First *things*"
link = "sampling?run={OTHER}&seed=3"

[[view]]
link = "interpolation?run={CONDITIONAL}"

[[view]]
link = "fid"
"""


@pytest.fixture(autouse=True)
def prepared(tmp_path, monkeypatch, gallery):
    (tmp_path / "views.toml").write_text(VIEWS)
    monkeypatch.setenv("GANLIB_VIEWS", str(tmp_path / "views.toml"))


def enabled(at: AppTest) -> dict[str, bool]:
    """The links of the bar."""
    return {link.proto.label: not link.proto.disabled for link in at.get("page_link")[:3]}


def presented(at: AppTest) -> bool:
    return any("font-size: 20px" in html for html in values(at, "html"))


def test_a_presented_view_has_larger_type_and_its_place_in_the_list():
    at = open_page("sampling", present="1", run=OTHER, seed="3")
    assert presented(at)
    assert any(caption.value == r"1 of 3 · First \*things\*" for caption in at.caption)
    assert enabled(at) == {"Previous": False, "Next": True, "End": True}
    assert enabled(open_page("fid", present="3")) == {"Previous": True, "Next": False, "End": True}
    assert not presented(open_page("fid"))


@pytest.mark.parametrize("readonly", ["", "1"])
def test_a_server_that_starts_removes_what_a_killed_one_left(readonly, own_gallery, monkeypatch):
    monkeypatch.setenv("GANLIB_READONLY", readonly)
    left = own_gallery / CONDITIONAL / "latents" / ".cat.safetensors.partial"
    left.parent.mkdir()
    left.write_bytes(b"half")
    presentation._warm_up()
    assert left.exists() == (readonly == "1")


def test_a_link_may_bring_its_own_views():
    at = open_page("fid", present="2", view=["home", "fid"])
    assert any(caption.value == "2 of 2 · FID comparison" for caption in at.caption)


@pytest.mark.parametrize("number", ["0", "-1", "99", "x", "9" * 5000])
def test_a_number_that_is_none_shows_the_first_or_the_last(number):
    at = open_page("home", present=number)
    assert presented(at)
    assert any(caption.value.startswith(("1 of 3", "3 of 3")) for caption in at.caption)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[view]]\nlink = 'http://elsewhere/x'", "A view begins with one of"),
        ("[[view]]\nlink = 3", "needs a link"),
        ("view = 3", "holds no [[view]] tables"),
        ("= 3", "no valid TOML"),
    ],
)
def test_a_broken_file_is_a_sentence_and_the_page_stays(text, says, tmp_path):
    (tmp_path / "views.toml").write_text(text)
    with pytest.raises(GanlibError) as error:
        read_views(views_file())
    assert says in str(error.value)
    at = open_page("sampling", present="1")
    assert len(at.error) == 1
    assert at.header[0].value == "Sampling"


def test_the_shipped_views_name_runs_that_exist(monkeypatch):
    monkeypatch.delenv("GANLIB_VIEWS")
    listed = read_views(views_file())
    names = {name for view in listed for name in view.query.get("run", [])}
    assert names <= {folder.name for folder in GALLERY.iterdir()}
    assert tomllib.loads(views_file().read_text())


def test_views_may_be_of_every_page():
    assert {file: page.title for file, page in NAVIGATION.items()} == PAGES
    assert {path.stem for path in (PROJECT / "pages").glob("*.py")} == set(NAVIGATION)
    assert parse_view("/fid?present=3&view=x&metric=kid").query == {"metric": ["kid"]}
