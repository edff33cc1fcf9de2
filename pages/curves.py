"""Scalars of all runs over training, their diagnosis, and the samples of each moment."""

import pandas as pd
import streamlit as st

from ganlib import figures
from ganlib.ui import (
    catalog,
    chrome,
    curves,
    differences,
    downloads,
    notebook_samples,
    scripts,
    sources,
    training_samples,
)
from ganlib.ui.markup import plain
from ganlib.ui.names import chart_labels
from ganlib.ui.report import PageReport

with chrome.page("Training curves", "Losses and scores over training, a diagnosis, and the samples of each moment."):
    logs = sources.list_logs()
    for error in logs.errors:
        st.warning(plain(error))
    if not logs.tags:
        chrome.empty("No run has a training log yet.", "python -m ganlib train cdcgan --data digits --max-minutes 5")
    with st.sidebar:
        names = curves.pick_logged_runs(logs.tags)
        frame = sources.read_logs(logs, names)
        samples = notebook_samples.samples_of(frame, names)
        frame = curves.add_scores(frame[frame.run.isin(names)], samples)
        tags = curves.pick_tags(frame)
        groups = curves.pick_groups(names)
        sources.pick_follow(names)
    first, *rest = st.columns([2.65, 1.8, 1.15, 1.15, 1], gap="small")  # whose places do not depend on what they hold
    with first:
        on_axis, title = curves.pick_axis(frame)
    style = curves.pick_style(rest)
    shown = on_axis[on_axis.tag.isin(tags)]
    if shown.empty:
        chrome.finish("Choose at least one run and one scalar in the sidebar.")
    report = PageReport("Training curves")
    report.labels = chart_labels(catalog.runs(lambda run: run.name in names))
    curves.draw_missing(frame, on_axis, shown)
    chart = st.container(height=figures.curves_height(shown, style["layout"], style["narrow"]), border=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = curves.pick_range(shown)
        style["smoothing"] = curves.pick_smoothing()
        marks = curves.pick_annotations(on_axis, shown)
    training_samples.draw_training_samples(names, on_axis)
    notebook_samples.draw_notebook_samples(samples)
    findings, span = curves.draw_diagnosis(on_axis)
    with chart:
        figure = figures.curves(
            shown, x=title, marks=marks, span=span, groups=groups, colours=catalog.run_colours(), **style
        )
        report.chart(figure, alt=figures.describe_curves(shown), key="curves")
    if st.session_state.pop(curves.CHOSEN, False):
        scripts.scroll_to("curves")
    report.add(pd.DataFrame(findings), "Diagnosis")
    sources.draw_skipped_lines(frame)
    files = st.container()
    with st.expander("Configuration differences", icon=":material/difference:"):
        differences.draw_differences(report, names)
    with files:
        downloads.draw_curve_downloads(shown, report)
