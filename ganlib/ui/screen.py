"""What the browser says of its screen."""

from __future__ import annotations

import streamlit as st


def is_phone() -> bool:
    """As phones name themselves (MDN, "Browser detection using the user agent": tablets leave "Mobi" out)."""
    return "Mobi" in st.context.headers.get("User-Agent", "")
