"""Interpolation between two seeds and classes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from ganlib.applications.saved_latents import save_latents
from ganlib.runs import Run, scan
from ganlib.sampling import interpolate
from ganlib.sampling.keyframes import InterpolationRequest, KeyFrame
from ganlib.ui.films import even_columns, file_name
from helpers.gallery import CONDITIONAL, OTHER, PROJECT, SLOW, UNCONDITIONAL, direct, model, pixels
from helpers.streamlit_app import arrays, charts, close, fine, from_link, grids, open_page, player, set_to, strip


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


def test_the_player_shows_the_film_strip_at_its_rate(gallery):
    at = open_page("interpolation", run=CONDITIONAL, frames="6", fps="20")
    film = player(at)
    assert film["frames"] == strip(at)
    assert (film["fps"], film["boomerang"], len(film["captions"])) == (20, True, 6)
    at = set_to(at, "toggle", "closed", True)
    assert player(at)["boomerang"] is False


def test_the_length_of_each_step_is_plotted(gallery):
    (chart,) = charts(open_page("interpolation", run=CONDITIONAL, frames="6"))
    assert len(chart["data"][0]["x"]) == 5


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
    assert player(at)["label"] == "Film from seed 0 to seed 1"


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
    assert player(at)["frames"] == strip(at)


def test_any_number_of_key_frames_in_a_closed_loop_opens_from_its_link(gallery):
    at = open_page("interpolation", run=OTHER, seed_a="4", class_a="1", class_b="6", frames="9")
    at = fine(at.button(key="add_key").click().run())
    at = set_to(at, "number_input", "seed_c", 40)
    at = set_to(at, "selectbox", "class_c", "3")
    at = set_to(at, "toggle", "closed", True)
    at = set_to(at, "selectbox", "order", "class first")
    expected = interpolate(model(gallery, OTHER), (4, 1, 40), (1, 6, 3), 9, closed=True, order="class first")[..., 0]
    assert np.array_equal(arrays(strip(at)), expected)
    again = from_link("interpolation", at.code[0].value)
    assert not again.warning
    assert strip(again) == strip(at)
    at = fine(at.button(key="remove_key").click().run())
    assert {n.key for n in at.number_input} == {"seed_a", "seed_b"}


def test_options_of_a_key_frame_change_along_the_path(gallery):
    at = open_page("interpolation", run=CONDITIONAL, frames="3", class_a="1", class_b="1")
    at = set_to(at, "toggle", "own", True)
    at = set_to(at, "slider", "b_temperature", 0.5)
    temperatures = torch.tensor([1.0, 0.75, 0.5])
    expected = interpolate(model(gallery, CONDITIONAL), (0, 1), (1, 1), 3, temperature=temperatures)[..., 0]
    assert np.array_equal(arrays(strip(at)), expected)
    assert strip(from_link("interpolation", at.code[0].value)) == strip(at)


def test_a_sheet_has_its_four_corners(gallery):
    at = open_page("interpolation", run=OTHER, sheet="true", side="3", same_seed="true", seed_a="5")
    cells = strip(at)
    assert len(cells) == 9
    corners = direct(gallery, OTHER, [5] * 4, [0, 1, 2, 3])
    assert np.array_equal(arrays([cells[i] for i in (0, 2, 6, 8)]), corners)
    assert strip(from_link("interpolation", at.code[0].value)) == cells


def test_saved_latents_are_key_frames_by_name(own_gallery):
    run = Run(own_gallery / OTHER)
    save_latents(run, "my four", model(own_gallery, OTHER).latents([44]), 4)
    at = open_page("interpolation", run=OTHER, latents_b="my four", frames="3", seed_a="7", class_a="2")
    expected = interpolate(model(own_gallery, OTHER), (7, 44), (2, 4), 3)[..., 0]
    assert np.array_equal(arrays(strip(at)), expected)
    assert "@my four" in at.code[1].value
    assert strip(from_link("interpolation", at.code[0].value)) == strip(at)


def test_favourites_become_key_frames(gallery):
    at = AppTest.from_file(PROJECT / "dashboard.py", default_timeout=60)
    at.query_params["run"], at.query_params["frames"] = OTHER, "5"
    at.query_params["fav"] = [f"{OTHER}~{label}~{seed}" for label, seed in ((3, 30), (1, 10), (2, 20))]
    at = fine(at.switch_page("pages/interpolation.py").run())
    at = fine(at.button(key="fill_keys").click().run())
    expected = interpolate(model(gallery, OTHER), (30, 10, 20), (3, 1, 2), 5)[..., 0]
    assert np.array_equal(arrays(strip(at)), expected)


def test_equal_speed_and_bad_values_of_a_link(gallery):
    at = open_page("interpolation", run=OTHER, frames="5", equal_speed="true", keys="99", latents_a="nothing")
    warnings = [warning.value for warning in at.warning]
    assert len(warnings) == 2
    assert "asks for keys" in warnings[0]
    assert "has no such latents" in warnings[1]
    frames = strip(at)
    assert len(frames) == 5
    assert frames != strip(open_page("interpolation", run=OTHER, frames="5"))


def test_files_are_called_after_the_key_frames_with_their_classes(gallery):
    run = next(run for run in scan([gallery])[0] if run.name == OTHER)
    walks = [InterpolationRequest(run, (KeyFrame(0, a), KeyFrame(0, b)), 8) for a, b in ((2, 7), (7, 2))]
    assert [file_name(walk) for walk in walks] == [f"{OTHER}_2_0_to_7_0", f"{OTHER}_7_0_to_2_0"]
