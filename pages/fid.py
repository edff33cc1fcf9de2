"""Runs ranked by one metric, within one protocol at a time."""

import streamlit as st

from ganlib import figures
from ganlib.records import METRICS, RANKED, measured_on
from ganlib.ui import catalog, chrome, differences, downloads, jobs, score_controls, score_table, scores
from ganlib.ui.markup import plain
from ganlib.ui.report import PageReport

with chrome.page("FID comparison", "How far generated images are from real ones, measured alike."):
    if not catalog.runs(catalog.generates):
        chrome.no_models()
    records, errors = catalog.evaluations()
    for error in errors:
        st.warning(plain(error))
    present = catalog.present_scores()
    if not present.metric.isin(RANKED).any():
        jobs.draw_evaluation_form(scores.runs_without_fid(present))
        chrome.empty("No run has been evaluated with its present weights yet.", "python -m ganlib evaluate RUN")
    without_fid = scores.runs_without_fid(present)
    present = scores.of_data_set(present, score_controls.pick_data_set(present[present.metric.isin(RANKED)]))
    metric = score_controls.pick_metric(present)
    measured = present[present.metric == metric]
    protocol = score_controls.pick_protocol(measured)
    ranked = measured[measured.protocol == protocol]
    jobs.draw_evaluation_form(without_fid, int(ranked.n_fake.iloc[0]))
    manifold = scores.precision_and_recall(present, protocol)
    title, ranking = scores.axis_title(ranked), figures.describe_scores(ranked)
    colours = catalog.run_colours({*ranked.run, *manifold.run})
    report = PageReport("FID comparison")

    best = scores.best_snapshots(records, ranked)
    floor, floor_note = scores.find_floor(present, ranked)
    bars = figures.score_bars(ranked, title=title, colours=colours, floor=floor, best=best)
    report.chart(bars, alt=ranking, key="fid_bars")
    report.caption(scores.describe_extractor(ranked))
    report.caption(floor_note)
    report.caption(scores.describe_best_snapshots(best))
    report.caption(scores.describe_agreement(measured, ranked))
    report.warning(scores.summarize_warnings(ranked))
    table = score_table.draw_ranking(report, ranked, scores.class_agreement(present, protocol))
    files = st.container()
    score_table.draw_unranked(report, records, present, ranked)
    score_table.draw_published(report, ranked)

    if len(classes := measured_on(present[present.metric == "class_fid"], protocol)):
        report.section("FID of each class")
        alt = f"FID of each class of {', '.join(sorted(classes.run.unique()))}."
        report.chart(figures.class_heatmap(classes, title="FID"), alt=alt, key="class_heatmap")
        report.caption(scores.summarize_warnings(classes))
    if len(manifold):
        report.section("Precision and recall")
        alt = "; ".join(f"{r.run}: precision {r.precision:.2f}, recall {r.recall:.2f}" for r in manifold.itertuples())
        report.chart(figures.precision_recall(manifold, colours=colours), alt=alt, key="precision_recall")
    for pairs, other_title in scores.other_features(measured, ranked):
        report.section("On other features")
        alt = "; ".join(f"{r.run}: {r.own:.4g} and {r.other:.4g}" for r in pairs.itertuples())
        chart = figures.score_pairs(pairs, titles=(title, other_title), colours=colours)
        report.chart(chart, alt=alt, key=f"pairs {other_title}")
    if len(ranked) > 1:
        report.section("Quality against cost")
        costed = scores.add_costs(ranked, present)
        cost = score_controls.pick_cost(costed)
        scatter = figures.score_cost(costed, cost=cost, title=title, colours=colours)
        report.chart(scatter, alt=f"{ranking} Against {cost}.", key="cost_scatter")
    if len(history := scores.score_history(records, metric, protocol)):
        report.section(f"{METRICS[metric].label} over training")
        alt = f"Scores of snapshots of {', '.join(sorted(history.run.unique()))}."
        report.chart(figures.score_history(history, title=title, colours=colours), alt=alt, key="course")
    if len(ranked) > 1:
        st.subheader("Configuration differences", anchor=False)
        differences.draw_differences(report, differences.pick_side_by_side(list(table.Run)))
    with files:
        downloads.draw_score_downloads(report, table, ranked)
