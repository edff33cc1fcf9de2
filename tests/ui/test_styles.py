"""Styles: truncation, held noise, mixing, and the space that an interpolation goes through."""

from __future__ import annotations

import numpy as np
import pytest

from ganlib.sampling import interpolate
from helpers.gallery import CANVAS, STYLES, direct, model
from helpers.streamlit_app import arrays, close, from_link, grids, open_page, set_to, strip


def test_truncation_and_held_noise_change_the_pictures_to_those_of_ganlib(able):
    at = open_page("sampling", run=STYLES, seed="3", n="4")
    assert np.array_equal(arrays(grids(at)[0]), direct(able, STYLES, range(3, 7), [0] * 4))
    at = set_to(at, "slider", "truncation", 0.5)
    assert np.array_equal(arrays(grids(at)[0]), direct(able, STYLES, range(3, 7), [0] * 4, truncation=0.5))
    at = set_to(at, "selectbox", "noise", "held")
    expected = direct(able, STYLES, range(3, 7), [0] * 4, truncation=0.5, noise="held")
    assert np.array_equal(arrays(grids(at)[0]), expected)


def test_the_mix_layer_is_asked_for_once_there_is_a_seed_to_mix_with(able):
    at = open_page("sampling", run=STYLES, seed="3", n="4")
    assert at.number_input(key="mix_seed").value is None
    assert "mix_layer" not in {s.key for s in at.slider}
    plain = grids(at)
    at = set_to(at, "number_input", "mix_seed", 8)
    assert np.array_equal(arrays(grids(at)[0]), direct(able, STYLES, range(3, 7), [0] * 4, mix_seed=8, mix_layer=3))
    at = set_to(at, "slider", "mix_layer", 1)
    mixed = grids(at)
    assert np.array_equal(arrays(mixed[0]), direct(able, STYLES, range(3, 7), [0] * 4, mix_seed=8, mix_layer=1))
    assert "--option mix_seed=8 --option mix_layer=1" in at.code[1].value
    assert grids(from_link("sampling", at.code[0].value)) == mixed
    at = set_to(at, "number_input", "mix_seed", None)
    assert grids(at) == plain
    assert "mix" not in at.code[0].value


@pytest.mark.parametrize(("space", "path"), [("w", "lerp"), ("z", "slerp")])
def test_an_interpolation_goes_through_the_space_that_is_chosen(space, path, able):
    at = open_page("interpolation", run=STYLES, class_a="a", class_b="b", seed_a="1", seed_b="2", frames="4")
    assert at.segmented_control(key="space").value == "w"
    at = set_to(at, "segmented_control", "space", space)
    assert ("path" in {c.key for c in at.segmented_control}) == (space == "z")
    expected = interpolate(model(able, STYLES), (1, 2), (0, 1), 4, space=space, path=path)[..., 0]
    assert close(arrays(strip(at)), expected)
    assert strip(from_link("interpolation", at.code[0].value)) == strip(at)


def test_a_model_of_one_space_is_not_asked_for_it(able):
    assert "space" not in {c.key for c in open_page("interpolation", run=CANVAS).segmented_control}
