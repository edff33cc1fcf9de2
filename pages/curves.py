"""Scalars of all runs over training, what they say, and the pictures of each moment beside them."""

import pandas as pd
import streamlit as st

from ganlib import figures
from ganlib.figures.report import Part
from ganlib.ui import chrome, curves, sources

with chrome.page("Training curves", "How losses moved, what they say, and what the pictures looked like at the time."):
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
    charts, pictures = curves.beside_pictures(chosen)
    with charts:
        chart = st.container()
        curves.said_missing(frame, placed)
        shown = curves.pick_range(shown)
        marks = curves.pick_marks(placed, shown)
        found, span = curves.findings(placed)
        words = figures.describe_curves(shown)
        figure = figures.curves(
            shown, x=title, marks=marks, span=span, groups=groups, models=curves.architectures(), **look
        )
        chart.plotly_chart(figure, alt=words, key="curves")
        sources.skipped(frame)
        files = st.container()
        parts = [Part("", figure, words), Part("Diagnosis", pd.DataFrame(found))]
        with st.expander("What differs between these runs", icon=":material/difference:"):
            if (settings := curves.differences(chosen)) is not None:
                parts.append(Part("What differs", settings))
        with files:
            curves.download_curves(shown, parts)
    with pictures:
        curves.snapshots(chosen)
