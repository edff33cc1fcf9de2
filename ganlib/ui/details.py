"""Sections of the FID page, each a chart of the ranked runs, or a sentence on what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

import pandas as pd
import streamlit as st

from ganlib import figures
from ganlib.naming import counted
from ganlib.records import METRICS, recommend
from ganlib.ui import score_controls, scores
from ganlib.ui.catalog import generates, runs
from ganlib.ui.names import run_labels
from ganlib.ui.report import PageReport
from ganlib.ui.screen import is_phone


def draw_recommendation(report: PageReport, ranked: pd.DataFrame, agreement: pd.DataFrame) -> None:
    """Which of these runs to take, with its reason. Archived runs, which have no weights, cannot be taken."""
    names = set(ranked.run)
    takeable = runs(lambda run: run.name in names and not run.archived)
    parameters = {run.name: sum(run.parameters.values()) for run in takeable}
    usable = ranked[ranked.run.isin(parameters)]
    if ranked.metric.iloc[0] == "class_agreement":
        agreement = agreement[:0]  # the same scores again
    agreement = agreement[agreement.run.isin(parameters)]
    for criterion, _, sentence in recommend(usable, agreement, parameters, run_labels(runs(generates))):
        report.caption(f"{criterion}: {sentence}")
    if archived := len(ranked) - len(usable):
        has = "has" if archived == 1 else "have"
        report.caption(f"{counted(archived, 'archived run')} {has} no weights any more and cannot be recommended.")


def draw_classes(report: PageReport, classes: pd.DataFrame) -> None:
    if classes.empty:
        st.caption("No class was measured alone under this protocol: python -m ganlib evaluate RUN --per-class")
        return
    report.section("FID of each class")
    alt = f"FID of each class of {', '.join(sorted(classes.run.unique()))}."
    report.chart(lambda: figures.class_heatmap(classes, title="FID"), alt=alt, key="class_heatmap")
    report.caption(scores.summarize_warnings(classes))


def draw_precision_and_recall(report: PageReport, manifold: pd.DataFrame, colours: Mapping[str, str]) -> None:
    if manifold.empty:
        st.caption("Precision and recall were not measured here: python -m ganlib evaluate RUN --metrics prc")
        return
    report.section("Precision and recall")
    alt = "; ".join(f"{r.run}: precision {r.precision:.2f}, recall {r.recall:.2f}" for r in manifold.itertuples())
    report.chart(lambda: figures.precision_recall(manifold, colours=colours), alt=alt, key="precision_recall")


def draw_other_features(
    report: PageReport, pairs: Iterable[tuple[pd.DataFrame, str]], title: str, colours: Mapping[str, str]
) -> None:
    pairs = list(pairs)
    if not pairs:
        st.caption("These runs were measured on no other features: python -m ganlib evaluate RUN --extractor NAME")
    for both, other_title in pairs:
        report.section("On other features")
        alt = "; ".join(f"{r.run}: {r.own:.4g} and {r.other:.4g}" for r in both.itertuples())
        chart = partial(figures.score_pairs, both, titles=(title, other_title), colours=colours)
        report.chart(chart, alt=alt, key=f"pairs {other_title}")


FRONTIER = "Dotted: what no other point beats in both."
COURSE = (
    "A line leads through a run's snapshots to its weights (python -m ganlib evaluate RUN --at all measures them). "
    "Minutes are of the training's own clock, without pauses. What its start had cost counts too."
)


def draw_costs(
    report: PageReport,
    ranked: pd.DataFrame,
    history: pd.DataFrame,
    present: pd.DataFrame,
    title: str,
    colours: Mapping[str, str],
) -> None:
    points = pd.concat([ranked, history[history.snapshot.notna()]])
    if len(points) < 2:
        st.caption("One run has nothing to be compared with.")
        return
    report.section("Quality against cost")
    costed = scores.add_costs(points, present)
    cost = score_controls.pick_cost(costed)
    grows = cost in score_controls.GROWING
    costed = costed if grows else costed[costed.snapshot.isna()]
    draw = partial(figures.score_cost, narrow=is_phone(), labels=report.labels)
    scatter = partial(draw, costed, cost=cost, title=title, colours=colours)
    report.chart(scatter, alt=figures.describe_frontier(costed, cost), key="cost_scatter")
    report.caption(f"{FRONTIER} {COURSE}" if grows else FRONTIER)


def draw_history(report: PageReport, history: pd.DataFrame, title: str, colours: Mapping[str, str]) -> None:
    if history.empty:
        st.caption("No snapshot was measured under this protocol: python -m ganlib evaluate RUN --at all")
        return
    report.section(f"{METRICS[history.metric.iloc[0]].label} over training")
    alt = f"Scores of snapshots of {', '.join(sorted(history.run.unique()))}."
    report.chart(lambda: figures.score_history(history, title=title, colours=colours), alt=alt, key="course")
