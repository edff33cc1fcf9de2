"""Balancing methods compared: accuracy of each with its interval, recall by class, confusions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from ganlib.figures.style import NEUTRAL, PALETTE, TEXT_SIZE, apply_style

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
APART = 0.1  # classes' widths between the points of two methods
NAMED, SHORT, ROOM = 20, 16, 1.3  # classes that a sketch names, letters of a name, width for a number beside a bar


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


def recall_figure(
    summary: pd.DataFrame, classes: Sequence[str], counts: Sequence[int], methods: Sequence[str]
) -> go.Figure:
    """Recall of each class with its 95 % interval, the most frequent first, of methods by their labels."""
    order = sorted(range(len(classes)), key=lambda label: -counts[label])
    rows = {method_label(row["method"], row["ratio"]): row for _, row in summary.iterrows()}
    colours = iter(PALETTE * len(methods))
    names = [f"{classes[label]} ({counts[label]:,})" for label in order]
    figure = go.Figure()
    for number, name in enumerate(methods):
        row = rows[name]
        colour = NEUTRAL if row["method"] == "none" else next(colours)
        aside = APART * (number - (len(methods) - 1) / 2)  # so that intervals do not cover each other
        figure.add_scatter(
            x=[position + aside for position in range(len(order))],
            y=[row[f"recall_{label}"] for label in order],
            error_y={"array": [row[f"recall_{label}_half"] for label in order], "color": colour, "thickness": 1},
            customdata=names,
            mode="lines+markers",
            name=name,
            line={"color": colour, "width": 2},
            hovertemplate="%{customdata}: %{y:.1%} ± %{error_y.array:.1%}<extra>%{fullData.name}</extra>",
        )
    figure.update_yaxes(title_text="recall", tickformat=".0%", range=[0, 1.02])
    figure.update_xaxes(
        tickmode="array",
        tickvals=list(range(len(order))),
        ticktext=names,
        showgrid=False,
        zeroline=False,
        title_text="class (training images)",
    )
    return apply_style(figure.update_layout(height=420))


def leading_methods(summary: pd.DataFrame) -> list[str]:
    """Labels of the images as they are and of the best method of either kind."""
    best = summary.sort_values("balanced_accuracy", ascending=False, kind="stable")
    generated = best["method"].isin(GENERATED)
    parts = [best[best["method"] == "none"], best[~generated & (best["method"] != "none")], best[generated]]
    return [method_label(part.iloc[0]["method"], part.iloc[0]["ratio"]) for part in parts if len(part)]


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


def counts_sketch(counts: Sequence[int], classes: Sequence[str]) -> go.Figure:
    """The same as ``counts_figure`` where there is little room: a bar a class, first class on top, named where few."""
    figure = go.Figure(
        go.Bar(
            x=list(counts),
            y=list(range(len(counts))),
            orientation="h",
            marker_color=PALETTE[0],
            text=[f"{count:,}" for count in counts],
            textposition="outside",
            textfont_size=TEXT_SIZE,
            cliponaxis=False,
            customdata=list(classes),
            hovertemplate="%{customdata}: %{x:,}<extra></extra>",
        )
    )
    named = len(classes) <= NAMED
    figure.update_xaxes(visible=False, range=[0, ROOM * max(counts, default=1)])
    figure.update_yaxes(autorange="reversed", showgrid=False, zeroline=False, automargin=True, visible=named)
    names = [name if len(name) <= SHORT else f"{name[: SHORT - 1]}…" for name in classes]
    figure.update_yaxes(tickmode="array", tickvals=list(range(len(counts))), ticktext=names)
    apply_style(figure)
    return figure.update_layout(
        height=24 + (16 * len(counts) if named else 180), margin={"l": 8, "r": 8, "t": 4, "b": 4}, bargap=0.15
    )


def readable_summary(summary: pd.DataFrame, generation: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """A row a method, the best first, in percent with half of the interval; what it cost, "–" where it needs none.

    ``generation``: that of the ``Balance``.
    """
    rows = _best_first(summary)
    table: dict[str, Any] = {"method": _labels(rows)}
    for measure, label in MEASURES.items():
        halves = zip(rows[measure], rows[f"{measure}_half"], strict=True)
        table[f"{label}, %"] = [_percent(mean, half) for mean, half in halves]
    table |= {"generated images": rows["generated"], "classifiers, s": rows["seconds"].round(0).astype(int)}
    costs = [_generation_costs(method, generation or {}) for method in rows["method"]]
    images, training = zip(*costs, strict=True)
    return pd.DataFrame(table | {"drawing, s": images, "generator's training, min": training})


def _generation_costs(method: str, generation: Mapping[str, Any]) -> tuple[str, str]:
    """Of the images and of the generator; "–" where a method takes neither, or no number is stored."""
    if method not in GENERATED:
        return "–", "–"
    images = generation.get("filtered" if method == "filtered" else "generated", {})
    seconds, training = images.get("seconds", 0), generation.get("training_seconds", 0)
    return f"{seconds:.1f}" if seconds else "–", f"{training / 60:.0f}" if training else "–"


def readable_recalls(summary: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """A row a method, the best first; a column a class: recall in percent with half of the interval."""
    rows = _best_first(summary)
    table = {"method": _labels(rows)}
    for label, name in enumerate(classes):
        halves = zip(rows[f"recall_{label}"], rows[f"recall_{label}_half"], strict=True)
        table[name if name not in table else f"class {name}"] = [_percent(mean, half) for mean, half in halves]
    return pd.DataFrame(table)


def _best_first(summary: pd.DataFrame) -> pd.DataFrame:
    return summary.sort_values("balanced_accuracy", ascending=False, kind="stable")


def _labels(rows: pd.DataFrame) -> list[str]:
    return [method_label(method, ratio) for method, ratio in zip(rows["method"], rows["ratio"], strict=True)]


def _percent(mean: float, half: float) -> str:
    return "–" if isnan(mean) else f"{100 * mean:.1f} ± {100 * half:.1f}"
