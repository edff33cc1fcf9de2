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
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        shown = controls.pick_data(runs)
        presentation.draw_start()
    overview.draw_data_sets(shown)
    overview.draw_leaderboard(shown)
