"""Widgets of the FID page: metric, protocol, what quality is plotted against."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import pandas as pd
import streamlit as st
from streamlit.elements.lib.mutable_tab_container import TabContainer

from ganlib.figures.style import NEUTRAL
from ganlib.records import METRICS, RANKED, rank_protocols
from ganlib.ui.catalog import run_colours, runs
from ganlib.ui.links import check_link, check_link_list, linked_multiselect, linked_selectbox
from ganlib.ui.markup import plain
from ganlib.ui.names import chart_labels, data_labels

SHOWN = "shown_scores"  # the session's key of the runs that were ranked last, and of their extractor
SECTIONS = ("Table", "Classes", "Precision and recall", "Other features", "Cost", "Training", "Differences")
COSTS = ("training, minutes", "images seen", "parameters")
GROWING = COSTS[:2]  # as a training goes on: its snapshots cost less


def pick_metric(records: pd.DataFrame) -> str:
    """A metric that some run was measured by."""
    labels = {METRICS[name].label: name for name in RANKED if (records.metric == name).any()}
    check_link("metric", labels.__contains__, f"there is {', '.join(labels)}")
    if len(labels) == 1:
        return next(iter(labels.values()))
    choice = st.segmented_control(
        "Metric", list(labels), default=next(iter(labels)), required=True, key="metric", bind="query-params"
    )
    name = labels[str(choice)]
    st.caption(plain(METRICS[name].help))
    return name


def pick_data_set(records: pd.DataFrame) -> str:
    """The data set whose runs are compared: that of a protocol in the link, else the one of most runs."""
    sets = records.run.map({run.name: run.data_name for run in runs()})
    names = list(records.groupby(sets).run.nunique().sort_values(ascending=False, kind="stable").index)
    if len(names) == 1:
        return str(names[0])
    check_link("dataset", names.__contains__, f"there are {', '.join(names)}")
    linked = sets[records.protocol_label == st.query_params.get("protocol")]
    return linked_selectbox("Data set", data_labels(names), linked.iloc[0] if len(linked) else names[0], key="dataset")


def pick_protocol(records: pd.DataFrame) -> str:
    """One protocol, that of most runs first: numbers of two protocols never share a chart.

    After a change of metric: the protocol of most of the runs that were shown before, by the same features.
    """
    labels = dict(zip(records.protocol, records.protocol_label, strict=True))
    labels = {key: labels[key] for key in rank_protocols(records)}
    check_link("protocol", [*labels.values()].__contains__, "no run was measured under it")
    extractors = dict(zip(records.protocol, records.extractor, strict=True))
    shown_runs, shown_extractor = st.session_state.get(SHOWN, (set(), ""))
    if shown_runs and st.session_state.get("protocol") not in labels.values():
        shared = records.run.isin(shown_runs).groupby(records.protocol).sum()
        best = max(labels, key=lambda key: (shared[key], extractors[key] == shown_extractor))
        st.session_state["protocol"] = labels[best]
    label = st.selectbox(
        "Protocol",
        list(labels.values()),  # unformatted: a link contains what format_func returns
        key="protocol",
        bind="query-params",
        help="Only runs measured alike can be ranked: same reference, sample size, extractor and options.",
    )
    key = next(key for key in labels if labels[key] == label)
    st.session_state[SHOWN] = set(records.run[records.protocol == key]), extractors[key]
    return key


def pick_section() -> dict[str, TabContainer]:
    """The sections of the page as tabs; the open one is in the link."""
    check_link("section", SECTIONS.__contains__, f"it can be {', '.join(SECTIONS)}")
    return dict(zip(SECTIONS, st.tabs(SECTIONS, key="section", bind="query-params"), strict=True))


def pick_runs(ranked: pd.DataFrame) -> pd.DataFrame:
    """The records of the runs to show: all but archived ones, of which experiments have many, unless some are named."""
    labels = _labels(ranked.run.unique())
    check_link_list("only", labels)
    with st.sidebar:
        only = linked_multiselect("Only these runs", labels, key="only", placeholder="all")
    archived = {run.name for run in runs() if run.archived}
    usual = ranked[~ranked.run.isin(archived)]
    return ranked[ranked.run.isin(only)] if only else (ranked if usual.empty else usual)


def pick_colours(names: Collection[str]) -> dict[str, str]:
    """Run -> colour in all figures of the page: grey but for the highlighted runs where there are some."""
    labels = _labels(names)
    check_link_list("highlight", labels)
    with st.sidebar:
        highlighted = linked_multiselect(
            "Highlight", labels, key="highlight", placeholder="none", help="In all figures."
        )
    colours = run_colours(names)
    return {run: colour if run in (highlighted or names) else NEUTRAL for run, colour in colours.items()}


def _labels(names: Iterable[str]) -> dict[str, str]:
    """Runs by what pages call them, in the order of that."""
    chosen = set(names)
    return dict(sorted(chart_labels(runs(lambda run: run.name in chosen)).items(), key=lambda item: item[1].lower()))


def pick_cost(costed: pd.DataFrame) -> str:
    """A column of ``scores.add_costs``."""
    timed = [name for name in costed.columns if "millisecond" in name]
    costs = {name.partition(",")[0]: name for name in (*COSTS, *timed)}
    check_link("cost", costs.__contains__, f"it can be {', '.join(costs)}")
    choice = st.segmented_control(
        "Against", list(costs), default=next(iter(costs)), required=True, key="cost", bind="query-params"
    )
    cost = costs[str(choice)]
    if missing := sorted(costed.run[costed[cost].isna()]):
        if cost == COSTS[0]:
            st.caption(
                "A GPU trained them, and no CPU thread was timed (python -m ganlib speed --training 20): "
                f"{plain(', '.join(missing))}."
            )
        else:
            st.caption(f"Not timed on that machine (python -m ganlib speed): {plain(', '.join(missing))}.")
    return cost
