"""Tables and files of the FID page: the ranking, who is not in it and why, what others published, reports."""

from __future__ import annotations

import io
from math import floor, log10
from pathlib import Path

import pandas as pd
import streamlit as st
from PIL import Image

from ganlib.figures.report import Report, latex
from ganlib.metrics.published import published
from ganlib.provenance import commit, now
from ganlib.records import METRICS
from ganlib.runs import Run
from ganlib.ui.catalog import generates, runs
from ganlib.ui.curves import download_frame
from ganlib.ui.pictures import data_url
from ganlib.ui.report import PageReport

SHOWN = 5  # pictures of a run in a table
AGREEMENT = "Class agreement, %"


def draw_ranking(report: PageReport, ranked: pd.DataFrame, agreement: pd.DataFrame) -> pd.DataFrame:
    """Sortable; each run with its class agreement, its size and its training: a good score has a price."""
    known: dict[str, Run] = {run.name: run for run in runs()}
    agrees = dict(zip(agreement.run, agreement.value, strict=True))
    metric = METRICS[ranked.metric.iloc[0]]
    ordered = ranked.sort_values("value", ascending=metric.better == "lower")
    chosen = [known[name] for name in ordered.run]
    table = pd.DataFrame(
        {
            "Run": [run.name for run in chosen],
            "Architecture": [run.model_name for run in chosen],
            metric.label: ordered.value.to_numpy(),
            "Low": ordered.low.to_numpy(),
            "High": ordered.high.to_numpy(),
            AGREEMENT: [100 * agrees.get(run.name, float("nan")) for run in chosen],
            "Parameters": [sum(run.parameters.values()) for run in chosen],
            "Images seen": [run.images_seen for run in chosen],
            "Training, minutes": [run.training_seconds / 60 for run in chosen],
            "Evaluated": ordered.date.dt.date.to_numpy(),
        }
    )
    if metric is METRICS["class_agreement"]:
        del table[AGREEMENT]
    number = st.column_config.NumberColumn
    shown = table.copy()
    shown.insert(1, "Pictures", [thumbnails(run) for run in chosen])
    st.dataframe(
        shown,
        hide_index=True,
        row_height=44,
        placeholder="–",
        column_config={
            "Pictures": st.column_config.ImageColumn(width="medium", help="Of the end of its training, one a class."),
            **{name: number(format=_digits(ordered.value), width="small") for name in (metric.label, "Low", "High")},
            **{name: number(format="localized") for name in ("Parameters", "Images seen")},
            "Training, minutes": number(format="%.0f"),
            AGREEMENT: number(format="%.1f", help=METRICS["class_agreement"].help),
            "Evaluated": st.column_config.DateColumn(),
        },
        alt="Table of the ranked runs with their scores, sizes and training.",
    )
    report.add(table, "Runs")
    return table


def _digits(values: pd.Series[float]) -> str:
    """As many decimals for all as show three digits of the middle one."""
    middle = abs(values.median()) or 1.0
    return f"%.{max(2 - floor(log10(middle)), 0)}f"


def thumbnails(run: Run) -> str | None:
    """The first pictures of the last sheet that the run's training left, one a row of the sheet."""
    moments = run.folder.sample_images()
    if not moments:
        return None
    path = run.folder.samples / f"{moments[-1]}.webp"
    return _thumbnails(str(path), path.stat().st_mtime_ns, run.config.image_size)


@st.cache_data(max_entries=256, show_spinner=False)
def _thumbnails(path: str, mtime_ns: int, side: int) -> str:
    sheet = Image.open(Path(path)).convert("RGB")
    step = side + 2  # the sheet's gap
    tiles = [sheet.crop((0, y, side, y + side)) for y in range(0, sheet.height, step)][:SHOWN]
    strip = Image.new("RGB", (step * len(tiles) - 2, side), "white")
    for i, tile in enumerate(tiles):
        strip.paste(tile, (i * step, 0))
    content = io.BytesIO()
    strip.save(content, "WEBP", quality=85)
    return data_url(content.getvalue(), "webp")


def draw_unranked(report: PageReport, records: pd.DataFrame, present: pd.DataFrame, ranked: pd.DataFrame) -> None:
    """The runs that are not ranked here, each with the reason."""
    metric = ranked.metric.iloc[0]
    measured = present[present.metric == metric]
    other = dict(zip(measured.run, measured.protocol_label, strict=True))
    stale = set(records.run[(records.metric == metric) & records.snapshot.isna()])

    def reason(run: Run) -> str:
        if run.name in other:
            return f"Measured otherwise: {other[run.name]}"
        if METRICS[metric].needs_classes and not run.conditional:
            return "It cannot be asked for classes"
        return "Measured with earlier weights alone" if run.name in stale else "Not measured"

    left = [run for run in runs(generates) if run.name not in set(ranked.run)]
    if not left:
        return
    table = pd.DataFrame({"Run": [run.name for run in left], "Reason": [reason(run) for run in left]})
    with st.expander(
        f"{len(left)} {'run is' if len(left) == 1 else 'runs are'} not ranked here", icon=":material/rule:"
    ):
        report.table(table, heading="Not ranked", alt="Table of the runs that are not ranked and why.")


def draw_published(report: PageReport, ranked: pd.DataFrame) -> None:
    """What others report of the same data set and extractor, apart from our own numbers."""
    known = published(ranked.data.iloc[0], ranked.extractor.iloc[0])
    metric = ranked.metric.iloc[0]
    if metric not in known or known[metric].isna().all():
        return
    columns = {"model": "Model", metric: METRICS[metric].label, "source": "Source", "protocol": "Protocol"}
    table = known.dropna(subset=[metric]).sort_values(metric)[list(columns)].rename(columns=columns)
    with st.expander("Published values", icon=":material/menu_book:"):
        st.caption("As their sources report them, each under its own protocol: to be read beside ours, not ranked.")
        heading = "Published values, each under its own protocol"
        report.table(table, heading=heading, alt=f"Table of published values of {METRICS[metric].label}.")


def download_scores(report: Report, table: pd.DataFrame, ranked: pd.DataFrame) -> None:
    """What the page shows as files: the table for a spreadsheet and for LaTeX, all of it as a page of HTML."""
    name, protocol = ranked.metric.iloc[0], ranked.protocol_label.iloc[0]
    footer = f"Protocol: {protocol}. ganlib {commit() or ''}, {now()}."
    with st.container(horizontal=True):
        download_frame("Table as CSV", table.assign(Protocol=protocol), f"{name}.csv")
        for label, kind, mime, icon, make in (
            ("Table as LaTeX", "tex", "text/x-tex", "function", lambda: latex(table).encode()),
            ("Report as HTML", "html", "text/html", "description", lambda: report.html(footer).encode()),
        ):
            st.download_button(label, make, f"{name}.{kind}", mime, on_click="ignore", icon=f":material/{icon}:")
