"""What the page of scores shows."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

from helpers.streamlit_app import charts


def bars(at: AppTest) -> dict[str, Any]:
    (bar,) = (trace for chart in charts(at) for trace in chart["data"] if trace["type"] == "bar")
    return bar


def numbers(axis: Any) -> list[float]:
    """Plotly packs arrays."""
    return np.frombuffer(b64decode(axis["bdata"]), axis["dtype"]).tolist()


def protocol_of(at: AppTest) -> Any:
    (box,) = (box for box in at.selectbox if box.label == "Protocol")
    return box
