"""What a page does in the browser beyond Streamlit's elements: a few lines of JavaScript, none of them a library."""

from __future__ import annotations

import streamlit as st

MERGED_MILLISECONDS = 1000

# Streamlit adds an entry to the browser's history for each value that a page writes into its link: an arrow key that is
# held down on a seed makes dozens. Those that follow within a second replace the one before.
_MERGE_HISTORY = f"""<script>
if (!window.ganlibHistory) {{
  window.ganlibHistory = true;
  const push = history.pushState.bind(history), replace = history.replaceState.bind(history);
  let last = -Infinity;
  history.pushState = (state, title, url) => {{
    const same = new URL(url, location).pathname === location.pathname;
    (same && performance.now() - last < {MERGED_MILLISECONDS} ? replace : push)(state, title, url);
    last = same ? performance.now() : -Infinity;
  }};
}}
</script>"""


def merge_history() -> None:
    """From now on in this tab: one entry of the browser's history a pause, not one a key press."""
    st.html(_MERGE_HISTORY, unsafe_allow_javascript=True)


def scroll_to(key: str) -> None:
    """Brings the element of this key into view; each call anew, though it may be in the same place of the page."""
    count = st.session_state["scrolled"] = st.session_state.get("scrolled", 0) + 1
    st.html(
        f"""<script>/* {count} */
        document.querySelector(".st-key-{key}")?.scrollIntoView({{behavior: "smooth", block: "nearest"}});
        </script>""",
        unsafe_allow_javascript=True,
    )
