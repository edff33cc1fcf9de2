"""The frame around every page: title, device, and errors as one sentence at the edge."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.pages_manager import PagesManager

from ganlib.devices import available_devices, pick_device, threads
from ganlib.errors import GanlibError
from ganlib.files import describe_os_error
from ganlib.naming import counted
from ganlib.settings import run_roots
from ganlib.ui.catalog import broken_runs, runs, single_scan
from ganlib.ui.growth import continue_unfinished
from ganlib.ui.links import clear_link_warnings, draw_link_warnings
from ganlib.ui.markup import plain

# Streamlit writes the chosen options of a list in white whatever the accent: on a light one that is 2.6 : 1.
DARK_TAGS = "<style>[data-testid=stMultiSelect] [data-tag] * { color: #0f1117 }</style>"


class _Finished(Exception):
    """The page's content ends here; st.stop() would end the sidebar below it as well."""


@contextmanager
def page(title: str, lead: str, *, sidebar: bool = True) -> Iterator[None]:
    """Header and sidebar around a page's content; a GanlibError inside ends it in one sentence.

    A page without controls has no ``sidebar``: the unusable runs stand below its content.
    """
    _enter_through_app()
    if sidebar:
        with st.sidebar.container(key="sidebar_begin"):  # from the first moment, however long its controls take
            st.html("<i></i>")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.header(plain(title), anchor=False, width="content")
        st.caption(plain(lead))
    draw_link_warnings()
    with single_scan():
        with suppress(_Finished), as_sentences():
            with st.spinner("Reading the runs …"):  # a second or two on a fresh server, nothing later
                runs()
            yield
        if st.context.theme.type == "dark":
            st.html(DARK_TAGS)
        if sidebar:
            _pick_device()
        _draw_broken_runs(st.sidebar if sidebar else st.container())
        continue_unfinished()
        clear_link_warnings()


@contextmanager
def as_sentences() -> Iterator[None]:
    """An error that a user can understand ends what is drawn inside in one sentence.

    What is drawn apart from its page, a dialog or a fragment, needs its own: Streamlit shows no error's text.
    """
    try:
        yield
    except GanlibError as error:
        st.error(plain(error), icon=":material/error:")
    except FileNotFoundError as error:
        sentence = f"{error.filename} was removed while this page was drawn; reload it."
        st.error(plain(sentence), icon=":material/error:")
    except OSError as error:
        st.error(plain(describe_os_error(error)), icon=":material/error:")


def finish(message: str) -> NoReturn:
    """In place of the rest of the page: why there is none."""
    st.info(plain(message))
    raise _Finished


def empty(what: str, command: str) -> NoReturn:
    """In place of content that does not exist yet: what is missing, where it is looked for, how to make it."""
    draw_missing(what, command)
    raise _Finished


def draw_missing(what: str, command: str) -> None:
    """The same above what the page can do without it."""
    where = " or ".join(map(str, run_roots()))
    st.info(plain(f"{what} Runs are looked for in {where}. Make one with:"), icon=":material/inbox:")
    st.code(command, language="bash")


def no_models() -> NoReturn:
    empty("There are no trained models here yet.", "python -m ganlib train cdcgan --data digits --max-minutes 5")


def _enter_through_app() -> None:
    """A fresh server takes a deep link straight to pages/, past dashboard.py and its layout and navigation.

    That is Streamlit's legacy routing, in force until st.navigation has run once in the process.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()


def _pick_device() -> None:
    with st.sidebar:
        st.selectbox(
            "Device",
            ["auto", *available_devices()],
            key="device",
            persist_state="session",
            format_func=lambda name: f"auto ({_describe('auto')})" if name == "auto" else _describe(name),
            help="Where images are computed. Auto takes CUDA, then MPS, then the CPU.",
        )


def _describe(name: str) -> str:
    device = pick_device(name)
    if device.type == "cuda":
        return f"{device}, {torch.cuda.get_device_name(device)}"
    return f"CPU, {threads()}" if device.type == "cpu" else "Apple GPU"


def _draw_broken_runs(place: DeltaGenerator) -> None:
    errors = broken_runs()
    if errors:
        with place.expander(plain(counted(len(errors), "unusable run")), icon=":material/warning:"):
            for error in errors:
                st.markdown(f"- {plain(error)}")
