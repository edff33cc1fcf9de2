"""The distance of an inversion's image to its target, step by step."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from ganlib.figures.style import PALETTE, apply_style


def inversion_losses(losses: Sequence[float]) -> go.Figure:
    """One value a step, of the best start."""
    figure = go.Figure(
        go.Scatter(
            y=list(losses),
            mode="lines",
            line_color=PALETTE[0],
            hovertemplate="step %{x}: %{y:.3f}<extra></extra>",
        )
    )
    figure.update_xaxes(title_text="Step")
    figure.update_yaxes(title_text="Distance", rangemode="tozero")
    figure.update_layout(height=240, showlegend=False)
    return apply_style(figure)
