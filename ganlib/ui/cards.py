"""A run at a glance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from ganlib.records import METRICS, Protocol, by_date
from ganlib.runs import Run, read_sheet
from ganlib.ui import markup
from ganlib.ui.catalog import present_scores, usual_scores
from ganlib.ui.markup import plain


def draw_card(run: Run) -> None:
    """Samples, data set, size, training and score of a run, and links to its other pages."""
    st.subheader(plain(run.name), anchor=False)
    kind = f"{len(run.classes)} classes to choose from" if run.conditional else "unconditional"
    st.caption(plain(f"{run.model_name} · {run.data_name}, {run.config.image_size} px · {kind}"))
    folder = run.folder
    _draw_sheet(run, folder.samples, folder.sample_images(), f"Samples of {run.name}")
    pairs = f"Test images and, below each, its reconstruction by {run.name}"
    if _draw_sheet(run, folder.reconstructions, folder.reconstruction_images(), pairs):
        st.caption("Test images, each above its reconstruction")
    sizes = run.parameters
    value, metric, protocol = describe_fid(run)
    networks = ", ".join(f"{name} {format_count(size)}" for name, size in sizes.items())
    numbers = [
        (format_count(sum(sizes.values())), "parameters", networks),
        (format_count(run.images_seen), "images seen", f"{run.training_seconds / 60:.0f} minutes of training"),
        (value, metric, protocol),
    ]
    st.html(markup.numbers(numbers))
    for sentence in [run.note, *describe_accuracies(run)]:
        if sentence:
            st.caption(plain(sentence))
    with st.container(horizontal=True, gap=None):
        st.page_link("pages/sampling.py", label=":primary[Sample]", query_params={"run": run.name})
        st.page_link("pages/interpolation.py", label=":primary[Interpolate]", query_params={"run": run.name})
        st.page_link("pages/curves.py", label=":primary[Curves]", query_params={"runs": [run.name]})


def _draw_sheet(run: Run, folder: Path, snapshots: list[int], subject: str) -> bool:
    """The last of the training's sheets that the present weights made. False where there is none to see."""
    if not snapshots:
        return False
    images = max((n for n in snapshots if n <= run.images_seen), default=snapshots[-1])
    content = read_sheet(folder / f"{images}.webp")
    if content is None:
        st.caption(f"The file with the picture of {images:,} images is damaged.")
        return False
    st.html(markup.sheet(content, f"{subject} after {images:,} training images"))
    return True


def describe_fid(run: Run) -> tuple[str, str, str]:
    """The FID of these weights, its name and its protocol, or the command that measures it.

    Under the usual protocol of the data set, since cards stand side by side.
    """
    usual, others = find_scores(run, "fid")
    if usual is not None:
        return (
            format_score(usual.value),
            f"FID ({usual.extractor})",
            f"{usual.protocol_label}. Comparable only within one protocol.",
        )
    if others.empty:
        return "–", "FID", f"Not evaluated yet: python -m ganlib evaluate {run.name}"
    labels = "; ".join(f"{format_score(row.value)} ({row.protocol_label})" for row in others.itertuples())
    return "–", "FID", f"Not measured under the protocol of most runs of {run.data_name}, only otherwise: {labels}."


def describe_accuracies(run: Run) -> list[str]:
    """How well the networks classify real images, as far as it was measured."""
    sentences = []
    for name, metric in METRICS.items():
        if not metric.sentence:
            continue
        usual, others = find_scores(run, name)
        row, remark = usual, ""
        if row is None and len(others):
            row = next(others[-1:].itertuples())
            remark = f" (under another protocol than most runs of {run.data_name}: {row.protocol_label})"
        if row is not None:
            code = Protocol.from_key(row.protocol).extra.get("code", "")
            sentences.append(metric.sentence.format(code=code, value=row.value) + remark)
    return sentences


def find_scores(run: Run, metric: str) -> tuple[Any, pd.DataFrame]:
    """The run's row of the metric under its data set's usual protocol, None without one; its rows under all others."""
    scores = present_scores()
    own = by_date(scores[(scores.run == run.name) & (scores.metric == metric)])
    usual = usual_scores()
    chosen = own.index.isin(usual.index)
    return next(own[chosen].itertuples(), None), own[~chosen]


def format_score(value: Any) -> str:
    """12.3456 -> "12.35"; what is far larger in few digits."""
    return f"{value:.2f}" if abs(value) < 1e6 else f"{value:.3g}"


def format_count(n: float) -> str:
    """1234567 -> "1.23 M"."""
    for limit, unit in [(1e6, " M"), (1e3, " k")]:
        if n >= limit:
            return f"{n / limit:.3g}{unit}"
    return f"{n:.0f}"
