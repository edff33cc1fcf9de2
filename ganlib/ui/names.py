"""What pages call data sets and runs: display names, in one place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ganlib.data import display_name
from ganlib.runs import Run


def data_labels(names: Iterable[str]) -> dict[str, str]:
    """Data set -> its display name, or its own where two would be called the same."""
    names = list(dict.fromkeys(names))
    labels = {name: display_name(name) for name in names}
    shared = list(labels.values())
    return {name: label if shared.count(label) == 1 else name for name, label in labels.items()}


def run_labels(runs: Iterable[Run]) -> dict[str, str]:
    """Run's name -> "SNGAN · CIFAR-10 (JPEG)", or its own name where two would be called the same."""
    labels = {run.name: f"{model_label(run)} · {display_name(run.data_name)}" for run in runs}
    shared = Counter(labels.values())
    return {name: label if shared[label] == 1 else name for name, label in labels.items()}


def chart_labels(runs: Iterable[Run]) -> dict[str, str]:
    """Run's name -> "SNGAN", or its own name where two would be called the same; as ``run_labels`` where runs of one
    architecture are of several data sets.
    """
    runs = list(runs)
    labels = {run.name: model_label(run) for run in runs}
    shared = Counter(labels.values())
    if max(shared.values(), default=1) > 1 and len({run.data_name for run in runs}) > 1:
        return run_labels(runs)
    return {name: label if shared[label] == 1 else name for name, label in labels.items()}


def data_label(run: Run) -> str:
    """ "Flowers, 64 px"."""
    return f"{display_name(run.data_name)}, {run.config.image_size} px"


def model_label(run: Run) -> str:
    """ "StyleGAN2-ADA"."""
    return run.model_class.display_name


def format_count(n: float) -> str:
    """1234567 -> "1.23 M"."""
    for limit, unit in [(1e6, " M"), (1e3, " k")]:
        if n >= limit:
            return f"{n / limit:.3g}{unit}"
    return f"{n:.0f}"
