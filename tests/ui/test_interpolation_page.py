"""Interpolation between two seeds and classes."""

from __future__ import annotations

import numpy as np
import pytest

from ganlib.sampling import interpolate
from ganlib.ui.interpolation import even_columns
from helpers.gallery import CONDITIONAL, OTHER, SLOW, UNCONDITIONAL, model, pixels
from helpers.streamlit_app import animation, arrays, close, from_link, grids, open_page, set_to, strip


def test_both_ends_are_the_sampling_pages_pictures(gallery):
    walk = open_page("interpolation", run=OTHER, seed_a="11", class_a="2", seed_b="12", class_b="9", frames="7")
    ends = [
        grids(open_page("sampling", run=OTHER, seed=s, class_=c, n="1"))[0][0] for s, c in (("11", "2"), ("12", "9"))
    ]
    frames = strip(walk)
    assert len(frames) == 7
    assert close(pixels(frames[0]), pixels(ends[0]))
    assert close(pixels(frames[-1]), pixels(ends[1]))
    assert len(set(frames)) == 7
    expected = interpolate(model(gallery, OTHER), (11, 12), (2, 9), 7)[..., 0]
    assert np.array_equal(arrays(frames), expected)


@pytest.mark.parametrize(("frames", "columns"), [(24, 8), (16, 8), (7, 7), (9, 5), (5, 5), (25, 5), (2, 2), (36, 6)])
def test_rows_of_the_film_strip_are_as_even_as_can_be(frames, columns):
    assert even_columns(frames) == columns


def test_the_animation_shows_the_film_strip_boomerang(gallery):
    at = open_page("interpolation", run=CONDITIONAL, frames="6", fps="20")
    frames = arrays(strip(at))
    with animation(at) as gif:
        assert getattr(gif, "n_frames", 1) == 10
        assert gif.info["duration"] == 50
        for i, frame in enumerate([*frames, *frames[-2:0:-1]]):
            gif.seek(i)
            assert close(np.asarray(gif.convert("L"))[8::16, 8::16], frame)


def test_a_class_changes_into_another_at_a_fixed_seed(gallery):
    at = open_page("interpolation", run=OTHER, seed_a="3", frames="5")
    at = set_to(at, "toggle", "same_seed", True)
    assert [n.key for n in at.number_input] == ["seed_a"]
    at = set_to(at, "segmented_control", "class_b", "8")
    assert np.array_equal(arrays(strip(at)), interpolate(model(gallery, OTHER), (3, 3), (0, 8), 5)[..., 0])
    assert len(set(strip(at))) > 2


@pytest.mark.parametrize("path", ["lerp", "slerp"])
def test_the_path_is_the_one_chosen(path, gallery):
    at = open_page("interpolation", run=UNCONDITIONAL, frames="9", path=path)
    expected = interpolate(model(gallery, UNCONDITIONAL), (0, 1), None, 9, path=path)[..., 0]
    assert np.array_equal(arrays(strip(at)), expected)


def test_an_unconditional_run_is_walked_from_seed_to_seed(gallery):
    at = open_page("interpolation", run=UNCONDITIONAL)
    assert not at.select_slider
    assert "Animation from seed 0 to seed 1 and back" in " ".join(h.value for h in at.get("html"))


def test_seeds_frames_and_options_change_the_walk(gallery):
    at = open_page("interpolation", run=CONDITIONAL)
    seen = [strip(at)]
    for kind, key, value in [
        ("number_input", "seed_b", 99),
        ("slider", "seed_a_slider", 5),
        ("slider", "frames", 4),
        ("slider", "temperature", 0.5),
    ]:
        at = set_to(at, kind, key, value)
        seen.append(strip(at))
    assert len({str(frames) for frames in seen}) == 5
    assert len(seen[-1]) == 4


def test_the_link_of_an_interpolation_opens_the_same(gallery):
    at = open_page("interpolation", run=OTHER, seed_a="4", class_a="1", class_b="6", frames="3", path="lerp")
    again = from_link("interpolation", at.code[0].value)
    assert not again.warning
    assert strip(again) == strip(at)


def test_frames_of_many_steps_end_as_those_of_ganlib(able):
    at = open_page("interpolation", run=SLOW, class_a="a", class_b="c", frames="5", steps="3")
    assert np.array_equal(arrays(strip(at)), interpolate(model(able, SLOW), (0, 1), (0, 2), 5, steps=3)[..., 0])
    assert not [button for button in at.button if button.label in ("Stop", "Go on")]
    with animation(at) as gif:
        assert getattr(gif, "n_frames", 1) == 8
