"""Images moved along directions of latent space, which go by the names of what they change."""

import streamlit as st

from ganlib.sampling.request import SampleRequest
from ganlib.ui import catalog, chrome, controls, directions, editing, inspection
from ganlib.ui.options import pick_options

with chrome.page("Directions", "Move images through latent space; a direction is named by what it changes."):
    runs = catalog.runs(catalog.generates)
    if not runs:
        chrome.no_models()
    with st.sidebar:
        run = controls.pick_run(runs)
        method, layers = directions.pick_method(run)
        latents = controls.pick_latents(run)
        count = 0 if latents else controls.pick_count(1, default=8)
        options = pick_options(run)
    edits = editing.linked_edits(run)
    classes = () if latents else controls.pick_classes(run, False)
    seeds = () if latents else controls.pick_seeds(1, count)
    left, right = st.columns([2, 5], gap="large")
    with left:
        known = directions.list_directions(run, method, layers)
        others = {edit.name: edit.name for edit in edits if edit.name not in known}
        editing.pick_strengths(edits, directions.slider_labels(run, known) | others)
        with st.container(horizontal=True):
            editing.draw_reset(edits)
            directions.draw_saving(run, known)
            directions.draw_two_sets(run)
    with right:
        shown = editing.known_edits(run, edits, follow=directions.are_measured(known))
        request = SampleRequest(run, classes, seeds, options, shown, latents)
        opened = directions.draw_before_and_after(request)
        directions.draw_strips(request, known)
        directions.draw_table(run, known)
    directions.draw_direction_links(request, method, layers)
    if opened:
        inspection.show_image(opened)
