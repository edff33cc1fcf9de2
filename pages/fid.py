"""Runs ranked by one metric, within one protocol at a time."""

import streamlit as st

from ganlib import figures
from ganlib.records import RANKED
from ganlib.ui import catalog, chrome, details, differences, downloads, evaluation, score_controls, score_table, scores
from ganlib.ui.markup import plain
from ganlib.ui.names import chart_labels
from ganlib.ui.report import PageReport

with chrome.page("FID comparison", "How far generated images are from real ones, measured alike."):
    if not catalog.runs(catalog.generates):
        chrome.no_models()
    records, errors = catalog.evaluations()
    for error in errors:
        st.warning(plain(error))
    present = catalog.present_scores()
    if not present.metric.isin(RANKED).any():
        evaluation.draw_evaluation_form(scores.runs_without_fid(present))
        chrome.empty("No run has been evaluated with its present weights yet.", "python -m ganlib evaluate RUN")
    without_fid = scores.runs_without_fid(present)
    left, right = st.columns([1, 3])
    with left:
        data = score_controls.pick_data_set(present[present.metric.isin(RANKED)])
    present = scores.of_data_set(present, data)
    metric = score_controls.pick_metric(present)
    measured = present[present.metric == metric]
    with right:
        protocol = score_controls.pick_protocol(measured)
    ranked = score_controls.pick_runs(measured[measured.protocol == protocol])
    evaluation.draw_evaluation_form(without_fid, int(ranked.n_fake.iloc[0]))
    manifold = scores.precision_and_recall(present, protocol)
    title, ranking = scores.axis_title(ranked), figures.describe_scores(ranked)
    manifold = manifold[manifold.run.isin(ranked.run)]
    colours = score_controls.pick_colours(set(ranked.run))
    report = PageReport("FID comparison")
    agreement = scores.class_agreement(present, ranked)
    report.labels = chart_labels(catalog.runs(lambda run: run.name in set(ranked.run)))

    best = scores.best_snapshots(records, ranked)
    floor, floor_note = scores.find_floor(present, ranked)
    pictures = score_table.pictures(ranked.run)
    bars = figures.score_bars(ranked, title=title, colours=colours, floor=floor, best=best, pictures=pictures)
    report.chart(bars, alt=ranking, key="fid_bars")
    details.draw_recommendation(report, ranked, agreement)
    report.caption(scores.describe_extractor(ranked))
    report.caption(floor_note)
    report.caption(scores.describe_best_snapshots(best))
    report.caption(scores.describe_agreement(measured, ranked, data))
    report.warning(scores.summarize_warnings(ranked))
    history = scores.score_history(records[records.run.isin(ranked.run)], metric, protocol)
    classes = scores.class_scores(present, ranked)
    tabs = score_controls.pick_section()
    with report.tab(tabs["Table"]):
        table = score_table.draw_ranking(report, ranked, agreement)
        files = st.container()
        score_table.draw_unranked(report, records, present, ranked)
        score_table.draw_published(report, ranked, data)
    with report.tab(tabs["Classes"]):
        details.draw_classes(report, classes)
    with report.tab(tabs["Precision and recall"]):
        details.draw_precision_and_recall(report, manifold, colours)
    with report.tab(tabs["Other features"]):
        details.draw_other_features(report, scores.other_features(measured, ranked), title, colours)
    with report.tab(tabs["Cost"]):
        details.draw_costs(report, ranked, history, present, title, colours)
    with report.tab(tabs["Training"]):
        details.draw_history(report, history, title, colours)
    with report.tab(tabs["Differences"]):
        if len(ranked) > 1:
            differences.draw_differences(report, differences.pick_side_by_side(list(table.Run)))
        else:
            st.caption("One run differs from no other.")
    with files:
        downloads.draw_score_downloads(report, table, ranked)
