"""One experiment: reported beside measured, figures, pictures, what follows and what does not."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ganlib.errors import GanlibError
from ganlib.experiments import decisive
from ganlib.ui import downloads, markup, presentation
from ganlib.ui import experiment_parts as parts
from ganlib.ui.experiment_cards import describe_progress, draw_verdict
from ganlib.ui.experiments import Result, neighbours, page_links
from ganlib.ui.markup import plain


def draw_experiment(result: Result, listed: Sequence[Result]) -> None:
    """``listed``: all experiments in the order of the steps forth and back."""
    experiment = result.experiment
    if presentation.KEY not in st.query_params:  # whose own steps stand above
        _draw_steps(result, listed)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(experiment.title), anchor=False, width="content")
        draw_verdict(decisive(result.judgements))
        st.caption(plain(experiment.source_title))
    st.markdown(plain(experiment.question))
    reported, measured = st.columns(2, gap="medium")
    with reported.container(border=True, height="stretch", gap="small"):
        st.caption("Reported")
        st.markdown(plain(experiment.reported))
    with measured.container(border=True, height="stretch", gap="small"):
        st.caption("Measured")
        judgement = decisive(result.judgements)
        st.markdown(plain(f"{judgement.claim.statement} {judgement.word.capitalize()}."))
        st.markdown(plain(judgement.sentence))
        if result.missing:
            st.caption(plain(describe_progress(result)))
    values, curves, pictures, configuration = st.tabs(["Claims", "Curves", "Pictures", "Configuration"])
    with values:
        _draw_values(result)
    with curves:
        _draw_curves(result)
    with pictures:
        _draw_pictures(result)
    with configuration:
        _draw_configuration(result)
    _draw_conclusions(result)
    with st.container(horizontal=True, vertical_alignment="center"):
        for label, page, query in page_links(result):
            st.page_link(f"pages/{page}.py", label=plain(label), icon=":material/open_in_new:", query_params=query)
        downloads.draw_report_download(lambda: parts.build_report([result]), f"{experiment.name}.html")


def _draw_steps(result: Result, listed: Sequence[Result]) -> None:
    """Links, not buttons, so that each experiment has an address."""
    before, after = neighbours(listed, result.experiment.name)
    position = [r.experiment.name for r in listed].index(result.experiment.name) + 1
    with st.container(horizontal=True, vertical_alignment="center"):
        for label, icon, name in (("Previous", "arrow_back", before), ("Next", "arrow_forward", after)):
            st.page_link(
                "pages/experiments.py",
                label=plain(label),
                icon=f":material/{icon}:",
                query_params={"experiment": name or result.experiment.name},
                disabled=name is None,
            )
        st.page_link("pages/experiments.py", label="All experiments", icon=":material/grid_view:")
        st.caption(plain(f"{position} of {len(listed)}"))


def _draw_values(result: Result) -> None:
    st.html(markup.text_table(parts.claims_table(result), "Claims: reported, measured, verdict"))
    for protocol in dict.fromkeys(data.protocol for data in result.claims if data.protocol):
        st.caption(plain(f"Measured with {protocol}"))
    if not parts.values_frame(result).empty:
        figure, alt = parts.values_figure(result)
        st.plotly_chart(figure, alt=alt, key="values")


def _draw_curves(result: Result) -> None:
    several = any(len(variant.runs) > 1 for variant in result.experiment.variants)
    seeds = several and st.toggle("All seeds, as mean and band", key="seeds", bind="query-params")
    drawn = parts.curves_figure(result, seeds=bool(seeds))
    if drawn is None:
        st.caption("No training of this experiment has logged these scalars yet.")
        return
    st.plotly_chart(drawn[0], alt=drawn[1], key="curves")


def _draw_pictures(result: Result) -> None:
    _draw_matrix(result)
    pictures = parts.pictures(result)
    if not pictures:
        st.caption("No training of this experiment has pictures yet.")
        return
    rows = [
        (title, [(moment.picture, f"{moment.share:.0%}, {moment.images:,} images") for moment in shown])
        for title, shown in pictures.items()
    ]
    st.html(markup.picture_rows(rows, "Pictures at the same points of training"))


def _draw_matrix(result: Result) -> None:
    try:
        shown = parts.matrix(result)
    except GanlibError as error:
        st.caption(plain(error))
        return
    if shown is not None:
        st.html(markup.picture(shown[1], shown[0]))
        st.caption(plain(shown[0]))


def _draw_configuration(result: Result) -> None:
    table = parts.configurations(result)
    if table.empty:
        st.caption("Fewer than two variants are trained yet, or they differ in nothing.")
        return
    st.dataframe(table, hide_index=True, placeholder="–", alt="Table of the settings in which the variants differ.")


def _draw_conclusions(result: Result) -> None:
    allowed, limited = parts.conclusions(result)
    left, right = st.columns(2, gap="medium")
    for column, heading, sentences in ((left, "What one may conclude", allowed), (right, "What one may not", limited)):
        with column:
            st.markdown(f"**{plain(heading)}**")
            st.html(markup.bullets(sentences))
