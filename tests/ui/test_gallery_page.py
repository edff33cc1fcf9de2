"""The gallery: a card a run."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from ganlib.models import GenerativeModel
from ganlib.runs import scan
from ganlib.settings import GALLERY
from helpers.gallery import CONDITIONAL, IMAGES, OTHER, PROJECT, RUNS, UNCONDITIONAL, score
from helpers.streamlit_app import PAGES, fine, grids, open_page, texts
from helpers.tiny_models import write_run


def test_the_app_opens_on_the_gallery(gallery):
    at = fine(AppTest.from_file(PROJECT / "app.py", default_timeout=60).run())
    assert at.header[0].value == "Gallery"


def test_the_gallery_has_a_card_for_each_run(gallery):
    at = open_page("gallery")
    assert sorted(s.value for s in at.subheader) == sorted(RUNS)
    html = [h.value for h in at.get("html")]
    assert [h.count("<img") for h in html].count(1) == len(RUNS)
    numbers = " ".join(html)
    for text in ("6.50", "8.25", "30.00", f"{IMAGES}", "images seen", "parameters", "FID"):
        assert text in numbers
    assert texts(at).count("10 classes to choose from") == 2
    assert texts(at).count("unconditional") == 1


def test_a_card_links_to_the_pages_with_its_run(gallery):
    links = {link.proto.page + "?" + link.proto.query_string for link in open_page("gallery").get("page_link")}
    for run in RUNS:
        assert {f"sampling?run={run}", f"interpolation?run={run}", f"curves?runs={run}"} <= links


def test_a_run_without_scores_says_how_to_get_one(own_gallery):
    (own_gallery / OTHER / "evaluation.json").unlink()
    html = " ".join(h.value for h in open_page("gallery").get("html"))
    assert f"python -m ganlib evaluate {OTHER}" in html
    assert "8.25" not in html


def test_the_best_of_the_runs_is_offered_first(own_gallery):
    assert open_page("sampling").selectbox(key="run").value == CONDITIONAL
    score(own_gallery / OTHER, 1.0, date="2026-11-21T10:00:00+00:00")
    assert open_page("sampling").selectbox(key="run").value == OTHER
    assert [s.value for s in open_page("gallery").subheader][:2] == [OTHER, CONDITIONAL]
    assert open_page("curves").multiselect(key="runs").value == [OTHER, CONDITIONAL, UNCONDITIONAL]


def test_the_gallery_can_show_one_data_set(own_gallery):
    write_run(own_gallery / "noise-dcgan", "dcgan")
    at = open_page("gallery")
    assert {s.value for s in at.subheader} == {*RUNS, "noise-dcgan"}
    at = open_page("gallery", data="noise")
    assert [s.value for s in at.subheader] == ["noise-dcgan"]
    at = open_page("gallery", data="faces")
    assert "there are" in at.warning[0].value
    assert len(at.subheader) == 4


@pytest.mark.slow
def test_the_shipped_gallery_opens_with_pictures(monkeypatch):
    for variable in ("GANLIB_GALLERY", "GANLIB_RUNS"):
        monkeypatch.delenv(variable, raising=False)
    if not any(issubclass(run.model_class, GenerativeModel) for run in scan([GALLERY])[0]):
        pytest.skip("checkpoints/ holds no generating run yet")
    at = open_page("sampling")
    assert not at.error
    assert len(grids(at)[0]) == 16
    for name in PAGES:
        open_page(name)
