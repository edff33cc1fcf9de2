"""Links: what they ask for is checked aloud, what they hold is explicit."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

COMPLAINTS = "link_complaints"


def check_link(key: str, valid: Callable[[str], bool], reason: str) -> None:
    """Streamlit drops a link's bad value in silence, bends it until it fits or fails; a person should hear of it."""
    value = st.query_params.get(key)
    if value and not valid(value) and key not in st.session_state:
        _without(key, [], f"The link asks for {key} “{value[:40]}”, but {reason}. Showing the default.")


def check_link_list(key: str, known: Collection[str]) -> None:
    values = st.query_params.get_all(key)
    for value in values:
        if value not in known and key not in st.session_state:
            rest = [v for v in values if v != value]
            _without(key, rest, f"The link asks for {key} “{value[:40]}”, which does not exist here. Leaving it out.")


def _without(key: str, rest: list[str], complaint: str) -> NoReturn:
    """Starts the page again from a link that keeps only ``rest`` of this key."""
    st.session_state.setdefault(COMPLAINTS, []).append(complaint)
    if rest:
        st.query_params[key] = rest
    else:
        del st.query_params[key]
    st.rerun()


def complain() -> None:
    """What the link asked for in vain."""
    for complaint in st.session_state.get(COMPLAINTS, ()):
        st.warning(complaint)


def complained() -> None:
    """Once a page was drawn to its end, its link is read and its complaints are said."""
    st.session_state.pop(COMPLAINTS, None)


def link_to(values: dict[str, Any]) -> str:
    """This page with every value explicit, since defaults may change."""
    base = urlsplit(st.context.url or "")
    return urlunsplit((base.scheme, base.netloc, base.path, urlencode(values, doseq=True), ""))
