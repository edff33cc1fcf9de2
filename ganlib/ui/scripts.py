"""What a page does in the browser once, as its script says; page.js is what each tab does from the first moment."""

from __future__ import annotations

import streamlit as st


def scroll_to(key: str) -> None:
    """Brings the element of this key into view; each call anew, though it may be in the same place of the page."""
    count = st.session_state["scrolled"] = st.session_state.get("scrolled", 0) + 1
    st.html(
        f"""<script>/* {count} */
        document.querySelector(".st-key-{key}")?.scrollIntoView({{behavior: "smooth", block: "nearest"}});
        </script>""",
        unsafe_allow_javascript=True,
    )
