"""Scalars of all runs over training, what they say, and the pictures of each moment beside them."""

import pandas as pd
import streamlit as st

from ganlib import figures
from ganlib.ui import catalog, chrome, curves, sources
from ganlib.ui.report import PageReport

with chrome.page("Training curves", "Losses and scores over training, a diagnosis, and the samples of each moment."):
    frame, unreadable = sources.logs()
    for sentence in unreadable:
        st.warning(sentence)
    if frame.empty:
        chrome.empty("No run has a training log yet.", "python -m ganlib train cdcgan --data digits --max-minutes 5")
    with st.sidebar:
        chosen = curves.pick_logged_runs(frame)
        frame = curves.scored(frame[frame.run.isin(chosen)])
        tags = curves.pick_tags(frame)
        placed, title = curves.pick_axis(frame)
        look = curves.pick_look()
        groups = curves.pick_groups(chosen)
        sources.follow()
    shown = placed[placed.tag.isin(tags)]
    if shown.empty:
        chrome.finish("Choose at least one run and one scalar in the sidebar.")
    report = PageReport("Training curves")
    charts, pictures = curves.beside_pictures(chosen)
    with charts:
        chart = st.container()
        curves.said_missing(frame, placed)
        shown = curves.pick_range(shown)
        marks = curves.pick_marks(placed, shown)
        findings, span = curves.findings(placed)
        with chart:
            figure = figures.curves(
                shown, x=title, marks=marks, span=span, groups=groups, colours=catalog.run_colours(), **look
            )
            report.chart(figure, alt=figures.describe_curves(shown), key="curves")
        report.add(pd.DataFrame(findings), "Diagnosis")
        sources.skipped(frame)
        files = st.container()
        with st.expander("Configuration differences", icon=":material/difference:"):
            curves.draw_differences(report, chosen)
        with files:
            curves.download_curves(shown, report)
    with pictures:
        curves.snapshots(chosen)
