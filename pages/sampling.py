"""One run, or several side by side at the same seeds and classes."""

import streamlit as st

from ganlib import ui
from ganlib.sampling.request import SampleRequest

with ui.page("Sampling", "Pick a class and a seed. The same seed is the same picture everywhere."):
    runs = ui.runs(ui.generates)
    if not runs:
        ui.no_models()
    with st.sidebar:
        run = ui.pick_run(runs)
        others = ui.pick_comparison(run, runs)
        classes = ui.pick_classes(run)
        seeds = ui.pick_seeds(rows=len(classes))
        options = ui.pick_options(run)
        stages = ui.pick_stages(run, options)
    requests = [SampleRequest(run, classes, seeds, options), *ui.same_for(others, classes, seeds, options)]
    for column, request in zip(st.columns(len(requests), gap="medium"), requests, strict=True):
        with column:
            st.subheader(request.run.name, anchor=False)
            ui.grid_of(request)
            ui.downloads(request)
            if stages:
                ui.stages_shown(request)
    ui.share_samples(requests[0], others, stages)
