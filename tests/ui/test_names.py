"""What charts call runs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ganlib.models import MODELS
from ganlib.ui.names import chart_labels


def run(name: str, model: str, data: str = "digits") -> Any:
    return SimpleNamespace(name=name, model_class=MODELS[model], data_name=data)


@pytest.mark.parametrize(
    ("runs", "labels"),
    [
        ([], []),
        ([run("a", "sngan"), run("b", "acgan", "mnist")], ["SNGAN", "ACGAN"]),
        ([run("a", "sngan"), run("b", "sngan"), run("c", "acgan")], ["a", "b", "ACGAN"]),
        (
            [run("a", "sngan"), run("b", "sngan", "mnist"), run("c", "acgan")],
            ["SNGAN · Handwritten digits", "SNGAN · MNIST", "ACGAN · Handwritten digits"],
        ),
    ],
)
def test_the_architecture_where_it_tells_runs_apart(runs, labels):
    assert chart_labels(runs) == dict(zip([r.name for r in runs], labels, strict=True))
