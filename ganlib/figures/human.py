"""Human error rates as bars, with guessing as a line."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from ganlib.figures.style import NEUTRAL, PALETTE, apply_style


def human_error_bars(frame: pd.DataFrame, low: float, high: float) -> go.Figure:
    """``model``, ``human_error`` (a fraction), ``source``, one bar each in the frame's order: rates of several tests
    are not ranked. ``low`` to ``high``: interval of the first, which is our own.
    """
    own, others = frame["human_error"].iloc[0], [0.0] * (len(frame) - 1)
    above, below = [100 * (high - own), *others], [100 * (own - low), *others]
    figure = go.Figure(
        go.Bar(
            x=100 * frame["human_error"],
            y=frame["model"],
            orientation="h",
            marker_color=[PALETTE[0], *[NEUTRAL] * len(others)],
            error_x={"type": "data", "array": above, "arrayminus": below},
            text=[f"{value:.0%}" for value in frame["human_error"]],
            textposition="inside",
            insidetextanchor="start",
            customdata=frame[["source"]],
            hovertemplate="%{y}: %{x:.1f} %<br>%{customdata[0]}<extra></extra>",
        )
    )
    figure.add_vline(x=50, line={"color": NEUTRAL, "dash": "dot", "width": 1}, annotation_text="guessing")
    figure.update_xaxes(title_text="Human error rate, %", range=[0, max(60.0, 105 * float(high))])
    figure.update_yaxes(autorange="reversed", type="category", automargin=True, showgrid=False)
    figure.update_layout(height=30 * len(frame) + 110, showlegend=False)
    return apply_style(figure)
