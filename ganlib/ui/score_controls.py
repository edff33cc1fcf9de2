"""Widgets of the FID page: metric, protocol, what quality is plotted against."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ganlib.records import METRICS, RANKED
from ganlib.ui.links import check_link
from ganlib.ui.markup import plain

SHOWN_RUNS = "shown_runs"  # the session's key of the runs that were ranked last
COSTS = ("parameters", "training, minutes", "images seen")


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


def pick_protocol(records: pd.DataFrame) -> str:
    """One protocol, the most used first: numbers of two protocols never share a chart.

    After a change of metric: the protocol of most of the runs that were shown before.
    """
    keys = dict(zip(records.protocol_label, records.protocol, strict=True))
    labels = list(records.protocol_label.value_counts().index)
    check_link("protocol", labels.__contains__, "no run was measured under it")
    before = st.session_state.get(SHOWN_RUNS, ())
    if before and st.session_state.get("protocol") not in labels:
        shared = records.run.isin(before).groupby(records.protocol_label).sum()
        st.session_state["protocol"] = max(labels, key=shared.__getitem__)
    label = st.selectbox(
        "Protocol",
        labels,  # unformatted: a link contains what format_func returns
        key="protocol",
        bind="query-params",
        help="Only runs measured alike can be ranked: same reference, sample size, extractor and options.",
    )
    st.session_state[SHOWN_RUNS] = set(records.run[records.protocol_label == label])
    return str(keys[label])


def pick_cost(costed: pd.DataFrame) -> str:
    """A column of ``scores.add_costs``."""
    costs = {name.partition(",")[0]: name for name in costed.columns if name in COSTS or "millisecond" in name}
    check_link("cost", costs.__contains__, f"it can be {', '.join(costs)}")
    choice = st.segmented_control(
        "Against", list(costs), default=next(iter(costs)), required=True, key="cost", bind="query-params"
    )
    cost = costs[str(choice)]
    if missing := sorted(costed.run[costed[cost].isna()]):
        st.caption(f"Not timed on that machine (python -m ganlib speed): {plain(', '.join(missing))}.")
    return cost
