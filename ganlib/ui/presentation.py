"""Presentation mode: a prepared list of views, shown one after the other in larger type and without the sidebar.

A view is a link within the dashboard, "sampling?run=cifar10-sngan&class=cat". The list is that of the link's ``view``
values, else of the file that ``GANLIB_VIEWS`` names, else ganlib/ui/views.toml. The link's ``present`` is the number
of the view that is shown, so that a reload stays where one is.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from threading import Thread
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import streamlit as st
from streamlit.runtime.scriptrunner import add_script_run_ctx

from ganlib.errors import GanlibError
from ganlib.files import read_toml, remove_partial_files
from ganlib.sampling.request import parse_int
from ganlib.settings import direction_cache, log_cache, read_only, reference_cache, run_roots, views_file
from ganlib.ui.catalog import generates, preload_model, runs
from ganlib.ui.markup import plain
from ganlib.ui.navigation import PAGES

KEY, LINKS = "present", "view"
# Larger type for the last row of a lecture room; controls stay reachable from the view's own page.
STYLE = """<style>
html {font-size: 20px}
[data-testid="stSidebar"], [data-testid="stSidebarCollapsedControl"], [data-testid="stExpandSidebarButton"]
{display: none}
</style>"""


class View(NamedTuple):
    title: str
    page: str  # of pages/
    query: dict[str, list[str]]


def parse_view(link: str, title: str = "") -> View:
    """GanlibError for what is no link within the dashboard."""
    parts = urlsplit(link)
    page = parts.path.strip("/").rpartition("/")[2] or "home"
    if page not in PAGES:
        raise GanlibError(f"A view begins with one of {', '.join(PAGES)}, not {link[:60]!r}.")
    query = {key: values for key, values in parse_qs(parts.query).items() if key not in (KEY, LINKS)}
    return View(title or _title(page, query), page, query)


def _title(page: str, query: dict[str, list[str]]) -> str:
    return ": ".join([PAGES[page].title, *query.get("run", [])[:1]])


def read_views(path: Path) -> list[View]:
    """``[[view]]`` tables with link and title; GanlibError for a file that is none."""
    _, document = read_toml(path, "a file of views in GANLIB_VIEWS")
    tables = document.get("view")
    if not isinstance(tables, list) or not tables:
        raise GanlibError(f"{path} holds no [[view]] tables.")
    views = []
    for table in tables:
        link, title = (table.get("link"), table.get("title", "")) if isinstance(table, dict) else (None, "")
        if not isinstance(link, str) or not isinstance(title, str):
            raise GanlibError(f"{path}: each [[view]] needs a link, and may have a title.")
        try:
            views.append(parse_view(link, title))
        except GanlibError as error:
            raise GanlibError(f"{path}: {error}") from None
    return views


def views() -> list[View]:
    """Of this session's link, else of the file."""
    if links := st.query_params.get_all(LINKS):
        return [parse_view(link) for link in links]
    return read_views(views_file())


def draw_bar() -> None:
    """Above a page: the list's controls while it is presented; nothing otherwise."""
    number = st.query_params.get(KEY)
    if number is None:
        return
    try:
        listed = views()
    except GanlibError as error:
        st.error(plain(error), icon=":material/error:")
        return
    position = min(max(parse_int(number[:9]) or 1, 1), len(listed)) - 1
    st.html(STYLE)
    last = len(listed) - 1
    with st.container(horizontal=True, vertical_alignment="center"):
        _draw_link("Previous", "arrow_back", listed, position - 1, disabled=position == 0)
        _draw_link("Next", "arrow_forward", listed, position + 1, disabled=position == last)
        st.caption(plain(f"{position + 1} of {len(listed)} · {listed[position].title}"), width="stretch")
        view = listed[position]
        st.page_link(f"pages/{view.page}.py", label="End", icon=":material/close:", query_params=view.query)


def _draw_link(label: str, icon: str, listed: Sequence[View], target: int, *, disabled: bool = False) -> None:
    """A link, not a button: values that are bound to the page's widgets could not be set from within it."""
    view = listed[0 if disabled else target]
    query: dict[str, list[str]] = dict(view.query) | {KEY: [str(target + 1)]}
    if links := st.query_params.get_all(LINKS):
        query[LINKS] = links
    with st.container(key=f"presentation_{label.lower().replace(' ', '_')}", width="content"):
        st.page_link(
            f"pages/{view.page}.py",
            label=plain(label),
            icon=f":material/{icon}:",
            query_params=query,
            disabled=disabled,
        )


def draw_start() -> None:
    """The link that begins."""
    try:
        listed = views()
    except GanlibError as error:
        st.warning(plain(error))
        return
    _draw_link(f"Present {len(listed)} views", "slideshow", listed, 0)


@lru_cache(maxsize=1)
def warm_up() -> None:
    """Once a server: in the background, what a killed one left half written goes, and the models of the views' runs
    are loaded, so that none is waited for.
    """
    thread = Thread(target=_warm_up, daemon=True)
    add_script_run_ctx(thread)  # else Streamlit's caches warn that they are used outside a session
    thread.start()


def _warm_up() -> None:
    if not read_only():
        for folder in (*run_roots(), log_cache(), direction_cache(), reference_cache()):
            remove_partial_files(folder, below=True)
    try:
        names = {name for view in read_views(views_file()) for name in view.query.get("run", [])}
    except GanlibError:
        return
    for run in runs(generates):
        if run.name in names:
            with suppress(GanlibError, OSError, RuntimeError):  # the page says what is wrong with it
                preload_model(run)
