"""Curves of trainings drawn by hand, and what the diagnosis says of them."""

from __future__ import annotations

from collections.abc import Mapping
from math import log

import numpy as np
import pandas as pd

from ganlib.logs import Finding, diagnose

N = 500
GUESSING = 2 * log(2)
RANDOM = np.random.default_rng(5)
NOISE = RANDOM.normal(size=N)
COLLAPSING = [90.0, 60, 50, 45, 40, 45, 60, 82, 90, 95]


def frame(curves: Mapping[str, object], run: str = "a", every: int = 10) -> pd.DataFrame:
    """One row per value; a curve that is a number stays at it, with noise of a hundredth."""
    parts = []
    for tag, values in curves.items():
        column = values * (1 + 0.01 * NOISE) if isinstance(values, float) else np.asarray(values, dtype=float)
        steps = every * np.arange(len(column))
        parts.append(pd.DataFrame({"run": run, "step": steps, "wall_time": np.nan, "tag": tag, "value": column}))
    return pd.concat(parts, ignore_index=True)


def phases(*parts: tuple[float, float]) -> np.ndarray:
    """(N,) of levels by share of the run, with noise of a hundredth."""
    level = np.concatenate([np.full(round(fraction * N), value) for value, fraction in parts])
    return level * (1 + 0.01 * NOISE[: len(level)])


def rule_names(data: pd.DataFrame, loss: str | None = None) -> list[str]:
    return [finding.rule for finding in diagnose(data, loss=loss)]


def find_finding(data: pd.DataFrame, rule: str, loss: str | None = None) -> Finding:
    (finding,) = (finding for finding in diagnose(data, loss=loss) if finding.rule == rule)
    return finding


def fids(*values: float) -> pd.DataFrame:
    return frame({"fid": values}, every=1000)


HEALTHY: dict[str, dict[str, object]] = {
    "non-saturating": {"loss/D": 0.9, "loss/G": 1.6, "D/real": 1.1, "D/fake": -1.0},
    "hinge": {"loss/D": 1.2, "loss/G": 0.6},
    "least squares": {"loss/D": 0.2, "loss/G": 0.35},
    "wasserstein": {"loss/D": -3.0, "loss/G": -40.0},
    "cross-entropy": {"loss/classify": 2.3 * np.exp(-np.arange(N) / 400), "accuracy": 0.9},
}
