"""Scalars of all runs over training, with the pictures of each moment beside them."""

import streamlit as st

from ganlib import experiments, figures, ui

with ui.page("Training curves", "How losses moved, and what the pictures looked like at the time."):
    frame, unreadable = ui.logs()
    for sentence in unreadable:
        st.warning(sentence)
    if frame.empty:
        ui.empty("No run has a training log yet.", "python -m ganlib train cdcgan --data digits --max-minutes 5")
    with st.sidebar:
        chosen = ui.pick_logged_runs(frame)
        tags = ui.pick_tags(frame[frame.run.isin(chosen)])
        x = ui.pick_axis()
        smoothing = st.slider("Smoothing", 0.0, 0.99, 0.6, 0.01, key="smooth", bind="query-params")
        log_y = st.toggle("Logarithmic values", key="log", bind="query-params")
        marks = experiments.growths(frame[frame.run.isin(chosen)])
        if len(marks) and not st.toggle("Mark growth", True, key="growth", bind="query-params"):
            marks = marks[:0]
    shown = frame[frame.run.isin(chosen) & frame.tag.isin(tags)]
    if shown.empty:
        ui.finish("Choose at least one run and one scalar in the sidebar.")
    charts, pictures = st.columns([3, 2], gap="large")
    with charts:
        figure = figures.curves(shown, x=x, smoothing=smoothing, log_y=log_y, marks=marks, models=ui.architectures())
        st.plotly_chart(figure, alt=figures.describe_curves(shown), key="curves")
        ui.download_frame("Shown scalars as CSV", shown, "curves.csv")
        with st.expander("What differs between these runs", icon=":material/difference:"):
            ui.differences(chosen)
    with pictures:
        ui.snapshots(chosen)
