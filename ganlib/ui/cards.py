"""A run at a glance."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from ganlib.runs import Run
from ganlib.ui.pictures import IMAGE, data_url

KNOWS = {
    "accuracy": "Its classifier",
    "code_accuracy": "Code {code}",
    "probe_accuracy": "A linear SVM on D's features",
}


def card(run: Run, evaluations: pd.DataFrame) -> None:
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
    value, metric, protocol = score(run, evaluations)
    networks = ", ".join(f"{name} {short(size)}" for name, size in sizes.items())
    numbers(
        [
            (short(sum(sizes.values())), "parameters", networks),
            (short(run.images_seen), "images seen", f"{run.training_seconds / 60:.0f} minutes of training"),
            (value, metric, protocol),
        ]
    )
    for sentence in [run.note, *known_of_images(run, evaluations)]:
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


def score(run: Run, evaluations: pd.DataFrame) -> tuple[str, str, str]:
    """The FID of these weights, its name and its protocol in words, or what to do to have one."""
    latest = newest(run, evaluations, "fid")
    if latest is None:
        return "–", "FID", f"Not evaluated yet: python -m ganlib evaluate {run.name}"
    return (
        f"{latest.value:.2f}",
        f"FID ({latest.extractor})",
        f"{latest.protocol_label}. Comparable only within one protocol.",
    )


def known_of_images(run: Run, evaluations: pd.DataFrame) -> list[str]:
    """What the networks know of real images beside making their own, as far as somebody measured it."""
    sentences = []
    for metric, subject in KNOWS.items():
        latest = newest(run, evaluations, metric)
        if latest is not None:
            subject = subject.format(code=json.loads(latest.protocol).get("code", ""))
            sentences.append(f"{subject} names the class of {100 * latest.value:.0f} % of the test images")
    return sentences


def newest(run: Run, evaluations: pd.DataFrame, metric: str) -> Any:
    """The latest record of that metric of these weights, a row of ``evaluations``; None where there is none."""
    mine = evaluations[
        (evaluations.run == run.name) & (evaluations.metric == metric) & (evaluations.weights_hash == run.weights_hash)
    ]
    return None if mine.empty else mine.sort_values("date").iloc[-1]


def short(n: float) -> str:
    """1234567 -> "1.23 M"."""
    for limit, unit in [(1e6, " M"), (1e3, " k")]:
        if n >= limit:
            return f"{n / limit:.3g}{unit}"
    return f"{n:.0f}"
