"""Runs ranked by one metric, within one protocol at a time."""

import streamlit as st

from ganlib import figures
from ganlib.figures.report import Part
from ganlib.logs import METRICS
from ganlib.ui import catalog, chrome, curves, jobs, score_table, scores

with chrome.page("FID comparison", "How far generated images are from real ones, measured alike."):
    if not catalog.runs(catalog.generates):
        chrome.no_models()
    records, unreadable = catalog.evaluations()
    for sentence in unreadable:
        st.warning(sentence)
    present = scores.current_scores(records)
    if not present.metric.isin(METRICS).any():
        jobs.evaluate_now(scores.unscored(present))
        chrome.empty("No run has been evaluated with its present weights yet.", "python -m ganlib evaluate RUN")
    metric = scores.pick_metric(present)
    measured = present[present.metric == metric]
    protocol = scores.pick_protocol(measured)
    ranked = measured[measured.protocol == protocol]
    jobs.evaluate_now(scores.unscored(present), int(ranked.n_fake.iloc[0]))
    both = scores.precision_and_recall(present, protocol)
    look = {"title": scores.axis_title(ranked), "models": curves.architectures({*ranked.run, *both.run})}
    best, words = scores.best_snapshots(records, ranked), figures.describe_scores(ranked)
    parts = [
        Part(
            look["title"], figures.score_bars(ranked, floor=scores.floor_of(present, ranked), best=best, **look), words
        )
    ]
    st.plotly_chart(parts[-1].content, alt=words, key="fid_bars")
    if marks := scores.said_best(best):
        st.caption(marks)
    if doubts := scores.doubts(ranked):
        st.warning(doubts)
    agreement = present[present.metric == "class_agreement"]
    table = score_table.score_table(ranked, scores.same_images(agreement, protocol))
    parts += [*(Part("", text) for text in (marks, doubts) if text), Part("Runs", table)]
    files = st.container()
    if (absent := score_table.absentees(records, present, ranked)) is not None:
        parts.append(Part("Not ranked", absent))
    if (others := score_table.published_scores(ranked)) is not None:
        parts.append(Part("Published values, each under its own protocol", others))
    if len(classes := scores.same_images(present[present.metric == "class_fid"], protocol)):
        st.subheader("FID of each class", anchor=False)
        alt = f"FID of each class of {', '.join(sorted(classes.run.unique()))}."
        parts.append(Part("FID of each class", figures.class_heatmap(classes, title="FID"), alt))
        st.plotly_chart(parts[-1].content, alt=alt, key="class_heatmap")
        if doubts := scores.doubts(classes):
            st.caption(doubts)
            parts.append(Part("", doubts))
    if len(both):
        st.subheader("Precision and recall", anchor=False)
        alt = "; ".join(f"{r.run}: precision {r.precision:.2f}, recall {r.recall:.2f}" for r in both.itertuples())
        plane = figures.precision_recall(both, models=look["models"])
        parts.append(Part("Precision and recall", plane, alt))
        st.plotly_chart(parts[-1].content, alt=alt, key="precision_recall")
    if len(ranked) > 1:
        st.subheader("What a score costs", anchor=False)
        costed = scores.with_costs(ranked, present)
        cost = scores.pick_cost(costed)
        alt = f"{words} Against {cost}."
        parts.append(Part("What a score costs", figures.score_cost(costed, cost=cost, **look), alt))
        st.plotly_chart(parts[-1].content, alt=alt, key="cost_scatter")
    if len(course := scores.courses(records, metric, protocol)):
        st.subheader("Over training", anchor=False)
        alt = f"Scores of snapshots of {', '.join(sorted(course.run.unique()))}."
        parts.append(Part("Over training", figures.score_course(course, **look), alt))
        st.plotly_chart(parts[-1].content, alt=alt, key="course")
    if len(ranked) > 1:
        st.subheader("What differs", anchor=False)
        settings = curves.differences(curves.pick_some(list(table.Run)))
        parts += [] if settings is None else [Part("What differs", settings)]
    with files:
        score_table.report("FID comparison", parts, table, ranked)
