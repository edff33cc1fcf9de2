"""Real or generated: a test that an audience takes, and how often people are wrong."""

import streamlit as st

from ganlib.ui import catalog, chrome, guessing

with chrome.page("Real or generated?", "Judge some images; the result says how often people are wrong."):
    runs = catalog.runs(catalog.generates)
    if not runs:
        chrome.no_models()
    with st.sidebar:
        run, n, test = guessing.pick_test(runs)
    guessing.draw_guessing(run, n, test)
