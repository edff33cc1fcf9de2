"""From image to image through latent space: film strip, player, a sheet between four corners."""

import streamlit as st

from ganlib.ui import catalog, chrome, controls, films, interpolation

with chrome.page("Interpolation", "Walk through latent space from one seed and class to another."):
    runs = catalog.runs(catalog.generates)
    if not runs:
        chrome.no_models()
    with st.sidebar:
        run = controls.pick_run(runs)
    request = interpolation.pick_interpolation(run)
    status = st.container()
    if request.sheet:
        film = None
        frames = interpolation.draw_frames(request, status)
        if frames is not None:
            films.draw_sheet_download(request, frames)
    else:
        left, right = st.columns([2, 5], gap="medium")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            film = films.pick_film(request)
            files = st.container(horizontal=True, vertical_alignment="bottom", width="content")
        with right:
            frames = interpolation.draw_frames(request, status)
        if frames is not None:
            with left:
                films.draw_player(request, frames, film)
            with files:
                films.draw_downloads(request, frames, film)
            films.draw_steps(request, frames)
    interpolation.draw_interpolation_link(request, film)
