"""The page of two options at once: its cells, its link, what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.gallery import CONDITIONAL, OTHER, SLOW, STYLES, UNCONDITIONAL, direct, pictures
from helpers.streamlit_app import arrays, close, from_link, open_page, set_to, values


def cells(at):
    (html,) = (html for html in values(at, "html") if 'data-testid="sheet"' in html)
    return pictures(html)


def test_a_sheet_of_styles_is_their_mixing_matrix(able):
    at = open_page("sheets", run=STYLES, rows_values="3,4", columns_values="7-9", mix_layer="2", class_="b")
    expected = [direct(able, STYLES, [s], [1], mix_seed=m, mix_layer=2)[0] for s in (3, 4) for m in (7, 8, 9)]
    assert close(arrays(cells(at)), np.stack(expected))
    assert cells(from_link("sheets", at.code[0].value)) == cells(at)


def test_axes_are_chosen_and_their_values_follow(gallery):
    at = open_page("sheets", run=OTHER, seed="5")
    assert (at.selectbox(key="rows").value, at.selectbox(key="columns").value) == ("class", "seed")
    at = set_to(at, "selectbox", "columns", "temperature")
    assert at.text_input(key="columns_values").value == "0,0.3,0.6,0.9,1.2,1.5"
    at = set_to(at, "text_input", "columns_values", "0.5, 1")
    at = set_to(at, "text_input", "rows_values", "2,7")
    expected = [direct(gallery, OTHER, [5], [k], temperature=t)[0] for k in (2, 7) for t in (0.5, 1.0)]
    assert close(arrays(cells(at)), np.stack(expected))
    again = from_link("sheets", at.code[0].value)
    assert not again.warning
    assert cells(again) == cells(at)


def test_a_diffusion_model_sweeps_guidance_and_steps(able):
    at = open_page("sheets", run=SLOW, rows_values="0,2", columns_values="1,2", class_="a")
    expected = [direct(able, SLOW, [0], [0], guidance=g, steps=s)[0] for g in (0.0, 2.0) for s in (1, 2)]
    assert close(arrays(cells(at)), np.stack(expected))


@pytest.mark.usefixtures("gallery")
def test_what_cannot_be_is_said_and_the_controls_stay():
    at = open_page("sheets", run=CONDITIONAL, rows="guidance", columns_values="x-y")
    assert len(at.warning) == 2
    assert cells(at)
    at = set_to(at, "text_input", "rows_values", "99")
    assert len(at.error) == 1
    assert at.text_input(key="columns_values")
    at = open_page("sheets", run=UNCONDITIONAL, rows="seed", columns="seed")
    assert "choose two different ones" in at.info[0].value
