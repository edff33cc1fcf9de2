"""A picture edited by models: holes filled, small ones enlarged, domains translated, drawings made pictures."""

import streamlit as st

from ganlib.ui import (
    catalog,
    chrome,
    controls,
    edit_tasks,
    enlarging,
    hole_filling,
    showcase,
    sketching,
    translating,
    varying,
)

DRAWERS = {
    edit_tasks.FILL: hole_filling.draw_hole_filling,
    edit_tasks.ENLARGE: enlarging.draw_enlarging,
    edit_tasks.TRANSLATE: translating.draw_translating,
    edit_tasks.DRAW: sketching.draw_sketching,
    edit_tasks.VARY: varying.draw_varying,
}

with chrome.page("Edit a picture", "Fill holes, enlarge, translate, vary, or make a picture of a drawing."):
    runs = catalog.runs(edit_tasks.edits_pictures)
    if not runs:
        chrome.no_models()
    task = edit_tasks.pick_task(runs)
    with st.sidebar:
        able = edit_tasks.runs_for(task, runs)
        run = controls.pick_run(able, showcase.showcase_run(able, "edit_run") or able[0])
    DRAWERS[task](run)
