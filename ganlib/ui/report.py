"""A page that is also a file: what it draws goes into its HTML report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from streamlit.elements.lib.mutable_tab_container import TabContainer

from ganlib.figures.report import Report
from ganlib.figures.style import rename_runs
from ganlib.ui.markup import plain


class PageReport(Report):
    """Each method draws on the page and adds the same to the report."""

    _section = ""  # the heading of what is added next
    labels: Mapping[str, str] = MappingProxyType({})  # what charts call runs
    _open = True  # whether what is added next is on screen

    @contextmanager
    def tab(self, tab: TabContainer) -> Iterator[None]:
        """What is drawn inside stands in this tab. The charts of one that is closed are not even made."""
        with tab:
            self._open = bool(tab.open)
            yield
        self._open = True

    def section(self, title: str) -> None:
        st.subheader(plain(title), anchor=False)
        self._section = title

    def chart(self, figure: go.Figure | Callable[[], go.Figure], *, alt: str, key: str) -> None:
        """``figure``, or the function that makes it."""
        if self._open or not callable(figure):
            figure = rename_runs(figure() if callable(figure) else figure, self.labels)
            st.plotly_chart(figure, alt=alt, key=key)
            self._add(figure, alt)
        else:
            later = figure
            self._add(lambda: rename_runs(later(), self.labels), alt)

    def table(self, table: pd.DataFrame, *, heading: str, alt: str) -> None:
        st.dataframe(table, hide_index=True, placeholder="–", alt=alt)
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

    def _add(self, content: go.Figure | Callable[[], go.Figure] | str, alt: str = "") -> None:
        self.add(content, self._section, alt)
        self._section = ""
