"""One run, or several side by side at the same seeds and classes."""

import streamlit as st

from ganlib.sampling.request import SampleRequest
from ganlib.ui import catalog, chrome, controls, samples
from ganlib.ui.markup import plain
from ganlib.ui.options import pick_options

with chrome.page("Sampling", "Pick a class and a seed. The same seed is the same image everywhere."):
    runs = catalog.runs(catalog.generates)
    if not runs:
        chrome.no_models()
    with st.sidebar:
        run = controls.pick_run(runs)
        others = controls.pick_comparison(run, runs)
        classes = controls.pick_classes(run)
        seeds = controls.pick_seeds(rows=len(classes))
        options = pick_options(run)
        stages = controls.pick_stages(run, options)
    request = SampleRequest(run, classes, seeds, options)
    requests = [request, *controls.apply_to_others(others, classes, seeds, options)]
    for column, each in zip(st.columns(len(requests), gap="medium"), requests, strict=True):
        with column:
            st.subheader(plain(each.run.name), anchor=False)
            samples.draw_samples(each)
            samples.draw_downloads(each)
            if stages:
                samples.draw_stages(each)
    samples.draw_sample_link(request, others, stages)
