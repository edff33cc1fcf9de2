"""Figures and tables of a comparison's frames."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ganlib.figures.comparison import (
    component_bars,
    component_histograms,
    distance_figure,
    plane_figure,
    readable_components,
    readable_tests,
    roc_figure,
)
from ganlib.figures.report import latex

COMPONENTS = pd.DataFrame(
    [("within real", 0.01), ("within synthetic", 0.03), ("between halves", 0.5), ("between", 0.9638)],
    columns=["comparison", "t"],
).assign(network="alexnet", n=100, m=200, components=9, t_controlled=0.0, ks=0.5, ks_controlled=0.25)


def test_roc_curves_have_their_bands():
    fpr = np.array([0, 0.5, 1])
    roc = pd.DataFrame({"test": "small network", "subject": "32 px", "fpr": fpr, "tpr": fpr, "low": 0, "high": 1})
    chance, band, curve = roc_figure(roc).data
    assert list(chance.y) == [0, 1]
    assert list(band.y) == [1, 1, 1, 0, 0, 0]
    assert (curve.name, list(curve.y)) == ("small network, 32 px", [0, 0.5, 1])


def test_bars_are_the_sources_three_columns():
    figure = component_bars(COMPONENTS)
    assert {bar.name: list(bar.y) for bar in figure.data} == {
        "within real": [0.01],
        "within synthetic": [0.03],
        "real vs synthetic": [0.9638],
    }
    assert readable_components(COMPONENTS)["t-test %"].tolist() == [1, 3, 50, 96.38]
    assert "96.38" in latex(readable_components(COMPONENTS))


def test_a_panel_a_component():
    frame = pd.DataFrame({"component": [3, 3, 8, 8], "p_value": 0.5, "left": [0, 1, 0, 1], "right": [1, 2, 1, 2]})
    figure = component_histograms(frame.assign(real=0.5, synthetic=[0.2, 0.8, 0.5, 0.5]))
    assert [trace.name for trace in figure.data] == ["real", "synthetic"] * 2
    assert list(figure.data[1].x) == [0.5, 1.5]
    assert "No component" in component_histograms(frame.iloc[:0]).layout.annotations[0].text


def test_the_plane_names_the_variance_of_its_axes():
    plane = pd.DataFrame({"x": [0.0, 1], "y": [1.0, 2], "side": ["real", "synthetic"]})
    figure = plane_figure(plane, [0.73, 0.1])
    assert figure.layout.xaxis.title.text == "first component, 73% of the variance"
    assert [trace.name for trace in figure.data] == ["real", "synthetic"]


@pytest.mark.parametrize(("threshold", "lines"), [(0.0, 0), (0.1, 1)])
def test_copies_lie_left_of_a_line(threshold, lines):
    distances = pd.DataFrame({"side": ["synthetic", "held-out"], "ratio": [0.05, 0.6]})
    figure = distance_figure(distances, threshold)
    assert [trace.name for trace in figure.data] == ["synthetic", "held-out"]
    assert len(figure.layout.shapes) == lines


def test_tests_read_as_people_read_them():
    tests = pd.DataFrame(
        {
            "section": "classifier",
            "test": ["small network", "copies"],
            "subject": ["32 px", "pixels"],
            "statistic": ["ROC-AUC", "proportion"],
            "value": [0.9, 0.0],
            "low": [0.88, np.nan],
            "high": [0.92, np.nan],
            "p_value": [1e-9, np.nan],
            "sufficient": pd.array([9, None], dtype="Int64"),
            "n_real": 100,
            "n_synthetic": 100,
        }
    )
    frame = readable_tests(tests)
    assert frame["95 %"].tolist() == ["0.880 to 0.920", ""]
    assert frame["independent images a side that suffice"].iloc[0] == 9
