"""A stored comparison of balancing methods on the page: one sentence, the methods, classes, confusions, files."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from ganlib.applications.balancing.comparisons import families
from ganlib.applications.balancing.conditions import conditions
from ganlib.applications.balancing.config import METHODS, BalanceConfig
from ganlib.applications.balancing.costs import costs
from ganlib.applications.balancing.verdict import points, verdict, verdicts
from ganlib.balances import Balance
from ganlib.config import flags
from ganlib.errors import GanlibError
from ganlib.figures.balancing import (
    LABELS,
    MEASURES,
    confusion_figure,
    counts_figure,
    leading_methods,
    method_label,
    methods_figure,
    readable_recalls,
    readable_summary,
    recall_figure,
)
from ganlib.ui import markup
from ganlib.ui.balancing_results import RESULT, Stored
from ganlib.ui.catalog import runs
from ganlib.ui.downloads import DownloadFile, draw_files, scalars_csv, to_csv, to_latex
from ganlib.ui.links import draw_link
from ganlib.ui.markup import plain
from ganlib.ui.stored_results import result_id

CONFIG = {"displayModeBar": False}


def draw_lead(balance: Balance) -> None:
    st.html(markup.lead(verdict(balance), testid="verdict"))
    for sentence in balance.warnings:
        st.caption(f":material/info: {plain(sentence)}")


def draw_methods(balance: Balance, stored: Stored) -> None:
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
        labels = [method_label(m, r) for m, r in zip(summary["method"], summary["ratio"], strict=True)]
        leading = leading_methods(summary)
        chosen = st.multiselect(
            "Recall of each class",
            labels,
            leading,
            key=f"recall_of_{result_id(stored.folder)}",  # each comparison has leading methods of its own
            placeholder="the images as they are and the best",
        )
        figure = recall_figure(summary, balance.classes, balance.class_counts, chosen or leading)
        st.plotly_chart(figure, key="recall_chart", config=CONFIG, alt="Recall of each class by method")
        st.caption("With its 95 % interval over the seeds.")


def draw_details(balance: Balance, stored: Stored) -> None:
    names = ["Table", "Classes", "Comparisons", "Confusions", "Training images", "Protocol"]
    table, recalls, pairs, confusion, data, protocol = st.tabs(names)
    summary, name = balance.summary(), stored.folder.name
    with table:
        every = partial(scalars_csv, balance.classifiers)
        _draw_table(
            readable_summary(summary, costs(balance, runs())),
            name,
            "Methods of balancing",
            [("All classifiers as CSV", every, f"{name}-classifiers.csv", "text/csv", "table")],
        )
        st.caption(plain(conditions(balance)))
    with recalls:
        _draw_table(readable_recalls(summary, balance.classes), f"{name}-recall", "Recall of each class, percent")
    with pairs:
        compared = readable_comparisons(balance)
        if compared.empty:
            st.caption("Methods with and without a generator were not both tried.")
        else:
            for sentence in verdicts(balance)[1:]:
                st.markdown(plain(sentence))
            _draw_table(compared, f"{name}-comparisons", "Comparisons of methods")
            st.caption(
                "Differences of balanced accuracy in points, seed by seed, each with its own 95 % interval; p of no "
                "difference by the paired t-test, corrected by Holm's method within each way to use a generator."
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


def _draw_table(frame: pd.DataFrame, name: str, alt: str, further: Sequence[DownloadFile] = ()) -> None:
    st.dataframe(frame, hide_index=True, placeholder="–", alt=alt)
    draw_files(
        [
            ("Table as CSV", partial(to_csv, frame), f"{name}.csv", "text/csv", "download"),
            ("Table as LaTeX", partial(to_latex, frame), f"{name}.tex", "text/x-tex", "function"),
            *further,
        ]
    )


def readable_comparisons(balance: Balance) -> pd.DataFrame:
    """A row a pair that the verdicts are about."""
    rows = [
        {
            "method": method_label(*pair.ours),
            "against": method_label(*pair.other),
            "difference, points": points(pair.mean, pair.half),
            "p, Holm": round(pair.p, 4),
            "": "wins" if pair.wins else "loses" if pair.loses else "not told",
        }
        for family in families(balance)
        for pair in family
    ]
    return pd.DataFrame(rows)


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
    sentence = "No methods have been compared here yet: choose a data set on the left."
    st.html(markup.lead(sentence, testid="verdict"))
    rows = [(LABELS[name], about) for name, about in METHODS.items()]
    st.html(markup.text_table(pd.DataFrame(rows, columns=["Method", "Training set"]), "Methods of balancing"))
