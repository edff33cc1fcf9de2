"""From one image to another through latent space: film strip and animation."""

import streamlit as st

from ganlib.ui import catalog, chrome, controls, interpolation

with chrome.page("Interpolation", "Walk through latent space from one seed and class to another."):
    runs = catalog.runs(catalog.generates)
    if not runs:
        chrome.no_models()
    with st.sidebar:
        run = controls.pick_run(runs)
    request = interpolation.pick_interpolation(run)
    status = st.container()
    left, right = st.columns([1, 2], gap="medium")
    with left:
        animation = st.container()
        frames_per_second = st.slider("Frames per second", 2, 30, 12, key="fps", bind="query-params")
    with right:
        frames = interpolation.draw_film_strip(request, status)
    with animation:
        if frames is not None:
            interpolation.draw_animation(request, frames, frames_per_second)
    interpolation.draw_interpolation_link(request)
