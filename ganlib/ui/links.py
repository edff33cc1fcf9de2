"""Links: bad values in the URL are reported, and a shared link holds every value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from ganlib.sampling.request import format_option, parse_int
from ganlib.ui.growth import STOPPED
from ganlib.ui.markup import plain

WARNINGS = "link_warnings"  # the session's key
PLACE = "place"  # the session's key of the page, and the view of a presentation, that was open last
LOST = "lost_uploads"  # the session's key of whether the link is of files that another session had
KEPT = {WARNINGS, LOST, "device", "person", "seen_uploads", "uploaded_pictures", STOPPED}  # on all pages


def follow_link(page: str, view: str | None) -> None:
    """At the start of a run: on another page or view than before the link says all, and the rest is as at first.

    Streamlit would let a widget of the page before, whose value goes by the same key, have the last word. Where that
    page was left while it still worked, the value stays without a link, too, be it of another kind: a list of seeds.
    """
    if st.session_state.get(PLACE) != (page, view):
        for key in st.session_state.keys() - KEPT:
            del st.session_state[key]
        st.session_state[PLACE] = page, view


def check_link(key: str, is_valid: Callable[[str], bool], reason: str) -> None:
    """Warns of a value that Streamlit would drop, bend until it fits or fail on, in silence."""
    value = st.query_params.get(key)
    if value and not is_valid(value) and key not in st.session_state:
        rerun_with(key, [], f"The link asks for {key} “{value[:40]}”, but {reason}. Showing the default.")


def check_link_number(key: str, low: int, high: int) -> None:
    """``check_link`` for a whole number of a range, both ends included; ``low`` is 0 or more."""

    def is_valid(text: str) -> bool:
        number = parse_int(text)
        return number is not None and low <= number <= high

    check_link(key, is_valid, f"it goes from {low:,} to {high:,}")


def check_link_list(key: str, options: Collection[str]) -> None:
    """``check_link`` for a key that may have several values."""
    values = st.query_params.get_all(key)
    for value in values:
        if value not in options and key not in st.session_state:
            rest = [v for v in values if v != value]
            warning = f"The link asks for {key} “{value[:40]}”, which does not exist here. Leaving it out."
            rerun_with(key, rest, warning)


def linked_selectbox(
    label: str, labels: Mapping[str, str], default: str, *, key: str, keep: Mapping[str, str] | None = None
) -> str:
    """One of the keys of ``labels``, shown by its label; the link has the key itself.

    ``keep``: parameters whose defaults follow from this choice, with the values that a change of it must not change.

    Streamlit's own binding would write into the link what ``format_func`` returns.
    """
    _follow_linked(key, labels, default)

    def write() -> None:
        _write_choice(key, default)
        for name, value in (keep or {}).items():
            write_link(name, [value])

    return str(st.selectbox(plain(label), list(labels), key=key, format_func=labels.__getitem__, on_change=write))


def linked_segments(label: str, labels: Mapping[str, str], default: str, *, key: str, help: str | None = None) -> str:
    """``linked_selectbox`` as buttons side by side."""
    _follow_linked(key, labels, default)
    choice = st.segmented_control(
        plain(label),
        list(labels),
        required=True,
        key=key,
        format_func=lambda value: plain(labels[value]),
        on_change=_write_choice,
        args=(key, default),
        help=help,
    )
    return str(choice)


def _follow_linked(key: str, labels: Mapping[str, str], default: str) -> None:
    """The widget's value is the link's; one that is no longer among ``labels`` leaves the link."""
    linked = st.query_params.get(key)
    if linked is not None and linked not in labels:
        write_link(key, [])
    st.session_state[key] = linked if linked in labels else default


def _write_choice(key: str, default: str) -> None:
    write_link(key, [value for value in [st.session_state[key]] if value != default])


def linked_text(label: str, default: str, *, key: str, help: str | None = None) -> str:
    """A text whose default may change with other controls: the link has it where it differs."""
    st.session_state[key] = st.query_params.get(key, default)

    def write() -> None:
        text = st.session_state[key].strip()
        write_link(key, [text] if text and text != default else [])

    return str(st.text_input(plain(label), key=key, on_change=write, help=help))


def linked_multiselect(
    label: str,
    labels: Mapping[str, str],
    default: Sequence[str] = (),
    *,
    key: str,
    placeholder: str = "",
    help: str | None = None,
) -> list[str]:
    """``linked_selectbox`` for any number of values; those that ``labels`` lacks leave the link."""
    cleared = f"{key}_cleared"  # the session's key of whether the user took all values away, the default ones as well
    linked = st.query_params.get_all(key)
    known = [value for value in linked if value in labels]
    if known != linked:
        write_link(key, known)
    st.session_state[key] = known or ([] if st.session_state.get(cleared) else list(default))

    def write() -> None:
        write_link(key, st.session_state[key])
        st.session_state[cleared] = not st.session_state[key]

    return st.multiselect(
        plain(label),
        list(labels),
        key=key,
        format_func=labels.__getitem__,
        on_change=write,
        placeholder=placeholder or None,
        help=help,
    )


def add_to_link(key: str, values: Sequence[str]) -> None:
    """Further values of a ``linked_multiselect``, before it is drawn."""
    linked = st.query_params.get_all(key)
    write_link(key, list(dict.fromkeys([*linked, *values])))


def write_link(key: str, values: list[str]) -> None:
    if values:
        st.query_params[key] = values
    else:
        st.query_params.pop(key, None)


def translate_link(key: str, names: Mapping[str, str]) -> None:
    """Starts the page again where the link has an older name for a value of the key."""
    value = st.query_params.get(key, "")
    if value in names and names[value] != value and key not in st.session_state:
        st.query_params[key] = names[value]
        st.rerun()


def rerun_with(key: str, values: list[str], *warnings: str) -> NoReturn:
    """Starts the page again from a link that has only these values of the key, with what is to be said of others."""
    if not st.session_state.get(LOST):
        st.session_state.setdefault(WARNINGS, []).extend(warnings)
    write_link(key, values)
    st.rerun()


def remember_uploads(names: list[str], *, had: bool) -> None:
    """Keeps the names of uploads in the link, where a reload or another person finds them without the files.

    Then one sentence says so, and what else the link asks of them is left out in silence. ``had``: whether this
    session had uploads before.
    """
    linked = st.query_params.get_all("uploads")
    if linked == names:
        return
    write_link("uploads", names)
    if not names and not had:
        st.session_state[LOST] = True
        sentence = f"Uploads stay in the session that made them; upload {', '.join(linked)} again to see them here."
        st.session_state.setdefault(WARNINGS, []).append(sentence)
        st.rerun()


def draw_link_warnings() -> None:
    for warning in st.session_state.get(WARNINGS, ()):
        st.warning(plain(warning))


def clear_link_warnings() -> None:
    """At the end of a page: its link was read and its warnings were drawn."""
    st.session_state.pop(WARNINGS, None)


def build_link(values: dict[str, Any]) -> str:
    """This page with every value explicit, since defaults may change."""
    base = urlsplit(st.context.url or "")
    return urlunsplit((base.scheme, base.netloc, base.path, urlencode(values, doseq=True), ""))


def format_options(options: dict[str, Any]) -> dict[str, str]:
    """A model's options as a link has them."""
    return {name: format_option(value) for name, value in options.items() if value is not None}


def draw_link(
    values: dict[str, Any] | None,
    command: str | None = None,
    snippet: str | None = None,
    *,
    opens: str = "these images",
) -> None:
    """The link to what is shown, and the equal command line and Python; no link of what only this session has."""
    parts = {"link": values is not None, "command line": bool(command), "Python": bool(snippet)}
    *first, last = [name for name, there in parts.items() if there]
    title = f"{', '.join(first)} and {last}" if first else last
    with st.expander(plain(title[0].upper() + title[1:]), icon=":material/link:"):
        if values is not None:
            st.caption(f"This link opens exactly {plain(opens)}:")
            st.code(build_link(values), language=None, wrap_lines=True)
        if command:
            st.caption("The same from a shell:")
            st.code(command, language="bash", wrap_lines=True)
        if snippet:
            st.caption("The same in Python:")
            st.code(snippet, language="python", wrap_lines=True)
