"""How two-sample tests behave where the answer is known: their level, their power, which planted faults they notice."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ganlib.figures.style import DASHES, NEUTRAL, PALETTE, SYMBOLS, apply_style, empty_figure

ALPHA = 0.05


def calibration_figure(frame: pd.DataFrame) -> go.Figure:
    """Left: share of equal pairs that each test rejects, with the band for 5 %. Right: the same over planted shifts.

    ``frame``: test, shift, rejected, repeats, low and high of the band, one row a test and shift.
    """
    if frame.empty:
        return empty_figure("Nothing was measured.")
    figure = make_subplots(1, 2, column_widths=[0.5, 0.5], horizontal_spacing=0.14)
    equal = frame[frame["shift"] == 0]
    figure.add_scatter(
        x=equal["rejected"],
        y=equal["test"],
        mode="markers+text",
        text=[f"  {share:.1%}" for share in equal["rejected"]],
        textposition="middle right",
        marker={"size": 12, "color": PALETTE[0]},
        showlegend=False,
        hovertemplate="%{y}: %{x:.1%}<extra></extra>",
        row=1,
        col=1,
    )
    figure.add_vrect(
        x0=float(equal["low"].min()),
        x1=float(equal["high"].max()),
        fillcolor=NEUTRAL,
        opacity=0.25,
        line_width=0,
        row=1,
        col=1,
    )
    for number, (test, rows) in enumerate(frame.groupby("test", sort=False)):
        rows = rows.sort_values("shift")
        figure.add_scatter(
            x=rows["shift"],
            y=rows["rejected"],
            mode="lines+markers",
            name=str(test),
            line={"color": PALETTE[number % len(PALETTE)], "dash": DASHES[number % len(DASHES)]},
            marker={"size": 9, "symbol": SYMBOLS[number % len(SYMBOLS)]},
            hovertemplate="%{y:.0%} at %{x}<extra>" + str(test) + "</extra>",
            row=1,
            col=2,
        )
    repeats = int(equal["repeats"].iloc[0]) if len(equal) else 0
    figure.update_xaxes(title_text=f"rejected of {repeats} equal pairs", tickformat=".0%", range=[0, 0.2], row=1, col=1)
    figure.update_yaxes(type="category", automargin=True, row=1, col=1)
    figure.update_xaxes(title_text="share of the second side drawn from vehicles alone", row=1, col=2)
    figure.update_yaxes(title_text="rejected", tickformat=".0%", range=[-0.02, 1.02], row=1, col=2)
    return apply_style(figure.update_layout(height=520))


def courtroom_figure(frame: pd.DataFrame) -> go.Figure:
    """A panel a fault: instruments by strength; dark where the instrument notices.

    ``frame``: fault, strength, unit, instrument, noticed.
    """
    faulty = frame[frame["fault"] != "none"]
    if faulty.empty:
        return empty_figure("No fault was planted.")
    groups = list(faulty.groupby("fault", sort=False))
    columns = min(3, len(groups))
    rows_of_panels = -(-len(groups) // columns)
    titles = [str(name) for name, _ in groups]
    figure = make_subplots(rows_of_panels, columns, subplot_titles=titles, shared_yaxes=True, vertical_spacing=0.2)
    instruments = list(dict.fromkeys(faulty["instrument"]))[::-1]
    for number, (_, rows) in enumerate(groups):
        table = rows.pivot_table("noticed", "instrument", "strength", aggfunc="max").reindex(instruments)
        place = {"row": number // columns + 1, "col": number % columns + 1}
        figure.add_heatmap(
            z=table.to_numpy(float),
            x=[f"{strength:g}" for strength in table.columns],
            y=instruments,
            zmin=0,
            zmax=1,
            colorscale=[[0, "rgba(136, 136, 136, 0.12)"], [1, PALETTE[1]]],
            showscale=False,
            xgap=2,
            ygap=2,
            hovertemplate="%{y} at %{x}: %{z}<extra></extra>",
            **place,
        )
        figure.update_xaxes(title_text=str(rows["unit"].iloc[0]), type="category", showgrid=False, **place)
    figure.update_yaxes(type="category", automargin=True, showgrid=False)
    return apply_style(figure.update_layout(height=400 * rows_of_panels))


def disturbance_figure(frame: pd.DataFrame, instrument: str = "FID") -> go.Figure:
    """One metric against the strength of each disturbance, relative to its strongest."""
    rows_of_metric = frame[(frame["instrument"] == instrument) & (frame["fault"] != "none")]
    if rows_of_metric.empty:
        return empty_figure(f"{instrument} was not measured.")
    faultless = frame[(frame["instrument"] == instrument) & (frame["fault"] == "none")]["value"].mean()
    figure = go.Figure()
    for number, (fault, rows) in enumerate(rows_of_metric.groupby("fault", sort=False)):
        rows = rows.sort_values("strength")
        figure.add_scatter(
            x=[0, *(rows["strength"] / rows["strength"].max())],
            y=[faultless, *rows["value"]],
            mode="lines+markers",
            name=f"{fault}, up to {rows['strength'].max():g} {rows['unit'].iloc[0]}",
            line={"color": PALETTE[number % len(PALETTE)], "dash": DASHES[number % len(DASHES)]},
            hovertemplate="%{y:.4g}<extra>" + str(fault) + "</extra>",
        )
    figure.update_xaxes(title_text="strength of the disturbance, relative to the strongest", range=[0, 1.02])
    figure.update_yaxes(title_text=instrument, rangemode="tozero")
    return apply_style(figure.update_layout(height=520, legend={"orientation": "v", "x": 1.02, "xanchor": "left"}))


def describe_calibration(frame: pd.DataFrame) -> str:
    """Text alternative: the share of equal pairs that each test rejects."""
    equal = frame[frame["shift"] == 0]
    shares = ", ".join(f"{test} {share:.1%}" for test, share in zip(equal["test"], equal["rejected"], strict=True))
    outside = equal[~equal["rejected"].between(equal["low"], equal["high"]) & (equal["rejected"] > ALPHA)]
    above = f"; above the band: {', '.join(outside['test'])}" if len(outside) else "; none above the band"
    repeats = int(equal["repeats"].iloc[0]) if len(equal) else 0
    return f"Rejected of {repeats} equal pairs: {shares}{above}."
