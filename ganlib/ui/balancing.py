"""A stored comparison of balancing methods on the page: one sentence, the methods, classes, confusions, files."""

from __future__ import annotations

import shlex
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from ganlib.applications.balancing.config import METHODS, BalanceConfig
from ganlib.applications.balancing.verdict import verdict
from ganlib.balances import Balance
from ganlib.config import flags
from ganlib.errors import GanlibError
from ganlib.figures.balancing import (
    LABELS,
    MEASURES,
    confusion_figure,
    counts_figure,
    method_label,
    methods_figure,
    readable_summary,
    recall_figure,
)
from ganlib.ui import markup
from ganlib.ui.balancing_results import RESULT, Stored
from ganlib.ui.downloads import draw_files, scalars_csv, to_csv, to_latex
from ganlib.ui.links import draw_link
from ganlib.ui.markup import plain
from ganlib.ui.stored_results import result_id

CONFIG = {"displayModeBar": False}


def draw_lead(balance: Balance) -> None:
    st.html(markup.lead(verdict(balance), testid="verdict"))
    for sentence in balance.warnings:
        st.caption(f":material/info: {plain(sentence)}")


def draw_methods(balance: Balance) -> None:
    """The chosen measure of every method, and the recall of every class."""
    summary = balance.summary()
    left, right = st.columns(2, gap="medium")
    with left:
        measure = st.segmented_control(
            "Measure",
            list(MEASURES),
            default="balanced_accuracy",
            key="measure",
            format_func=MEASURES.__getitem__,
            label_visibility="collapsed",
            required=True,
        )
        figure = methods_figure(summary, str(measure or "balanced_accuracy"))
        st.plotly_chart(
            figure, key="methods_chart", config=CONFIG, alt="Methods by what a classifier reaches with them"
        )
        st.caption("On real test images; mean of the seeds and its 95 % interval. Dotted: the images as they are.")
    with right:
        figure = recall_figure(summary, balance.classes, balance.class_counts)
        st.plotly_chart(figure, key="recall_chart", config=CONFIG, alt="Recall of each class by method")


def draw_details(balance: Balance, stored: Stored) -> None:
    table, confusion, data, protocol = st.tabs(["Table", "Confusions", "Training images", "Protocol"])
    summary = balance.summary()
    with table:
        readable = readable_summary(summary)
        st.dataframe(readable, hide_index=True, alt="Methods of balancing")
        name = stored.folder.name
        draw_files(
            [
                ("Table as CSV", partial(to_csv, readable), f"{name}.csv", "text/csv", "download"),
                ("Table as LaTeX", partial(to_latex, readable), f"{name}.tex", "text/x-tex", "function"),
                (
                    "All classifiers as CSV",
                    partial(scalars_csv, balance.classifiers),
                    f"{name}-classifiers.csv",
                    "text/csv",
                    "table",
                ),
            ]
        )
    with confusion:
        _draw_confusions(balance, summary)
    with data:
        figure = counts_figure(balance.class_counts, balance.classes)
        st.plotly_chart(figure, key="counts_chart", config=CONFIG, alt="Training images of each class")
    with protocol:
        st.json(
            {**balance.protocol, "generation": balance.generation, "provenance": balance.provenance}, expanded=False
        )


def _draw_confusions(balance: Balance, summary: pd.DataFrame) -> None:
    labels = {method_label(m, r): (m, r) for m, r in zip(summary["method"], summary["ratio"], strict=True)}
    chosen = st.selectbox("Method", list(labels), key="confusion_of")
    method, ratio = labels[str(chosen)]
    rows = balance.confusions[(balance.confusions["method"] == method) & (balance.confusions["ratio"] == ratio)]
    figure = confusion_figure(rows, balance.classes)
    st.plotly_chart(figure, key="confusion_chart", config=CONFIG, alt=f"What each class is taken for, {chosen}")


def draw_permalink(balance: Balance, stored: Stored) -> None:
    draw_link({RESULT: result_id(stored.folder)}, repeat_command(balance), opens="this comparison")


def repeat_command(balance: Balance) -> str | None:
    """The line that repeats it; None where its config is of another version."""
    names = BalanceConfig().to_dict()
    try:
        config = BalanceConfig.from_dict({k: v for k, v in balance.protocol.items() if k in names})
    except GanlibError:
        return None
    words = ["python", "-m", "ganlib", "balance", balance.data]
    words += ["--generator", balance.generator] if balance.generator else []
    options: dict[str, Any] = balance.protocol.get("options", {})
    for name, value in options.items():
        words += ["--option", f"{name}={value}"]
    return shlex.join([*words, *flags(config)])


def draw_preview() -> None:
    """Before the first comparison: what will be compared."""
    sentence = "No methods have been compared here yet: choose a generator and a data set on the left."
    st.html(markup.lead(sentence, testid="verdict"))
    rows = [(LABELS[name], about) for name, about in METHODS.items()]
    st.html(markup.text_table(pd.DataFrame(rows, columns=["Method", "Training set"]), "Methods of balancing"))
