"""Directions: found and measured by a process, moved along by sliders and links, saved by name."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from ganlib.applications.catalogue import find_directions, measure_for, measured_directions
from ganlib.applications.edits import film_strip, latents_of
from ganlib.applications.effects import STRENGTHS
from ganlib.applications.storage import saved_directions
from ganlib.models import GenerativeModel
from ganlib.runs import Run
from ganlib.sampling import sample
from ganlib.sampling.request import Edit, SampleRequest
from ganlib.ui.jobs import jobs
from helpers.gallery import CONDITIONAL, OTHER, PROJECT, SLOW, STYLES, direct, model, pictures
from helpers.streamlit_app import arrays, fine, from_link, grids, is_one_sentence, open_page, set_to, values


def moved(run: Run, generator: GenerativeModel, label: int, seeds: range, **edits: float) -> np.ndarray:
    """(N, H, W) uint8: what ganlib makes of the edits; "_" of a name stands for "-"."""
    named = tuple(Edit(name.replace("_", "-"), strength) for name, strength in edits.items())
    request = SampleRequest(run, (label,), tuple(seeds), edits=named)
    return sample(generator, latents_of(generator, request), request.image_labels)[..., 0]


def measure(root, name: str, method: str = "sefa") -> None:
    """As the process would, here."""
    run, generator = Run(root / name), model(root, name)
    measured_directions(run, generator, method, measure_for(run, generator.device))


def sliders(at: AppTest) -> list[str]:
    return [s.key.removeprefix("strength_") for s in at.slider if s.key.startswith("strength_")]


def test_a_process_measures_while_the_page_already_moves_images(own_gallery):
    at = open_page("directions", run=OTHER, class_="2", seed="5", n="2")
    assert sliders(at)[:2] == ["sefa-1", "sefa-2"]
    assert len(grids(at)) == 1
    assert "Measuring sefa" in " ".join(values(at, "caption"))
    at = set_to(at, "slider", "strength_sefa-2", 1.5)
    before, after = grids(at)
    run, generator = Run(own_gallery / OTHER), model(own_gallery, OTHER)
    assert np.array_equal(arrays(before), direct(own_gallery, OTHER, [5, 6], [2, 2]))
    assert np.array_equal(arrays(after), moved(run, generator, 2, range(5, 7), sefa_2=1.5))
    end = time.monotonic() + 60
    while jobs().latest.running and time.monotonic() < end:
        time.sleep(0.2)
    at = fine(at.run())
    labels = [s.label for s in at.slider if s.key.startswith("strength_sefa-")]
    assert all("monotone" in label or "nothing measured evenly" in label for label in labels)
    assert list(at.dataframe[0].value.Direction)[:2] == ["sefa-1", "sefa-2"]


def test_several_sliders_strips_link_and_command_are_the_same_pixels(own_gallery):
    measure(own_gallery, CONDITIONAL)
    at = open_page("directions", run=CONDITIONAL, class_="3", n="4", edits="sefa-1=2,sefa-3=-0.5")
    assert at.slider(key="strength_sefa-3").value == -0.5
    run, generator = Run(own_gallery / CONDITIONAL), model(own_gallery, CONDITIONAL)
    _, after = grids(at)
    assert np.array_equal(arrays(after), moved(run, generator, 3, range(4), sefa_1=2, sefa_3=-0.5))
    (html,) = (html for html in values(at, "html") if 'data-testid="direction-strips"' in html)
    first = find_directions(run, generator, "sefa")["sefa-1"]
    expected = film_strip(generator, SampleRequest(run, (3,), (0,)), first, STRENGTHS)[..., 0]
    assert np.array_equal(arrays(pictures(html)[: len(STRENGTHS)]), expected)
    at = set_to(at, "slider", "strength_sefa-1", -1.0)
    link, commands, _ = (code.value for code in at.code)
    assert "--edit sefa-1=-1,sefa-3=-0.5" in commands
    assert "ganlib directions digits-cdcgan --class 3 --seed 0" in commands
    assert grids(from_link("directions", link)) == grids(at)
    assert grids(from_link("sampling", link + "&n=4"))[0] == grids(at)[1]
    at = fine(at.button(key="reset_edits").click().run())
    assert len(grids(at)) == 1


def test_a_direction_is_saved_by_name_and_moves_images_by_it(own_gallery):
    measure(own_gallery, CONDITIONAL)
    at = open_page("directions", run=CONDITIONAL, n="2")
    at.selectbox(key="save_source").set_value("sefa-2")
    at.text_input(key="save_name").set_value("sefa-9")
    at = fine(save(at))
    assert any("cannot name a direction" in error.value for error in at.error)
    at.text_input(key="save_name").set_value("my own")
    at = fine(save(at))
    assert list(saved_directions(Run(own_gallery / CONDITIONAL))[0]) == ["my own"]
    assert "sefa-2 is saved in" in at.success[0].value
    assert "my own" in sliders(at)
    at = set_to(at, "slider", "strength_my own", 2.0)
    own = grids(at)[1]
    assert own == grids(open_page("directions", run=CONDITIONAL, n="2", edits="sefa-2=2"))[1]


@pytest.mark.parametrize("page", ["directions", "inversion"])
def test_the_method_of_a_link_is_followed_and_the_link_of_the_page_has_it(page, own_gallery):
    at = open_page(page, run=CONDITIONAL, method="pca", class_="3")
    assert not at.warning
    assert at.segmented_control(key="method").value == "pca"
    assert at.query_params["method"] == "pca"
    assert sliders(at)[0] == "pca-1"
    at = set_to(at, "segmented_control", "method", "statistics")
    assert at.query_params["method"] == "statistics"
    again = from_link(page, at.code[0].value)
    assert not again.warning
    assert again.segmented_control(key="method").value == "statistics"
    at = set_to(at, "segmented_control", "method", "sefa")
    assert "method" not in at.query_params
    assert "it can be sefa, pca" in open_page(page, run=CONDITIONAL, method="PCA", class_="3").warning[0].value


def save(at: AppTest) -> AppTest:
    return next(button for button in at.button if button.label == "Save").click().run()


def test_edits_of_the_sampling_page_are_chips_that_can_be_taken_away(own_gallery):
    measure(own_gallery, CONDITIONAL)
    at = open_page("sampling", run=CONDITIONAL, n="4", edits="sefa-1=2,sefa-2=1")
    assert at.multiselect(key="edit_chips").value == ["sefa-1=2", "sefa-2=1"]
    both = grids(at)
    at = fine(at.multiselect(key="edit_chips").set_value(["sefa-2=1"]).run())
    assert grids(at) == grids(open_page("sampling", run=CONDITIONAL, n="4", edits="sefa-2=1")) != both
    assert "--edit sefa-2=1" in at.code[1].value
    assert grids(from_link("sampling", at.code[0].value)) == grids(at)
    at = fine(at.multiselect(key="edit_chips").set_value([]).run())
    assert grids(at) == grids(open_page("sampling", run=CONDITIONAL, n="4"))


@pytest.mark.parametrize("page", ["directions", "sampling"])
def test_what_a_link_asks_in_vain_is_a_sentence_and_the_rest_stays(page, own_gallery):
    measure(own_gallery, CONDITIONAL)
    at = open_page(page, run=CONDITIONAL, n="2", edits="sefa-1=1,sefa-99=2,sunny=1,sefa-2=far,<b>=1")
    assert len(at.warning) == 4
    assert all(is_one_sentence(warning.value) for warning in at.warning)
    assert grids(at)[-1] == grids(open_page(page, run=CONDITIONAL, n="2", edits="sefa-1=1"))[-1]


def test_a_model_without_directions_says_why(able):
    at = open_page("directions", run=SLOW)
    assert len(at.info) == 1
    assert "has no directions: its latent is an image of noise" in at.info[0].value
    at = open_page("sampling", run=SLOW, n="1", steps="2", edits="sefa-1=1")
    assert len(at.warning) == 1
    assert "values that spread over the whole image" in at.warning[0].value


def test_layers_of_styles_are_part_of_link_and_names(able):
    measure(able, STYLES)
    at = open_page("directions", run=STYLES, layers="1-3", n="2", class_="a")
    assert sliders(at)[0] == "sefa-1@1-3"
    at = set_to(at, "slider", "strength_sefa-1@1-3", 2.0)
    assert "--edit sefa-1@1-3=2" in at.code[1].value
    assert "--layers 1-3" in at.code[1].value
    assert grids(from_link("directions", at.code[0].value)) == grids(at)
    at = open_page("directions", run=STYLES, layers="4-40")
    assert len(at.warning) == 1
    assert sliders(at)[0] == "sefa-1"


def test_two_sets_of_favourites_give_a_direction_of_their_own(own_gallery):
    measure(own_gallery, CONDITIONAL)
    at = AppTest.from_file(PROJECT / "dashboard.py", default_timeout=60)
    at.query_params["run"], at.query_params["n"] = CONDITIONAL, "2"
    at.query_params["fav"] = [f"{CONDITIONAL}~{label}~{seed}" for label, seed in ((3, 30), (1, 10), (2, 20))]
    at = fine(at.switch_page("pages/directions.py").run())
    at.multiselect(key="more_of").set_value([f"{CONDITIONAL}~3~30", f"{CONDITIONAL}~1~10"])
    at.multiselect(key="less_of").set_value([f"{CONDITIONAL}~2~20"])
    at.text_input(key="two_sets_name").set_value("sunny")
    at = fine(next(b for b in at.button if b.proto.form_id.endswith("two_sets")).click().run())
    assert at.success[0].value.startswith("sunny: ")
    run, generator = Run(own_gallery / CONDITIONAL), model(own_gallery, CONDITIONAL)
    saved, _ = saved_directions(run)
    wanted = generator.latents([30, 10]).z.mean(0) - generator.latents([20]).z[0]
    assert torch.nn.functional.cosine_similarity(saved["sunny"].direction.vector, wanted, dim=0) > 0.999
