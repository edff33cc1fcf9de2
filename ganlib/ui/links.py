"""Links: what they ask for is checked aloud, what they hold is explicit."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st


def check_link(key: str, valid: Callable[[str], bool], reason: str) -> None:
    """Streamlit drops a link's bad value in silence, or bends it until it fits; a person should hear of it."""
    value = st.query_params.get(key)
    if value and not valid(value) and key not in st.session_state:
        st.warning(f"The link asks for {key} “{value[:40]}”, but {reason}. Showing the default.")
        del st.query_params[key]  # before the widget reads it


def check_link_list(key: str, known: Collection[str]) -> None:
    for value in st.query_params.get_all(key):
        if value not in known and key not in st.session_state:
            st.warning(f"The link asks for {key} “{value[:40]}”, which does not exist here. Leaving it out.")


def link_to(values: dict[str, Any]) -> str:
    """This page with every value explicit, since defaults may change."""
    base = urlsplit(st.context.url or "")
    return urlunsplit((base.scheme, base.netloc, base.path, urlencode(values, doseq=True), ""))
