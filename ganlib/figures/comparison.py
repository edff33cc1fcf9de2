"""Real versus synthetic: figures of a comparison's frames, tables for people, the report.

The frames are those that ``ganlib compare`` stores as CSV.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from PIL import Image
from plotly.subplots import make_subplots

from ganlib.figures.report import Report
from ganlib.figures.style import NEUTRAL, PALETTE, apply_style, empty_figure

REAL, SYNTHETIC = PALETTE[0], PALETTE[1]
COLOURS = {"real": REAL, "held-out": REAL, "synthetic": SYNTHETIC}
COMPARISONS = {
    "within real": "within real",
    "within synthetic": "within synthetic",
    "between halves": "real vs synthetic, halves",
    "between": "real vs synthetic",
}
PICTURES = {  # what a picture shows
    "real_called_real": "Real images most surely called real",
    "real_called_synthetic": "Real images most surely called synthetic",
    "synthetic_called_synthetic": "Synthetic images most surely called synthetic",
    "synthetic_called_real": "Synthetic images most surely called real",
    "activations": "Activation maps: image, first convolution, second, connected layer; two real, two synthetic images",
    "mean_shift": "Synthetic images, their reconstructions, and decoded after the mean shift",
    "first_axis": "Codes from -4 to 4 standard deviations along the first principal axis: sparse at the ends",
    "predictions": "Real test images, as the classifier that was trained on synthetic ones names them",
    "nearest_in_pixels": "Synthetic images and their nearest training images in pixels, the nearest first",
    "nearest_in_features": "Synthetic images and their nearest training images in features, the nearest first",
    "alone_in_pixels": "Synthetic images nearest to training images in pixels, the nearest first, without these",
    "alone_in_features": "Synthetic images nearest to training images in features, the nearest first, without these",
}
SECTIONS = {  # the pictures of each
    "classifier": (
        *("synthetic_called_synthetic", "synthetic_called_real", "real_called_real", "real_called_synthetic"),
        "activations",
    ),
    "features": (),
    "latents": ("mean_shift", "first_axis"),
    "memorisation": ("nearest_in_features", "nearest_in_pixels", "alone_in_features", "alone_in_pixels"),
    "training": ("predictions",),
}


class Chart(NamedTuple):
    section: str
    heading: str
    figure: go.Figure
    alt: str


def roc_figure(roc: pd.DataFrame) -> go.Figure:
    """ROC curves on held-out images, each with its 95 % band; ``roc`` has test, subject, fpr, tpr, low, high."""
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": NEUTRAL, "dash": "dot", "width": 1},
        hoverinfo="skip",
        showlegend=False,
    )
    for number, ((test, subject), curve) in enumerate(roc.groupby(["test", "subject"], sort=False)):
        colour, name = PALETTE[number % len(PALETTE)], f"{test}, {subject}"
        figure.add_scatter(
            x=[*curve["fpr"], *curve["fpr"][::-1]],
            y=[*curve["high"], *curve["low"][::-1]],
            fill="toself",
            fillcolor=_faint(colour),
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            x=curve["fpr"],
            y=curve["tpr"],
            mode="lines",
            name=name,
            line={"color": colour, "width": 2},
            hovertemplate=f"{name}: %{{y:.3f}} of real at %{{x:.2f}} of synthetic<extra></extra>",
        )
    figure.update_xaxes(title_text="synthetic images called real", range=[0, 1])
    figure.update_yaxes(title_text="real images called real", range=[0, 1.005])
    return apply_style(figure.update_layout(height=460))


def component_bars(components: pd.DataFrame, column: str = "t") -> go.Figure:
    """Share of components rejected at 5 %, bars by network; ``column``: t, t_controlled, ks, ks_controlled."""
    figure = go.Figure()
    shown = [name for name in COMPARISONS if name != "between halves"]
    for name, colour in zip(shown, (REAL, SYNTHETIC, PALETTE[4]), strict=True):
        rows = components[components["comparison"] == name]
        figure.add_bar(
            x=rows["network"].map(_short),
            y=rows[column],
            name=COMPARISONS[name],
            marker_color=colour,
            text=[f"{share:.1%}" for share in rows[column]],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{x}: %{y:.2%}<extra>" + COMPARISONS[name] + "</extra>",
        )
    line = {"color": NEUTRAL, "dash": "dot", "width": 1}
    figure.add_hline(y=0.05, line=line, annotation={"text": "5 %", "x": 0, "xanchor": "right", "yanchor": "middle"})
    figure.update_yaxes(title_text="components rejected at 5 %", range=[0, 1.08], tickformat=".0%")
    figure.update_xaxes(type="category", showgrid=False)
    return apply_style(figure.update_layout(height=420, barmode="group"))


def _short(network: str) -> str:
    """ "efficientnet_lite0, mean shifted" -> "lite0, mean shifted": three stand side by side."""
    return network.removeprefix("efficientnet_").removeprefix("torchvision:").removeprefix("timm:")


def of_latents(components: pd.DataFrame) -> pd.Series[bool]:
    """Rows of codes and of decoded images, not of the images that were compared."""
    return components["network"].str.startswith("latents of ") | components["network"].str.contains(", ", regex=False)


def component_histograms(histograms: pd.DataFrame) -> go.Figure:
    """A panel a component: shares of either side in each bin."""
    if histograms.empty:
        return empty_figure("No component varies.")
    groups = list(histograms.groupby("component", sort=False))
    columns = min(3, len(groups))
    titles = [f"component {name}, p = {rows['p_value'].iloc[0]:.2g}" for name, rows in groups]
    rows_of_panels = -(-len(groups) // columns)
    figure = make_subplots(rows_of_panels, columns, subplot_titles=titles, vertical_spacing=0.2)
    for number, (_, rows) in enumerate(groups):
        middle = (rows["left"] + rows["right"]) / 2
        for side in ("real", "synthetic"):
            figure.add_scatter(
                x=middle,
                y=rows[side],
                mode="lines",
                name=side,
                line={"color": COLOURS[side], "shape": "hvh"},
                showlegend=number == 0,
                row=number // columns + 1,
                col=number % columns + 1,
                hovertemplate="%{y:.1%} at %{x:.3g}<extra>" + side + "</extra>",
            )
    figure.update_yaxes(tickformat=".0%")
    return apply_style(figure.update_layout(height=260 * rows_of_panels + 80))


def plane_figure(plane: pd.DataFrame, explained: Sequence[float]) -> go.Figure:
    """Held-out images in the first two principal components of the small network's 64 features."""
    figure = go.Figure()
    for side, points in plane.groupby("side"):
        figure.add_scattergl(
            x=points["x"],
            y=points["y"],
            mode="markers",
            name=str(side),
            marker={"color": COLOURS[str(side)], "size": 5, "opacity": 0.5},
            hoverinfo="skip",
        )
    names = ("first", "second")
    figure.update_xaxes(title_text=f"{names[0]} component, {explained[0]:.0%} of the variance")
    figure.update_yaxes(title_text=f"{names[1]} component, {explained[1]:.0%} of the variance")
    return apply_style(figure.update_layout(height=440))


def distance_figure(distances: pd.DataFrame, threshold: float = 0.0) -> go.Figure:
    """Nearness to a training image, synthetic beside held-out images; copies lie on the left."""
    figure = go.Figure()
    edges = np.linspace(0, 1, 61)
    for side, rows in distances.groupby("side", sort=False):
        shares = np.histogram(rows["ratio"], edges)[0] / len(rows)
        figure.add_scatter(
            x=(edges[:-1] + edges[1:]) / 2,
            y=shares,
            mode="lines",
            name=str(side),
            line={"color": COLOURS[str(side)], "shape": "hvh", "width": 2},
            hovertemplate="%{y:.2%} at %{x:.2f}<extra>" + str(side) + "</extra>",
        )
    if threshold > 0:
        figure.add_vline(x=threshold, line={"color": NEUTRAL, "dash": "dot"}, annotation={"text": "copies"})
    figure.update_xaxes(title_text="distance to the nearest / median of the next ten")
    figure.update_yaxes(title_text="share of images", tickformat=".0%")
    return apply_style(figure.update_layout(height=400))


def training_figure(training: pd.DataFrame) -> go.Figure:
    """Accuracy on real images of each seed's classifier, and the mean, by what it was trained on."""
    figure = go.Figure()
    means = training.groupby("trained_on", sort=False)["accuracy"].mean()
    common: dict[str, Any] = {"mode": "markers", "hovertemplate": "%{y:.1%}<extra></extra>"}
    figure.add_scatter(
        x=training["trained_on"], y=training["accuracy"], name="a seed", marker={"color": NEUTRAL, "size": 9}, **common
    )
    marker = {"color": REAL, "size": 28, "symbol": "line-ew", "line": {"color": REAL, "width": 3}}
    figure.add_scatter(x=means.index, y=means, name="mean", marker=marker, **common)
    figure.update_yaxes(title_text="accuracy on real images", tickformat=".0%")
    figure.update_xaxes(type="category", title_text="trained on", showgrid=False)
    return apply_style(figure.update_layout(height=400))


def units_figure(units: pd.DataFrame) -> go.Figure:
    """Mean activation of the units of the small network's connected layer, those that tell the sides apart first."""
    order = (units["real"] - units["synthetic"]).sort_values().index
    figure = go.Figure()
    for side in ("real", "synthetic"):
        figure.add_scatter(
            x=list(range(1, len(units) + 1)),
            y=units.loc[order, side],
            mode="lines",
            name=side,
            line={"color": COLOURS[side], "shape": "hvh"},
            hovertemplate="%{y:.3g}<extra>" + side + "</extra>",
        )
    figure.update_xaxes(title_text="units, by what real images excite more")
    figure.update_yaxes(title_text="mean activation")
    return apply_style(figure.update_layout(height=400))


def readable_tests(tests: pd.DataFrame) -> pd.DataFrame:
    """The frame ``tests`` as people read it."""
    interval = [
        "" if np.isnan(low) else f"{low:.3f} to {high:.3f}"
        for low, high in zip(tests["low"], tests["high"], strict=True)
    ]
    columns = {"test": tests["test"], "on": tests["subject"], "measure": tests["statistic"], "value": tests["value"]}
    columns["95 %"] = pd.Series(interval, tests.index, dtype="str")
    columns |= {"p": tests["p_value"], "independent images a side that suffice": tests["sufficient"]}
    return pd.DataFrame(columns | {"real": tests["n_real"], "synthetic": tests["n_synthetic"]})


def readable_components(components: pd.DataFrame) -> pd.DataFrame:
    """The frame ``components`` in percent, a row per network."""
    frame = pd.DataFrame({"network": components["network"]})
    frame["comparison"] = components["comparison"].map(COMPARISONS)
    frame["images"] = [f"{n:,} / {m:,}" for n, m in zip(components["n"], components["m"], strict=True)]
    titles = {"t": "t-test %", "t_controlled": "t, BY %", "ks": "KS %", "ks_controlled": "KS, BY %"}
    for column, title in titles.items():
        frame[title] = (100 * components[column]).round(2)
    return frame


def comparison_report(
    title: str,
    frames: Mapping[str, pd.DataFrame],
    pictures: Mapping[str, Image.Image],
    facts: Mapping[str, Any],
    remarks: Sequence[str],
) -> Report:
    """One sentence, what gave a side away, then each section that was measured."""
    report = Report(title)
    report.add(str(facts.get("verdict", "")))
    for remark in remarks:
        report.add(remark)
    for chart in comparison_charts(frames, facts):
        report.add(chart.figure, chart.heading, alt=chart.alt)
    if "tests" in frames:
        report.add(readable_tests(frames["tests"]), "Tests")
    if "components" in frames:
        report.add(readable_components(frames["components"]), "Components whose equality is rejected at 5 %")
    if "density" in frames:
        report.add(frames["density"], "Where latent codes lie dense: shares and points per unit between -1.5 and 1.5")
    for name, heading in PICTURES.items():
        if name in pictures:
            report.add(pictures[name], heading, alt=heading)
    return report


def comparison_charts(frames: Mapping[str, pd.DataFrame], facts: Mapping[str, Any]) -> list[Chart]:
    """Of what was measured, the most telling ones first."""
    charts = []
    if "roc" in frames:
        charts.append(Chart("classifier", "ROC on held-out images", roc_figure(frames["roc"]), describe_roc(frames)))
    components = frames.get("components", pd.DataFrame({"network": pd.Series(dtype="str")}))
    latent = of_latents(components)
    if not latent.all():
        rows = components[~latent]
        heading = "Feature components that differ"
        charts.append(Chart("features", heading, component_bars(rows), describe_components(rows)))
    distances = _distance_charts(frames, facts)
    charts += distances[:1]
    if "plane" in frames:
        heading, figure = "The small network's features", plane_figure(frames["plane"], facts["explained_variance"])
        charts.append(Chart("classifier", heading, figure, "Principal components of both sides' held-out images."))
    charts += distances[1:]
    if latent.any():
        heading, rows = "Components of codes that differ, and of what they are decoded to", components[latent]
        charts.append(Chart("latents", heading, component_bars(rows), describe_components(rows)))
    if "training" in frames:
        heading = "Accuracy on real images by what the classifier was trained on"
        charts.append(Chart("training", heading, training_figure(frames["training"]), f"{heading}, five seeds each."))
    if "histograms" in frames:
        heading = "Components that differ most and least"
        charts.append(Chart("features", heading, component_histograms(frames["histograms"]), f"{heading}, histograms."))
    if "units" in frames:
        heading = "Mean of each unit of the small network"
        charts.append(Chart("classifier", heading, units_figure(frames["units"]), f"{heading}, real and synthetic."))
    return charts


def _distance_charts(frames: Mapping[str, pd.DataFrame], facts: Mapping[str, Any]) -> list[Chart]:
    """In features, then in pixels."""
    charts = []
    for subject, rows in frames["distances"].groupby("subject", sort=False) if "distances" in frames else ():
        threshold = facts.get("memorisation", {}).get(subject, {}).get("threshold", 0.0)
        heading = f"Distance to the nearest training image, {subject}"
        alt = f"{heading}: of synthetic images as of held-out ones where nothing was copied."
        charts.append(Chart("memorisation", heading, distance_figure(rows, threshold), alt))
    return charts[::-1]


def describe_roc(frames: Mapping[str, pd.DataFrame]) -> str:
    tests = frames["tests"][frames["tests"]["statistic"] == "ROC-AUC"]
    areas = (f"{row.test}, {row.subject}: {row.value:.3f}" for row in tests.itertuples() if row.section == "classifier")
    return f"ROC-AUC on held-out images. {'; '.join(areas)}."


def describe_components(components: pd.DataFrame) -> str:
    rows = components[components["comparison"] == "between"]
    shares = (f"{row.network}: {row.t:.1%}" for row in rows.itertuples())
    return f"Components whose means differ between the sides at 5 %. {'; '.join(shares)}."


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.2)"
