"""Tables of the FID page: the ranking, the runs without a rank and why, published values."""

from __future__ import annotations

from collections.abc import Iterable
from math import floor, isfinite, log10

import pandas as pd
import streamlit as st

from ganlib.metrics.published import published
from ganlib.naming import counted
from ganlib.records import METRICS
from ganlib.runs import Run
from ganlib.ui.catalog import generates, runs
from ganlib.ui.markup import plain
from ganlib.ui.names import model_label
from ganlib.ui.report import PageReport
from ganlib.ui.screen import is_phone
from ganlib.ui.thumbnails import tiles

MOST_DECIMALS = 20  # that a browser formats
THUMBNAILS = 5  # of a run in a table
AGREEMENT = "Class agreement, %"


def draw_ranking(report: PageReport, ranked: pd.DataFrame, agreement: pd.DataFrame) -> pd.DataFrame:
    """A sortable table of the ranked runs with their class agreement, size and training; also returned."""
    by_name: dict[str, Run] = {run.name: run for run in runs()}
    agreements = dict(zip(agreement.run, agreement.value, strict=True))
    metric = METRICS[ranked.metric.iloc[0]]
    ordered = ranked.sort_values("value", ascending=metric.better == "lower")
    ranked_runs = [by_name[name] for name in ordered.run]
    table = pd.DataFrame(
        {
            "Run": [run.name for run in ranked_runs],
            "Architecture": [model_label(run) for run in ranked_runs],
            metric.label: ordered.value.to_numpy(),
            "Low": ordered.low.to_numpy(),
            "High": ordered.high.to_numpy(),
            AGREEMENT: [100 * agreements.get(run.name, float("nan")) for run in ranked_runs],
            "Parameters": [sum(run.parameters.values()) for run in ranked_runs],
            "Images seen": [run.total_images for run in ranked_runs],
            "Training, minutes": [run.total_seconds / 60 for run in ranked_runs],
            "Evaluated": ordered.date.dt.date.to_numpy(),
        }
    )
    if metric is METRICS["class_agreement"]:
        del table[AGREEMENT]
    number = st.column_config.NumberColumn
    shown = table.copy()
    shown.insert(1, "Samples", [tiles(run, THUMBNAILS) for run in ranked_runs])
    st.dataframe(
        shown,
        hide_index=True,
        row_height=44,
        placeholder="–",
        column_config={
            "Samples": st.column_config.ImageColumn(width="medium", help="From the end of training, one per class."),
            **{name: number(format=_decimals(ordered.value), width="small") for name in (metric.label, "Low", "High")},
            **{name: number(format="localized") for name in ("Parameters", "Images seen")},
            "Training, minutes": number(format="%.0f"),
            AGREEMENT: number(format="%.1f", help=METRICS["class_agreement"].help),
            "Evaluated": st.column_config.DateColumn(),
        },
        alt="Table of the ranked runs with their scores, sizes and training.",
    )
    report.add(table, "Runs")
    return table


def pictures(names: Iterable[str]) -> dict[str, str]:
    """Run -> a strip of its samples as a data URL, for those that have one; none on a phone, which has no room."""
    if is_phone():
        return {}
    by_name = {run.name: run for run in runs()}
    strips = {name: tiles(by_name[name], THUMBNAILS) for name in names if name in by_name}
    return {name: strip for name, strip in strips.items() if strip}


def _decimals(values: pd.Series[float]) -> str:
    """As many decimals for all as show three digits of the middle one."""
    middle = abs(values.median()) or 1.0
    return f"%.{min(max(2 - floor(log10(middle)), 0), MOST_DECIMALS)}f" if isfinite(middle) else "%.3g"


def draw_unranked(report: PageReport, records: pd.DataFrame, present: pd.DataFrame, ranked: pd.DataFrame) -> None:
    """The runs of the same data set that are not ranked here, each with the reason."""
    metric = ranked.metric.iloc[0]
    measured = present[present.metric == metric]
    alike = set(measured.run[measured.protocol == ranked.protocol.iloc[0]])
    other = dict(zip(measured.run, measured.protocol_label, strict=True))
    stale = set(records.run[(records.metric == metric) & records.snapshot.isna()])

    def reason(run: Run) -> str:
        if run.name in alike:
            return "Measured alike, not among the chosen runs"
        if run.name in other:
            return f"Measured under another protocol: {other[run.name]}"
        if METRICS[metric].needs_classes and not run.conditional:
            return "It is unconditional"
        return "Measured with earlier weights only" if run.name in stale else "Not measured"

    shown = set(ranked.run)
    data = {run.data_name for run in runs() if run.name in shown}
    unranked = [run for run in runs(generates) if run.name not in shown and run.data_name in data]
    if not unranked:
        return
    table = pd.DataFrame({"Run": [run.name for run in unranked], "Reason": [reason(run) for run in unranked]})
    subject = f"{counted(len(unranked), 'run')} {'is' if len(unranked) == 1 else 'are'}"
    with st.expander(plain(f"{subject} not ranked here"), icon=":material/rule:"):
        report.table(table, heading="Not ranked", alt="Table of the runs that are not ranked and why.")


def draw_published(report: PageReport, ranked: pd.DataFrame, data: str) -> None:
    """Values that others report for the same data set and extractor, apart from our own.

    ``data``: of the ranked runs, for a metric without a reference.
    """
    values = published(ranked.data.iloc[0] or data, ranked.extractor.iloc[0])
    metric = ranked.metric.iloc[0]
    if metric not in values or values[metric].isna().all():
        return
    columns = {"model": "Model", metric: METRICS[metric].label, "source": "Source", "protocol": "Protocol"}
    lower = METRICS[metric].better == "lower"
    table = values.dropna(subset=[metric]).sort_values(metric, ascending=lower)[list(columns)].rename(columns=columns)
    with st.expander("Published values", icon=":material/menu_book:"):
        st.caption("As their sources report them, each under its own protocol: to be read beside ours, not ranked.")
        heading = "Published values, each under its own protocol"
        report.table(table, heading=heading, alt=f"Table of published values of {METRICS[metric].label}.")
