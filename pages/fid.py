"""Runs ranked by FID, within one protocol at a time."""

import streamlit as st

from ganlib import figures, ui

with ui.page("FID comparison", "Fréchet distance between generated and real images: lower is better."):
    records, unreadable = ui.evaluations()
    for sentence in unreadable:
        st.warning(sentence)
    agreement = ui.current_scores(records, "class_agreement")
    records = ui.current_scores(records, "fid")
    if records.empty:
        ui.empty("No run has been evaluated with its present weights yet.", "python -m ganlib evaluate RUN")
    protocol = ui.pick_protocol(records)
    ranked = records[records.protocol == protocol]
    st.plotly_chart(
        figures.score_bars(ranked, title=ui.axis_title(ranked), models=ui.architectures()),
        alt=figures.describe_scores(ranked),
        key="fid_bars",
    )
    ui.protocol_note(records, ranked)
    ui.score_table(ranked, ui.same_images(agreement, protocol))
    ui.download_frame("Table as CSV", ranked, "fid.csv")
