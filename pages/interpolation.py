"""The way from one picture to another: film strip and animation."""

import streamlit as st

from ganlib.ui import catalog, chrome, controls, pictures

with chrome.page("Interpolation", "Walk through latent space from one seed and class to another."):
    runs = catalog.runs(catalog.generates)
    if not runs:
        chrome.no_models()
    with st.sidebar:
        run = controls.pick_run(runs)
    walk = controls.pick_walk(run)
    moving, still = st.columns([1, 3], gap="large")
    with moving:
        speed = st.slider("Frames per second", 2, 30, 12, key="fps", bind="query-params")
        pictures.animation(walk, speed)
    with still:
        pictures.film_strip(walk)
    pictures.share_walk(walk)
