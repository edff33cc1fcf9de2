"""A run at a glance."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from ganlib.records import METRICS, Protocol, by_date
from ganlib.runs import Run
from ganlib.ui.catalog import present_scores, usual_scores
from ganlib.ui.pictures import IMAGE, data_url


def card(run: Run) -> None:
    """Picture, data set, size, training and score of a run, and where to go from here."""
    st.subheader(run.name, anchor=False)
    kind = f"{len(run.classes)} classes to choose from" if run.conditional else "unconditional"
    st.caption(f"{run.model_name} · {run.data_name}, {run.config.image_size} px · {kind}")
    folder = run.folder
    picture(run, folder.samples, folder.sample_images(), f"Samples of {run.name}")
    pairs = f"Test images and, below each, its reconstruction by {run.name}"
    if picture(run, folder.reconstructions, folder.reconstruction_images(), pairs):
        st.caption("Test images, each above its reconstruction")
    sizes = run.parameters
    value, metric, protocol = fid(run)
    networks = ", ".join(f"{name} {short(size)}" for name, size in sizes.items())
    numbers(
        [
            (short(sum(sizes.values())), "parameters", networks),
            (short(run.images_seen), "images seen", f"{run.training_seconds / 60:.0f} minutes of training"),
            (value, metric, protocol),
        ]
    )
    for sentence in [run.note, *abilities(run)]:
        if sentence:
            st.caption(sentence)
    with st.container(horizontal=True, gap=None):
        st.page_link("pages/sampling.py", label=":primary[Sample]", query_params={"run": run.name})
        st.page_link("pages/interpolation.py", label=":primary[Interpolate]", query_params={"run": run.name})
        st.page_link("pages/curves.py", label=":primary[Curves]", query_params={"runs": [run.name]})


def picture(run: Run, folder: Path, moments: list[int], what: str) -> bool:
    """The last of its training's pictures that these weights made. False where there is none."""
    if not moments:
        return False
    at = max((p for p in moments if p <= run.images_seen), default=moments[-1])
    content = (folder / f"{at}.webp").read_bytes()
    alt = escape(f"{what} after {at:,} training images")
    st.html(f'<img src="{data_url(content, "webp")}" alt="{alt}" style="{IMAGE}">')
    return True


def numbers(cells: list[tuple[str, str, str]]) -> None:
    """(value, unit, explanation on hover) side by side, narrower than st.metric can be."""
    blocks = "".join(
        f'<div title="{escape(why)}"><div style="font-size:1.25rem;font-weight:600">{escape(value)}</div>'
        f'<div style="font-size:.8rem;opacity:.75">{escape(unit)}</div></div>'
        for value, unit, why in cells
    )
    st.html(f'<div style="display:grid;grid-template-columns:repeat({len(cells)},1fr);gap:.5rem">{blocks}</div>')


def fid(run: Run) -> tuple[str, str, str]:
    """The FID of these weights, its name and its protocol in words, or what to do to have one.

    Under the protocol in which most runs of the data set compare: cards stand side by side.
    """
    usual, others = score_of(run, "fid")
    if usual is not None:
        return (
            f"{usual.value:.2f}",
            f"FID ({usual.extractor})",
            f"{usual.protocol_label}. Comparable only within one protocol.",
        )
    if others.empty:
        return "–", "FID", f"Not evaluated yet: python -m ganlib evaluate {run.name}"
    labels = "; ".join(f"{row.value:.2f} ({row.protocol_label})" for row in others.itertuples())
    return "–", "FID", f"Not measured under the protocol of most runs of {run.data_name}, only otherwise: {labels}."


def abilities(run: Run) -> list[str]:
    """What the networks know of real images beside making their own, as far as somebody measured it."""
    sentences = []
    for name, metric in METRICS.items():
        if not metric.sentence:
            continue
        usual, others = score_of(run, name)
        rows = ([] if usual is None else [(usual, "")]) or [
            (row, f" (measured otherwise than most runs of {run.data_name}: {row.protocol_label})")
            for row in others[-1:].itertuples()
        ]
        for row, remark in rows:
            code = Protocol.from_key(row.protocol).extra.get("code", "")
            sentences.append(metric.sentence.format(code=code, value=row.value) + remark)
    return sentences


def score_of(run: Run, metric: str) -> tuple[Any, pd.DataFrame]:
    """The run's row of the metric under its data set's usual protocol, None without one; its rows under all others."""
    scores = present_scores()
    own = by_date(scores[(scores.run == run.name) & (scores.metric == metric)])
    usual = usual_scores()
    chosen = own.index.isin(usual.index)
    return next(own[chosen].itertuples(), None), own[~chosen]


def short(n: float) -> str:
    """1234567 -> "1.23 M"."""
    for limit, unit in [(1e6, " M"), (1e3, " k")]:
        if n >= limit:
            return f"{n / limit:.3g}{unit}"
    return f"{n:.0f}"
