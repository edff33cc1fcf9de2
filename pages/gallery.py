"""Home: a card per run."""

import streamlit as st

from ganlib.ui import cards, catalog, chrome, controls
from ganlib.ui.markup import plain

with chrome.page("Gallery", "Generative models trained by this project: pick one and generate images."):
    runs = catalog.runs(catalog.generates)
    if not runs:
        chrome.no_models()
    for error in catalog.evaluations()[1]:
        st.warning(plain(error))
    shown = controls.pick_data(runs)
    columns = st.columns(3, gap="medium")
    for i, run in enumerate(shown):
        with columns[i % 3].container(border=True):
            cards.draw_card(run)
