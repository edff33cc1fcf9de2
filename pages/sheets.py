"""Two options of one run at once: rows one, columns another."""

import streamlit as st

from ganlib.ui import catalog, chrome, controls, editing, sheets

with chrome.page("Sheets", "Two options at once: one by row, the other by column."):
    runs = catalog.runs(catalog.generates)
    if not runs:
        chrome.no_models()
    with st.sidebar:
        run = controls.pick_run(runs)
        axes = sheets.pick_axes(run)
        options = sheets.pick_other_options(run, axes)
    edits = editing.linked_edits(run)
    seed, label = sheets.pick_held(run, axes)
    editing.pick_chips(run, edits)
    request = sheets.build_request(run, axes, seed, label, options, editing.known_edits(run, edits))
    images, done = sheets.draw_sheet(request)
    sheets.draw_downloads(request, images, done)
    sheets.draw_sheet_link(request)
