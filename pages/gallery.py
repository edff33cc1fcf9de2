"""Home: a card per run."""

import streamlit as st

from ganlib import ui

with ui.page("Gallery", "Generative models trained by this project: pick one and make pictures."):
    runs = ui.runs(ui.generates)
    if not runs:
        ui.no_models()
    evaluations, unreadable = ui.evaluations()
    for sentence in unreadable:
        st.warning(sentence)
    shown = ui.pick_data(runs)
    columns = st.columns(3, gap="medium")
    for i, run in enumerate(shown):
        with columns[i % 3].container(border=True):
            ui.card(run, evaluations)
