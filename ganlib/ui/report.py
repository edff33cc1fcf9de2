"""A page that is also a file: what it draws goes into its HTML report."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from ganlib.figures.report import Report
from ganlib.ui.markup import plain


class PageReport(Report):
    """Each method draws on the page and adds the same to the report."""

    _section = ""  # the heading of what is added next

    def section(self, title: str) -> None:
        st.subheader(plain(title), anchor=False)
        self._section = title

    def chart(self, figure: go.Figure, *, alt: str, key: str) -> None:
        st.plotly_chart(figure, alt=alt, key=key)
        self._add(figure, alt)

    def table(self, table: pd.DataFrame, *, heading: str, alt: str) -> None:
        st.dataframe(table, hide_index=True, alt=alt)
        self.add(table, heading)

    def caption(self, text: str) -> None:
        """Nothing for an empty text, as with ``warning``."""
        if text:
            st.caption(plain(text))
            self._add(text)

    def warning(self, text: str) -> None:
        if text:
            st.warning(plain(text))
            self._add(text)

    def _add(self, content: go.Figure | str, alt: str = "") -> None:
        self.add(content, self._section, alt)
        self._section = ""
