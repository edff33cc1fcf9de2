"""Real versus synthetic: can anything tell two sets of images apart, where, and is one a copy of the other?"""

import streamlit as st

from ganlib.ui import catalog, chrome, stored_results, two_sample, two_sample_form, two_sample_results
from ganlib.ui.markup import plain

with chrome.page("Real vs synthetic", "Can anything tell two sets of images apart?"):
    if not catalog.runs(catalog.generates):
        chrome.no_models()
    results, errors = two_sample_results.comparisons()
    for error in errors:
        st.warning(plain(error))
    chosen = stored_results.pick_result(results, two_sample_results.RESULT) if results else None
    two_sample_form.draw_form(expanded=not results)
    if chosen is None:
        two_sample.draw_preview()
    else:
        stored = results[chosen]
        comparison = two_sample_results.load_result(stored)
        others = two_sample.draw_lead(comparison, stored)
        two_sample.draw_downloads(comparison, stored)
        two_sample.draw_sections(comparison, others)
        two_sample.draw_permalink(comparison, chosen)
