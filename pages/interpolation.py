"""The way from one picture to another: film strip and animation."""

import streamlit as st

from ganlib import ui

with ui.page("Interpolation", "Walk through latent space from one seed and class to another."):
    runs = ui.runs(ui.generates)
    if not runs:
        ui.no_models()
    with st.sidebar:
        run = ui.pick_run(runs)
    walk = ui.pick_walk(run)
    moving, still = st.columns([1, 3], gap="large")
    with moving:
        speed = st.slider("Frames per second", 2, 30, 12, key="fps", bind="query-params")
        ui.animation(walk, speed)
    with still:
        ui.film_strip(walk)
    ui.share_walk(walk)
