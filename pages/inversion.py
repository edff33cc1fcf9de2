"""The latents of a given picture, and what directions make of it."""

import streamlit as st

from ganlib.ui import catalog, chrome, controls, directions, editing, inversion, picture_source

with chrome.page("Inversion", "Find the latents of a picture, then edit it along directions."):
    runs = catalog.runs(catalog.generates)
    if not runs:
        chrome.no_models()
    with st.sidebar:
        run = controls.pick_run(runs)
        config = inversion.pick_config(run)
        editable = inversion.can_be_edited(run)
        method, layers = directions.pick_method(run) if editable else ("", None)
    edits = editing.linked_edits(run)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picture = picture_source.pick_picture(run)
        label = inversion.pick_label(run, picture)
    left, right = st.columns([5, 2], gap="large")  # on a phone the result comes before the sliders
    with left:
        result = inversion.invert(run, picture, label, config)
        images = st.container()
    with right:
        known = directions.list_directions(run, method, layers) if editable else {}
        editing.pick_strengths(edits, directions.slider_labels(run, known))
        shown = editing.known_edits(run, edits, follow=directions.are_measured(known))
    with images:
        edited = inversion.edit_inversion(run, result, shown)
        inversion.draw_result(run, picture, result, edited)
        inversion.draw_saving(run, picture, result, shown, edited)
    method_values = directions.method_values(method, layers) if editable else {}
    inversion.draw_inversion_link(run, picture, result, shown, method_values)
