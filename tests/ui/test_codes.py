"""Options that the seed decides until they are set."""

from __future__ import annotations

import shlex
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from ganlib.__main__ import main
from ganlib.images import grid
from ganlib.sampling import interpolate
from helpers.gallery import CODES, direct, model
from helpers.streamlit_app import arrays, from_link, grids, is_one_sentence, open_page, set_to, strip


def codes(at: AppTest) -> dict[str, Any]:
    return {s.key: s.value for s in at.select_slider if s.key in ("c1", "c2", "c3")}


FREE = {"c1": "from seed", "c2": "from seed", "c3": "from seed"}


def test_a_code_is_the_seeds_until_it_is_set(able):
    at = open_page("sampling", run=CODES)
    assert codes(at) == FREE
    assert at.select_slider(key="c1").options == ["from seed", "0", "1", "2"]
    tenths = [f"{i / 10:g}" for i in range(-20, 21)]
    assert at.select_slider(key="c2").options == ["from seed", *tenths]
    free = arrays(grids(at)[0])
    assert np.array_equal(free, direct(able, CODES, range(16)))
    at = set_to(at, "select_slider", "c1", "2")
    assert np.array_equal(arrays(grids(at)[0]), direct(able, CODES, range(16), c1=2))
    at = set_to(at, "select_slider", "c2", "-0.3")
    assert np.array_equal(arrays(grids(at)[0]), direct(able, CODES, range(16), c1=2, c2=-0.3))
    assert not np.array_equal(arrays(grids(at)[0]), free)
    at = set_to(at, "select_slider", "c1", "from seed")
    at = set_to(at, "select_slider", "c2", "from seed")
    assert np.array_equal(arrays(grids(at)[0]), free)


@pytest.mark.parametrize("link", [{"c1": "1", "c2": "-0.3"}, {"c1": "from seed", "c3": "0"}, {}], ids=str)
def test_a_link_and_a_command_line_keep_the_codes(link, able, tmp_path, monkeypatch):
    at = open_page("sampling", run=CODES, n="4", **link)
    assert codes(at) == FREE | link
    shared = dict(parse_qsl(urlsplit(at.code[0].value).query))
    assert {name: shared.get(name, "from seed") for name in FREE} == FREE | link
    again = from_link("sampling", at.code[0].value)
    assert not again.warning
    assert grids(again) == grids(at)
    assert again.code[0].value == at.code[0].value
    assert "from seed" not in at.code[1].value
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(at.code[1].value)[3:]) == 0
    assert np.array_equal(np.asarray(Image.open("grid.png")), np.asarray(grid(arrays(grids(at)[0])[..., None], 4)))


@pytest.mark.parametrize(
    ("key", "value"), [("c1", "3"), ("c1", "-1"), ("c1", "0.5"), ("c1", "seed"), ("c2", "2.1"), ("c2", "nan")]
)
def test_a_code_that_cannot_be_is_one_sentence_over_the_seeds_own(key, value, able):
    at = open_page("sampling", run=CODES, **{key: value})
    assert [is_one_sentence(w.value) for w in at.warning] == [True]
    assert "it can be from seed or " in at.warning[0].value
    assert codes(at) == FREE
    assert np.array_equal(arrays(grids(at)[0]), direct(able, CODES, range(16)))


@pytest.mark.parametrize(
    ("run", "link", "other", "left"),
    [
        ("more-codes", {"c1": "15"}, CODES, {}),
        ("more-codes", {"c1": "2", "c3": "1"}, CODES, {"c1": "2", "c3": "1"}),
        (CODES, {"c2": "-0.3", "c3": "0.5"}, "two-codes", {"c3": "0.5"}),
        (CODES, {"c2": "1"}, "two-codes", {"c2": "1"}),  # a number there, one of five here
    ],
)
@pytest.mark.parametrize("page", ["sampling", "interpolation"])
def test_another_run_takes_over_the_codes_that_it_has(page, run, link, other, left, able):
    at = open_page(page, run=run, **link)
    at = set_to(at, "selectbox", "run", other)
    assert not at.error
    assert not at.warning
    assert codes(at) == FREE | left
    options: dict[str, Any] = {name: float(value) for name, value in left.items()}
    if page == "sampling":
        assert np.array_equal(arrays(grids(at)[0]), direct(able, other, range(16), **options))
    else:
        assert np.array_equal(arrays(strip(at)), interpolate(model(able, other), (0, 1), None, 24, **options)[..., 0])


def test_a_run_without_codes_and_back(able):
    at = set_to(open_page("sampling", run=CODES, c1="1"), "selectbox", "run", "plain")
    assert codes(at) == {}
    assert np.array_equal(arrays(grids(at)[0]), direct(able, "plain", range(16)))
    assert codes(set_to(at, "selectbox", "run", CODES)).keys() == FREE.keys()


def test_compared_runs_follow_the_codes_as_far_as_they_can(able):
    at = open_page("sampling", run="more-codes", compare=CODES, c1="15", c2="0.5", n="4")
    first, second = (arrays(g) for g in grids(at))
    assert np.array_equal(first, direct(able, "more-codes", range(4), c1=15, c2=0.5))
    assert np.array_equal(second, direct(able, CODES, range(4), c2=0.5))
    at = set_to(at, "select_slider", "c1", "2")
    assert np.array_equal(arrays(grids(at)[1]), direct(able, CODES, range(4), c1=2, c2=0.5))


def test_an_interpolation_holds_the_codes_and_its_link_keeps_them(able):
    at = open_page("interpolation", run=CODES, frames="5")
    free = arrays(strip(at))
    assert np.array_equal(free, interpolate(model(able, CODES), (0, 1), None, 5)[..., 0])
    at = set_to(at, "select_slider", "c1", "2")
    held = arrays(strip(at))
    assert np.array_equal(held, interpolate(model(able, CODES), (0, 1), None, 5, c1=2)[..., 0])
    assert not np.array_equal(held, free)
    again = from_link("interpolation", at.code[0].value)
    assert not again.warning
    assert codes(again) == FREE | {"c1": "2"}
    assert strip(again) == strip(at)
