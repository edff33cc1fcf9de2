"""Balancing methods compared: accuracy of each with its interval, recall by class, confusions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from ganlib.figures.style import NEUTRAL, PALETTE, apply_style

LABELS = {
    "none": "as it is",
    "reweighting": "re-weighting",
    "oversampling": "oversampling",
    "augmentation": "augmentation",
    "generated": "generated",
    "filtered": "generated, filtered",
    "mixed": "generated and copies",
}
MEASURES = {"balanced_accuracy": "balanced accuracy", "accuracy": "accuracy", "f1": "F1, mean over classes"}
GENERATED = ("generated", "filtered", "mixed")
FILLING = ("oversampling", "augmentation", *GENERATED)
ROW_HEIGHT = 38


def method_label(method: str, ratio: float) -> str:
    """ "generated, 2 ×" where classes were filled up to twice the largest one."""
    name = LABELS.get(method, method)
    return f"{name}, {ratio:g} ×" if method in FILLING else name


def methods_figure(summary: pd.DataFrame, measure: str) -> go.Figure:
    """A row a method, the best on top: mean over seeds and its 95 % interval; a line at the images as they are."""
    rows = summary.sort_values(measure, kind="stable")
    figure = go.Figure()
    for name, colour, chosen in (
        ("without a generator", PALETTE[0], ~rows["method"].isin(GENERATED)),
        ("with generated images", PALETTE[1], rows["method"].isin(GENERATED)),
    ):
        part = rows[chosen]
        figure.add_scatter(
            x=part[measure],
            y=[method_label(m, r) for m, r in zip(part["method"], part["ratio"], strict=True)],
            error_x={"type": "data", "array": part[f"{measure}_half"], "color": colour},
            mode="markers",
            name=name,
            marker={"color": colour, "size": 11},
            hovertemplate="%{y}: %{x:.1%} ± %{error_x.array:.1%}<extra></extra>",
        )
    base = rows.loc[rows["method"] == "none", measure]
    if len(base):
        figure.add_vline(x=base.iloc[0], line={"color": NEUTRAL, "dash": "dot", "width": 1})
    order = [method_label(m, r) for m, r in zip(rows["method"], rows["ratio"], strict=True)]
    figure.update_yaxes(categoryorder="array", categoryarray=order, showgrid=False, automargin=True)
    figure.update_xaxes(title_text=MEASURES[measure], tickformat=".0%")
    return apply_style(figure.update_layout(height=130 + ROW_HEIGHT * len(rows)))


def recall_figure(summary: pd.DataFrame, classes: Sequence[str], counts: Sequence[int]) -> go.Figure:
    """Recall of each class, the most frequent first: as it is, and the best method without and with a generator."""
    order = sorted(range(len(classes)), key=lambda label: -counts[label])
    figure = go.Figure()
    for index, row in _leading(summary).items():
        colour = {"none": NEUTRAL}.get(row["method"], PALETTE[1] if row["method"] in GENERATED else PALETTE[0])
        figure.add_scatter(
            x=[f"{classes[label]} ({counts[label]:,})" for label in order],
            y=[row[f"recall_{label}"] for label in order],
            mode="lines+markers",
            name=str(index),
            line={"color": colour, "width": 2},
            hovertemplate="%{x}: %{y:.1%}<extra>%{fullData.name}</extra>",
        )
    figure.update_yaxes(title_text="recall", tickformat=".0%", range=[0, 1.02])
    figure.update_xaxes(type="category", showgrid=False, title_text="class (training images)")
    return apply_style(figure.update_layout(height=420))


def _leading(summary: pd.DataFrame) -> Mapping[str, pd.Series]:
    """By their labels: the images as they are and the best method of either kind."""
    best = summary.sort_values("balanced_accuracy", ascending=False, kind="stable")
    generated = best["method"].isin(GENERATED)
    parts = [best[best["method"] == "none"], best[~generated & (best["method"] != "none")], best[generated]]
    rows = [part.iloc[0] for part in parts if len(part)]
    return {method_label(row["method"], row["ratio"]): row for row in rows}


def confusion_figure(confusions: pd.DataFrame, classes: Sequence[str]) -> go.Figure:
    """Shares of each true class; ``confusions`` of one method: true, predicted, images."""
    matrix = confusions.pivot_table(index="true", columns="predicted", values="images", aggfunc="sum", fill_value=0)
    matrix = matrix.reindex(index=range(len(classes)), columns=range(len(classes)), fill_value=0)
    shares = matrix.div(matrix.sum(axis=1).clip(lower=1), axis=0).to_numpy()
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=list(classes),
            y=list(classes),
            zmin=0,
            zmax=1,
            colorscale="Blues",
            text=[[f"{100 * share:.0f}" if share >= 0.005 else "" for share in row] for row in shares],
            texttemplate="%{text}",
            hovertemplate="%{y} taken for %{x}: %{z:.1%}<extra></extra>",
            colorbar={"tickformat": ".0%"},
        )
    )
    figure.update_yaxes(type="category", autorange="reversed", title_text="true class", showgrid=False)
    figure.update_xaxes(type="category", title_text="taken for", showgrid=False)
    return apply_style(figure.update_layout(height=460))


def counts_figure(counts: Sequence[int], classes: Sequence[str]) -> go.Figure:
    """Training images of each class."""
    figure = go.Figure(
        go.Bar(
            x=list(classes),
            y=list(counts),
            marker_color=PALETTE[0],
            text=[f"{count:,}" for count in counts],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{x}: %{y:,}<extra></extra>",
        )
    )
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(title_text="training images", rangemode="tozero")
    return apply_style(figure.update_layout(height=320))


def readable_summary(summary: pd.DataFrame) -> pd.DataFrame:
    """A row a method, the best first, in percent with half of the interval."""
    rows = summary.sort_values("balanced_accuracy", ascending=False, kind="stable")
    table = {"method": [method_label(m, r) for m, r in zip(rows["method"], rows["ratio"], strict=True)]}
    for measure, label in MEASURES.items():
        halves = zip(rows[measure], rows[f"{measure}_half"], strict=True)
        table[f"{label}, %"] = [f"{100 * mean:.1f} ± {100 * half:.1f}" for mean, half in halves]
    return pd.DataFrame(table | {"generated images": rows["generated"], "seconds": rows["seconds"].round(0)})
