"""Home: where to begin, the best of each data set, all runs in one table."""

import streamlit as st

from ganlib.ui import catalog, chrome, controls, overview, presentation
from ganlib.ui.markup import plain

with chrome.page("Overview", "Generative architectures, trained on the same data and measured alike.", sidebar=False):
    runs = catalog.runs(catalog.generates)
    if not runs:
        chrome.no_models()
    for error in catalog.evaluations()[1]:
        st.warning(plain(error))
    overview.draw_start()
    left, right = st.container(key="choice").columns([6, 1], vertical_alignment="center")
    with left:
        shown = controls.pick_data(runs)
    with right.container(horizontal_alignment="right"):
        presentation.draw_start()
    overview.draw_data_sets(shown)
    overview.draw_leaderboard(shown)
