"""Scalars of all runs over training, what they say, and the pictures of each moment beside them."""

import pandas as pd
import streamlit as st

from ganlib import figures, ui
from ganlib.figures.report import Part

with ui.page("Training curves", "How losses moved, what they say, and what the pictures looked like at the time."):
    frame, unreadable = ui.logs()
    for sentence in unreadable:
        st.warning(sentence)
    if frame.empty:
        ui.empty("No run has a training log yet.", "python -m ganlib train cdcgan --data digits --max-minutes 5")
    with st.sidebar:
        chosen = ui.pick_logged_runs(frame)
        frame = ui.scored(frame[frame.run.isin(chosen)])
        tags = ui.pick_tags(frame)
        placed, title = ui.pick_axis(frame)
        look = ui.pick_look()
        groups = ui.pick_groups(chosen)
        ui.follow()
    shown = placed[placed.tag.isin(tags)]
    if shown.empty:
        ui.finish("Choose at least one run and one scalar in the sidebar.")
    charts, pictures = ui.beside_pictures(chosen)
    with charts:
        chart = st.container()
        ui.said_missing(frame, placed)
        shown = ui.pick_range(shown)
        marks = ui.pick_marks(placed, shown)
        found, span = ui.findings(placed)
        words = figures.describe_curves(shown)
        figure = figures.curves(
            shown, x=title, marks=marks, span=span, groups=groups, models=ui.architectures(), **look
        )
        chart.plotly_chart(figure, alt=words, key="curves")
        ui.skipped(frame)
        files = st.container()
        parts = [Part("", figure, words), Part("Diagnosis", pd.DataFrame(found))]
        with st.expander("What differs between these runs", icon=":material/difference:"):
            if (settings := ui.differences(chosen)) is not None:
                parts.append(Part("What differs", settings))
        with files:
            ui.download_curves(shown, parts)
    with pictures:
        ui.snapshots(chosen)
