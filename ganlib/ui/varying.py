"""Other images of a picture's class, each from noise of its own."""

from __future__ import annotations

import streamlit as st

from ganlib.applications.variation import augments, vary
from ganlib.runs import Run
from ganlib.ui import edit_tasks
from ganlib.ui.catalog import load_trainable
from ganlib.ui.links import check_link_number
from ganlib.ui.picture_source import pick_picture

RESULTS, MOST_SEED = 8, 9_999
ROW = 5  # pictures


def draw_varying(run: Run) -> None:
    model = load_trainable(run)
    assert augments(model)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picture = pick_picture(run)
        check_link_number("noise", 0, MOST_SEED)
        first = int(st.number_input("First seed of the noise", 0, MOST_SEED, 0, key="noise", bind="query-params"))
    seeds = range(first, first + RESULTS)
    results = vary(model, picture.pixels, seeds)
    cells = [("Picture", picture.pixels)]
    cells += [(f"Seed {seed}", result) for seed, result in zip(seeds, results, strict=True)]
    edit_tasks.draw_pictures(cells, ROW)
    edit_tasks.draw_downloads(run, "varied", list(results))
    arguments = ["--results", str(RESULTS), *(["--seed", str(first)] if first else [])]
    edit_tasks.draw_edit_link(run, edit_tasks.VARY, picture, {"noise": first}, arguments)
