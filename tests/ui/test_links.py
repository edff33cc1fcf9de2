"""What a link asks for, in vain or not."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from helpers.gallery import CONDITIONAL, OTHER, PROJECT, STYLES, UNCONDITIONAL, direct
from helpers.hostile_runs import KEYS
from helpers.streamlit_app import (
    LINKS,
    arrays,
    every_page,
    fine,
    from_link,
    grids,
    is_one_sentence,
    open_page,
    set_to,
    strip,
)

BAD_LINKS = {
    "seed": ["abc", "-1", str(2**32), str(2**63), "1.5", "1e2", "1e999", "nan", "9" * 5000],
    "class": ["zebra", "10", "-1"],
    "run": ["no-such-run", "../digits-cdcgan"],
    "compare": ["no-such-run"],
    "temperature": ["hot", "nan", "-1", "1.6", "1e999"],
    "n": ["0", "7", "many", "1000000"],
}


@pytest.mark.parametrize(
    ("key", "value"), [(k, v) for k, values in BAD_LINKS.items() for v in values], ids=lambda t: t[:9]
)
def test_what_a_link_asks_for_in_vain_is_one_sentence_over_the_default_picture(key, value, gallery):
    at = open_page("sampling", **{key: value})
    assert [is_one_sentence(w.value) for w in at.warning] == [True]
    assert f"asks for {key} “{value[:40]}”" in at.warning[0].value
    assert np.array_equal(arrays(grids(at)[0]), direct(gallery, CONDITIONAL, range(16), [0] * 16))
    assert not at.error
    at = set_to(at, "text_input", "seed", "3")
    assert not at.warning  # said once


BAD_WALKS = [
    ("seed_a", "abc"),
    ("seed_b", "-1"),
    ("class_a", "x"),
    ("class_b", "10"),
    ("frames", "1"),
    ("frames", "129"),
    ("keys", "1"),
    ("latents_a", "x"),
    ("order", "backwards"),
    ("size", "100"),
]


@pytest.mark.parametrize(("key", "value"), [*BAD_WALKS, ("frames", "x"), ("path", "zigzag"), ("run", "x")])
def test_a_bad_link_to_an_interpolation_is_one_sentence_over_the_default_one(key, value, gallery):
    at = open_page("interpolation", **{key: value})
    assert [is_one_sentence(w.value) for w in at.warning] == [True]
    assert len(strip(at)) == 24


@pytest.mark.parametrize("page", ["sampling", "interpolation", "directions"])
def test_options_of_another_model_are_named_and_left_out(page, able):
    at = open_page(page, run=STYLES, truncation="0.5", guidance="3", c1="2")
    assert len(at.warning) == 2
    assert all(is_one_sentence(w.value) for w in at.warning)
    assert at.slider(key="truncation").value == 0.5
    assert not {"guidance", "c1"} & set(at.query_params)


@pytest.mark.parametrize(("key", "value"), [("runs", "no-such-run"), ("tags", "loss/X")])
def test_a_bad_link_to_curves_is_one_sentence(key, value, gallery):
    at = open_page("curves", **{key: value})
    assert [is_one_sentence(w.value) for w in at.warning] == [True]
    assert not at.error


def test_several_bad_values_are_each_named_and_the_good_ones_kept(gallery):
    at = open_page("sampling", run=OTHER, seed="abc", class_="zebra", n="4")
    assert len(at.warning) == 2
    assert np.array_equal(arrays(grids(at)[0]), direct(gallery, OTHER, range(4), [0] * 4))


def test_a_link_sets_every_control(gallery):
    at = open_page("sampling", run=CONDITIONAL, class_="7", seed="123456789", n="2", temperature="0.5")
    assert not at.warning
    expected = direct(gallery, CONDITIONAL, [123456789, 123456790], [7, 7], temperature=0.5)
    assert np.array_equal(arrays(grids(at)[0]), expected)


def test_a_link_with_a_class_to_an_unconditional_run_still_opens(gallery):
    at = open_page("sampling", run=UNCONDITIONAL, class_="3", seed="2", n="4")
    assert np.array_equal(arrays(grids(at)[0]), direct(gallery, UNCONDITIONAL, range(2, 6)))


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link["run"])
def test_the_link_on_the_page_opens_the_same_pictures(link, gallery):
    at = open_page("sampling", **link)
    again = from_link("sampling", at.code[0].value)
    assert not again.warning
    assert grids(again) == grids(at)
    assert again.code[0].value == at.code[0].value


@pytest.mark.parametrize(("page", "key", "value"), [("guessing", "n", 10), ("directions", "n", 4)])
def test_the_link_to_another_page_has_the_last_word_over_values_of_the_page_before(page, key, value, gallery):
    at = open_page("sampling", n="64", seed="5")
    for former in list(at.query_params):
        del at.query_params[former]
    at.query_params[key] = str(value)
    at = fine(at.switch_page(f"pages/{page}.py").run())
    assert at.select_slider(key=key).value == value
    assert not at.warning


@every_page
def test_what_an_interrupted_page_left_behind_does_not_reach_the_next(name, gallery):
    """Streamlit drops it only where a page ends; here a list of seeds, and values out of all ranges."""
    at = AppTest.from_file(PROJECT / "dashboard.py", default_timeout=60)
    for key in {*KEYS} - {"device"}:
        at.session_state[key.rstrip("_")] = "0-15,42"
    at.session_state["place"] = "another", None
    if name == "edit":
        at.query_params["source"] = "Generated"
    fine(at.switch_page(f"pages/{name}.py").run())
    assert not at.error
    assert not at.warning
