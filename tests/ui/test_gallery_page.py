"""The gallery: a card a run."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from ganlib.models import GenerativeModel
from ganlib.runs import scan
from ganlib.settings import GALLERY
from ganlib.ui.overview import pack
from helpers.gallery import CONDITIONAL, IMAGES, OTHER, PROJECT, RUNS, UNCONDITIONAL, edit_recipe, score
from helpers.streamlit_app import PAGES, cards, fine, grids, open_page, run_names, texts
from helpers.tiny_models import write_run


def test_the_app_opens_on_the_overview(gallery):
    at = fine(AppTest.from_file(PROJECT / "dashboard.py", default_timeout=60).run())
    assert at.header[0].value == "Overview"


def test_the_gallery_has_a_card_for_each_run(gallery):
    at = open_page("gallery")
    assert sorted(run_names(at)) == sorted(RUNS)
    assert [len(card["pictures"]) for card in cards(at)] == [1] * len(RUNS)
    facts = {(fact["label"], fact["value"]) for card in cards(at) for fact in card["facts"]}
    assert {"6.50", "8.25", "–"} == {value for label, value in facts if label.startswith("FID")}
    assert "only otherwise: 30.00" in str(cards(at))
    assert "parameters" in {label for label, _ in facts}
    kinds = [card["subtitle"] for card in cards(at)]
    data = "Handwritten digits, 16 px"
    assert sorted(kinds) == [f"{data} · 10 classes", f"{data} · 10 classes", f"{data} · unconditional"]


def test_large_cards_show_the_whole_sheet_and_the_training(gallery):
    at = open_page("gallery", cards="large")
    sheets = [card["pictures"][0] for card in cards(at)]
    assert all(f"after {IMAGES:,} training images" in sheet["alt"] for sheet in sheets)
    assert {"label": "images seen", "value": f"{IMAGES}"}.items() <= next(
        fact for fact in cards(at)[0]["facts"] if fact["label"] == "images seen"
    ).items()


def test_a_card_links_to_the_pages_with_its_run(gallery):
    links = {link["href"] for card in cards(open_page("gallery")) for link in card["links"]}
    for run in RUNS:
        assert {f"sampling?run={run}", f"interpolation?run={run}", f"curves?runs={run}"} <= links


def test_a_run_without_scores_says_how_to_get_one(own_gallery):
    (own_gallery / OTHER / "evaluation.json").unlink()
    text = str(cards(open_page("gallery")))
    assert f"python -m ganlib evaluate {OTHER}" in text
    assert "8.25" not in text


def test_the_gallery_is_filtered_by_family_and_by_classes(own_gallery):
    write_run(own_gallery / "noise-ddpm", "ddpm")
    at = open_page("gallery", family="diffusion")
    assert run_names(at) == ["noise-ddpm"]
    at = open_page("gallery", conditional="unconditional")
    assert run_names(at) == [UNCONDITIONAL]
    at = open_page("gallery", conditional="unconditional", family="diffusion")
    assert "No run passes these filters" in at.info[0].value


def test_a_long_gallery_has_pages(own_gallery):
    for i in range(15):
        write_run(own_gallery / f"noise-{i}", "dcgan")
    first, second = (run_names(open_page("gallery", **link)) for link in ({}, {"page": "2"}))
    assert (len(first), len(second)) == (16, 2)
    assert len({*first, *second}) == 18
    assert len(run_names(open_page("gallery", data="noise"))) == 15


def test_the_overview_shows_the_best_of_each_data_set_and_ranks_all_runs(own_gallery):
    write_run(own_gallery / "noise-dcgan", "dcgan")
    at = open_page("home")
    assert [s.value for s in at.subheader] == ["Handwritten digits · noise", "Leaderboard"]  # 3 runs and 1: one strip
    one = open_page("home", data="digits")
    assert [s.value for s in one.subheader] == ["Handwritten digits, 16 px", "Leaderboard"]
    assert run_names(one) == [CONDITIONAL, OTHER, UNCONDITIONAL]
    assert set(run_names(at)) == {*RUNS, "noise-dcgan"}
    table = at.dataframe[0].value.set_index("Run")
    assert table.FID[CONDITIONAL] == 6.5
    assert list(table.index[:3]) == [CONDITIONAL, OTHER, UNCONDITIONAL]
    assert table.Parameters.min() > 0
    assert "FID: embedded" in texts(one)


def test_small_data_sets_share_a_strip_and_large_ones_have_their_own():
    assert pack({"a": 2, "b": 4, "c": 1, "d": 2, "e": 1}) == [["a", "c", "e"], ["b"], ["d"]]


def test_data_sets_whose_pictures_tell_most_come_first_and_subsets_last(own_gallery):
    for name in ("noise-dcgan", "other-dcgan", "rare-dcgan"):
        write_run(own_gallery / name, "dcgan")
    edit_recipe(own_gallery / "other-dcgan", data__name="other")
    score(own_gallery / "other-dcgan", 0.9, metric="class_agreement")
    edit_recipe(own_gallery / "rare-dcgan", data__name="subset:digits@50:1")
    score(own_gallery / "rare-dcgan", 1.0, metric="class_agreement")
    score(own_gallery / CONDITIONAL, 0.5, metric="class_agreement")
    at = open_page("gallery")
    assert at.segmented_control(key="data").options == ["all data sets", "other", "Handwritten digits", "noise"]
    assert run_names(at) == ["other-dcgan", CONDITIONAL, OTHER, UNCONDITIONAL, "noise-dcgan", "rare-dcgan"]
    for link in ("Handwritten digits", "digits", "subset:digits@50:1", "Handwritten digits, 50:1"):
        assert sorted(run_names(open_page("gallery", data=link))) == sorted([*RUNS, "rare-dcgan"])


def test_the_best_of_the_runs_is_offered_first(own_gallery):
    assert open_page("sampling").selectbox(key="run").value == CONDITIONAL
    score(own_gallery / OTHER, 1.0, date="2026-11-21T10:00:00+00:00")
    assert open_page("sampling").selectbox(key="run").value == OTHER
    assert run_names(open_page("gallery"))[:2] == [OTHER, CONDITIONAL]
    assert open_page("curves").multiselect(key="runs").value == [OTHER, CONDITIONAL, UNCONDITIONAL]


@pytest.mark.parametrize("page", ["home", "gallery"])
def test_one_data_set_can_be_shown_by_either_of_its_names(page, own_gallery):
    write_run(own_gallery / "noise-dcgan", "dcgan")
    assert set(run_names(open_page(page))) == {*RUNS, "noise-dcgan"}
    assert run_names(open_page(page, data="noise")) == ["noise-dcgan"]
    for name in ("digits", "Handwritten digits"):
        assert set(run_names(open_page(page, data=name))) == set(RUNS)
    at = open_page(page, data="faces")
    assert "there are" in at.warning[0].value
    assert len(run_names(at)) == 4


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


def test_what_was_picked_by_eye_is_shown_first(own_gallery):
    (own_gallery / "showcase.json").write_text(json.dumps({"run": OTHER, "class": "4", "class_b": "7", "seed_b": 9}))
    at = open_page("sampling")
    assert (at.selectbox(key="run").value, at.segmented_control(key="class").value) == (OTHER, "4")
    at = open_page("interpolation")
    assert (at.segmented_control(key="class_b").value, at.number_input(key="seed_b").value) == ("7", 9)
    (own_gallery / "showcase.json").write_text("no JSON")
    assert open_page("sampling").selectbox(key="run").value == CONDITIONAL
