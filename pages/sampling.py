"""One run, or several side by side at the same seeds and classes."""

import streamlit as st

from ganlib.sampling.request import SampleRequest
from ganlib.ui import catalog, chrome, controls, pictures

with chrome.page("Sampling", "Pick a class and a seed. The same seed is the same picture everywhere."):
    runs = catalog.runs(catalog.generates)
    if not runs:
        chrome.no_models()
    with st.sidebar:
        run = controls.pick_run(runs)
        others = controls.pick_comparison(run, runs)
        classes = controls.pick_classes(run)
        seeds = controls.pick_seeds(rows=len(classes))
        options = controls.pick_options(run)
        stages = controls.pick_stages(run, options)
    requests = [SampleRequest(run, classes, seeds, options), *controls.same_for(others, classes, seeds, options)]
    for column, request in zip(st.columns(len(requests), gap="medium"), requests, strict=True):
        with column:
            st.subheader(request.run.name, anchor=False)
            pictures.grid_of(request)
            pictures.downloads(request)
            if stages:
                pictures.stages_shown(request)
    pictures.share_samples(requests[0], others, stages)
