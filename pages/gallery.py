"""All runs as cards, by data set, filtered by what they are."""

import streamlit as st

from ganlib.ui import catalog, chrome, gallery
from ganlib.ui.markup import plain

with chrome.page("Gallery", "Every run, its pictures and its numbers.", sidebar=False):
    runs = catalog.runs(catalog.makes_images)
    if not runs:
        chrome.no_models()
    for error in catalog.evaluations()[1]:
        st.warning(plain(error))
    gallery.draw_gallery(runs)
