"""Runs ranked by one metric, within one protocol at a time."""

import streamlit as st

from ganlib import figures, ui

with ui.page("FID comparison", "How far generated images are from real ones, measured alike."):
    records, unreadable = ui.evaluations()
    for sentence in unreadable:
        st.warning(sentence)
    present = ui.current_scores(records)
    if not (present.metric == "fid").any():
        ui.empty("No run has been evaluated with its present weights yet.", "python -m ganlib evaluate RUN")
    metric = ui.pick_metric(present)
    measured = present[present.metric == metric]
    protocol = ui.pick_protocol(measured)
    ranked = measured[measured.protocol == protocol]
    look = {"title": ui.axis_title(ranked), "models": ui.architectures()}
    words = figures.describe_scores(ranked)
    st.plotly_chart(figures.score_bars(ranked, **look), alt=words, key="fid_bars")
    ui.protocol_note(measured, ranked)
    agreement = present[present.metric == "class_agreement"]
    ui.score_table(ranked, ui.same_images(agreement, protocol))
    ui.download_frame("Table as CSV", ranked, f"{metric}.csv")
    classes = ui.same_images(present[present.metric == "class_fid"], protocol)
    if len(classes):
        st.subheader("FID of each class", anchor=False)
        alt = f"FID of each class of {', '.join(sorted(classes.run.unique()))}."
        st.plotly_chart(figures.class_heatmap(classes, title="FID"), alt=alt, key="class_heatmap")
    if len(ranked) > 1:
        st.subheader("What a score costs", anchor=False)
        cost = ui.pick_cost()
        figure = figures.score_cost(ui.with_costs(ranked), cost=cost, **look)
        st.plotly_chart(figure, alt=f"{words} Against {cost}.", key="cost_scatter")
        st.subheader("What differs", anchor=False)
        ui.differences(ui.pick_some(list(ranked.sort_values("value").run)))
    course = ui.courses(records, metric, protocol)
    if len(course):
        st.subheader("Over training", anchor=False)
        names = ", ".join(sorted(course.run.unique()))
        st.plotly_chart(figures.score_course(course, **look), alt=f"Scores of snapshots of {names}.", key="course")
