"""Download buttons for what a page shows: tables, scalars, the page itself."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd
import streamlit as st

from ganlib.figures.report import Report, latex
from ganlib.provenance import commit, now
from ganlib.ui.markup import plain

FORMULA = re.compile(r"\s*[=+@\t\r-]")
DownloadFile = tuple[str, Callable[[], bytes], str, str, str]  # label, content, file name, MIME type, icon


def file_stem(*parts: str) -> str:
    """A file's name without its ending, of at most 120 characters that every file system takes."""
    return re.sub(r"[^\w.+,-]", "_", "_".join(parts))[:120]


def draw_download(
    label: str, content: Callable[[], bytes], name: str, mime: str, icon: str, key: str | None = None
) -> None:
    """A button whose ``content`` is made when it is pressed.

    Bytes would be encoded in every run of the script, and stored under an address that the next run takes back: a
    browser that still looks at the button meets an address of nothing.
    """
    st.download_button(plain(label), content, name, mime, on_click="ignore", icon=f":material/{icon}:", key=key)


def draw_curve_downloads(frame: pd.DataFrame, report: Report) -> None:
    """The shown scalars for a spreadsheet and for pandas, and the page as one file of HTML."""

    def parquet() -> bytes:
        content = io.BytesIO()
        plain = frame.copy()
        plain.attrs = {}  # which Parquet would keep as JSON
        plain.to_parquet(content, index=False)
        return content.getvalue()

    with st.container(horizontal=True):
        draw_download("Shown scalars as CSV", lambda: scalars_csv(frame), "curves.csv", "text/csv", "download")
        mime = "application/vnd.apache.parquet"
        draw_download("Shown scalars as Parquet", parquet, "curves.parquet", mime, "table")
        _draw_report_download(report, "curves.html")


def draw_score_downloads(report: Report, table: pd.DataFrame, ranked: pd.DataFrame) -> None:
    """The ranking for a spreadsheet and for LaTeX, and the page as one file of HTML."""
    name, protocol = ranked.metric.iloc[0], ranked.protocol_label.iloc[0]
    with st.container(horizontal=True):
        csv = table.assign(Protocol=protocol)
        draw_download("Table as CSV", lambda: to_csv(csv), f"{name}.csv", "text/csv", "download")
        draw_download("Table as LaTeX", lambda: latex(table).encode(), f"{name}.tex", "text/x-tex", "function")
        _draw_report_download(report, f"{name}.html", f"Protocol: {protocol}. ")


def draw_files(files: Iterable[DownloadFile]) -> None:
    """Buttons in a row."""
    with st.container(horizontal=True):
        for label, content, name, mime, icon in files:
            draw_download(label, content, name, mime, icon)


def draw_report_download(build: Callable[[], Report], name: str) -> None:
    """A report that is built when the button is pressed."""
    draw_download("Report as HTML", lambda: _page(build(), ""), name, "text/html", "description")


def scalars_csv(frame: pd.DataFrame) -> bytes:
    """All digits, as they were logged."""
    return inert(frame).to_csv(index=False).encode()


def to_csv(frame: pd.DataFrame) -> bytes:
    """Six significant digits: more than any interval leaves meaning to."""
    return inert(frame).to_csv(index=False, float_format="%.6g").encode()


def inert(frame: pd.DataFrame) -> pd.DataFrame:
    """Texts that a spreadsheet would take for formulas get an apostrophe in front, as in its own cells.

    A name of a run, a class or a scalar comes from anywhere. Numbers stay numbers.
    """
    columns = [_inert_column(frame.iloc[:, i]) for i in range(frame.shape[1])]
    return pd.concat(columns, axis=1) if columns else frame


def _inert_column(column: pd.Series) -> pd.Series:
    is_category = isinstance(column.dtype, pd.CategoricalDtype)
    if is_category and any(_escape(name) is not name for name in column.cat.categories):
        column = column.astype(object)
    if not is_category or column.dtype == object:
        column = column if pd.api.types.is_numeric_dtype(column) else column.map(_escape)
    return column.rename(_escape(column.name))


def _escape(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value


def to_latex(frame: pd.DataFrame) -> bytes:
    return latex(frame).encode()


def _draw_report_download(report: Report, name: str, footer: str = "") -> None:
    draw_download("Report as HTML", lambda: _page(report, footer), name, "text/html", "description")


def _page(report: Report, footer: str) -> bytes:
    return report.html(f"{footer}ganlib {commit() or ''}, {now()}.").encode()
