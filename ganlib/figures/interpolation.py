"""How far the images of an interpolation move from frame to frame."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from ganlib.figures.style import NEUTRAL, PALETTE, apply_style


def interpolation_steps(steps: Sequence[float], keys: Sequence[int] = ()) -> go.Figure:
    """One value a step; ``keys`` are the frames, from 0, that are key frames: a mark between two steps each."""
    numbers = list(range(1, len(steps) + 1))
    figure = go.Figure(
        go.Bar(
            x=numbers,
            y=list(steps),
            marker_color=PALETTE[0],
            hovertemplate="frame %{x} to the next: %{y:.3f}<extra></extra>",
        )
    )
    for key in keys:
        if 0 < key < len(steps):  # in a loop the last key frame, too, lies between two steps
            figure.add_vline(key + 0.5, line_dash="dash", line_color=NEUTRAL)
    figure.update_xaxes(title_text="Frame")
    figure.update_yaxes(title_text="Feature distance", rangemode="tozero")
    figure.update_layout(height=240, showlegend=False, bargap=0.15)
    return apply_style(figure)
