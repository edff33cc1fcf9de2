"""One run, or several lined up at the same seeds and classes."""

import streamlit as st

from ganlib.sampling.request import SampleRequest
from ganlib.ui import catalog, chrome, controls, editing, inspection, samples, tray
from ganlib.ui.markup import plain
from ganlib.ui.options import pick_options

with chrome.page("Sampling", "Pick a class and a seed. The same seed is the same image everywhere."):
    runs = catalog.runs(catalog.generates)
    if not runs:
        chrome.no_models()
    with st.sidebar:
        run = controls.pick_run(runs)
        latents = controls.pick_latents(run)
        others = [] if latents else controls.pick_comparison(run, runs)
        every = not latents and controls.pick_all_classes(run)
        rows = len(run.classes) if every else 1
        count = 0 if latents else controls.pick_count(rows)
        options = pick_options(run)
        stages = controls.pick_stages(run, options)
    edits = editing.linked_edits(run)
    classes = () if latents else controls.pick_classes(run, every)
    seeds = () if latents else controls.pick_seeds(rows, count)
    editing.pick_chips(run, edits)
    request = SampleRequest(run, classes, seeds, options, editing.known_edits(run, edits), latents)
    requests = [request, *controls.apply_to_others(others, classes, seeds, options)]
    drawn, opened = samples.draw_samples(requests)
    for each, own in zip(requests, drawn, strict=True):
        if others:
            st.subheader(plain(each.run.name), anchor=False)
        samples.draw_downloads(each, own)
        if stages:
            samples.draw_stages(each)
    editing.draw_directions_link(request)
    chosen = tray.draw_tray(runs)
    samples.draw_sample_link(request, others, stages)
    if shown := opened or chosen:
        inspection.show_image(shown)
