"""A run at a glance."""

from __future__ import annotations

from html import escape

import pandas as pd
import streamlit as st

from ganlib.runs import Run
from ganlib.ui.pictures import IMAGE, data_url


def card(run: Run, evaluations: pd.DataFrame) -> None:
    """Picture, data set, size, training and score of a run, and where to go from here."""
    st.subheader(run.name, anchor=False)
    kind = f"{len(run.classes)} classes to choose from" if run.conditional else "unconditional"
    st.caption(f"{run.model_name} · {run.data_name}, {run.config.image_size} px · {kind}")
    pictures = run.folder.sample_images()
    if pictures:
        at = max((p for p in pictures if p <= run.images_seen), default=pictures[-1])
        content = (run.folder.samples / f"{at}.webp").read_bytes()
        alt = escape(f"Samples of {run.name} after {at:,} training images")
        st.html(f'<img src="{data_url(content, "webp")}" alt="{alt}" style="{IMAGE}">')
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
    with st.container(horizontal=True):
        st.page_link("pages/sampling.py", label="Sample", icon=":material/casino:", query_params={"run": run.name})
        st.page_link(
            "pages/interpolation.py", label="Interpolate", icon=":material/timeline:", query_params={"run": run.name}
        )
        st.page_link("pages/curves.py", label="Curves", icon=":material/show_chart:", query_params={"runs": [run.name]})


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
    mine = evaluations[
        (evaluations.run == run.name) & (evaluations.metric == "fid") & (evaluations.weights_hash == run.weights_hash)
    ]
    if mine.empty:
        return "–", "FID", f"Not evaluated yet: python -m ganlib evaluate {run.name}"
    latest = mine.sort_values("date").iloc[-1]
    return (
        f"{latest.value:.2f}",
        f"FID ({latest.extractor})",
        f"{latest.protocol_label}. Comparable only within one protocol.",
    )


def short(n: float) -> str:
    """1234567 -> "1.23 M"."""
    for limit, unit in [(1e6, " M"), (1e3, " k")]:
        if n >= limit:
            return f"{n / limit:.3g}{unit}"
    return f"{n:.0f}"
