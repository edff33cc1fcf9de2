"""Which run of a data set to take, and why: or that these images cannot tell.

Two runs count as apart where their difference is larger than its 95 % interval, the root of the sum of squares of
theirs. Half of an interval shrinks with the root of the number of images that it is of, generated or test images: so
many more would tell them apart. That of CAS is of test images, but the classifier's training varies beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, hypot, isnan, log10
from typing import NamedTuple

import pandas as pd

from ganlib.records.metrics import METRICS, Metric

TOLERANCE = 0.1  # of the best value, within which the cheapest is looked for


class Recommendation(NamedTuple):
    criterion: str  # "Best by FID"
    run: str  # "" where it is not decided
    sentence: str


def recommend(
    ranked: pd.DataFrame, agreement: pd.DataFrame, parameters: Mapping[str, int], names: Mapping[str, str] | None = None
) -> list[Recommendation]:
    """``ranked``, ``agreement``: rows of one metric and protocol each, as ``read_evaluations`` has them.

    ``parameters``: of each run's networks. ``names``: what runs are called in the sentences.
    """
    names = names or {}
    recommendations = [_best(rows, names) for rows in (ranked, agreement) if len(rows)]
    return [*recommendations, *_cheapest(ranked, parameters, names)]


def _best(rows: pd.DataFrame, names: Mapping[str, str]) -> Recommendation:
    metric = METRICS[rows["metric"].iloc[0]]
    criterion = f"Best by {metric.label}"
    ordered = _best_first(rows)
    first = ordered.iloc[0]
    leader = f"{_name(first, names)} ({_value(first)})"
    if len(ordered) == 1:
        return Recommendation(criterion, first["run"], f"{leader}, the only run that is measured.")
    second = ordered.iloc[1]
    difference, noise = abs(first["value"] - second["value"]), hypot(_half(first), _half(second))
    if isnan(noise):
        unknown = first if isnan(_half(first)) else second
        return Recommendation(criterion, "", f"Not decided: {_name(unknown, names)} has no interval.")
    if difference > noise:
        sentence = (
            f"{leader}, ahead of {_name(second, names)} ({_value(second)}) by more than the intervals leave open."
        )
        return Recommendation(criterion, first["run"], sentence)
    other = f"{_name(second, names)} ({_value(second)})"
    if not difference:
        return Recommendation(criterion, "", f"Not decided: {leader} and {other} are equal.")
    if not (n := _images(first, metric)):
        return Recommendation(criterion, "", f"Not decided: the intervals of {leader} and {other} leave it open.")
    sentence = f"Not decided: these {n:,} {metric.interval_of} cannot separate {leader} from {other}, about "
    return Recommendation(criterion, "", f"{sentence}{images_needed(n, difference, noise):,} would.")


def images_needed(n: int, difference: float, noise: float) -> int:
    """Images a run at which the interval of the difference is as small as the difference, to two digits.

    ``n``: images behind ``noise``, the interval of the difference. All are above 0.
    """
    exact = n * (noise / difference) ** 2
    step = 10 ** max(int(log10(exact)) - 1, 0)
    return ceil(round(exact / step, 6)) * step


def _cheapest(ranked: pd.DataFrame, parameters: Mapping[str, int], names: Mapping[str, str]) -> list[Recommendation]:
    """Fewest parameters among the runs within ``TOLERANCE`` of the best value; [] for fewer than two runs."""
    rows = ranked[ranked["run"].isin(parameters)]
    if len(rows) < 2:
        return []
    metric, rows = METRICS[rows["metric"].iloc[0]], _best_first(rows)  # of runs of one size the better one
    best = rows.iloc[0]
    within = rows[(rows["value"] - best["value"]).abs() <= TOLERANCE * abs(best["value"])]
    smallest = within.loc[within["run"].map(parameters).idxmin()]
    criterion = f"Smallest within {TOLERANCE:.0%} of the best {metric.label}"
    if smallest["run"] == best["run"]:
        return [Recommendation(criterion, best["run"], f"{_name(best, names)}, the best itself.")]
    sizes = [f"{parameters[row['run']] / 1e6:.2g} M" for row in (smallest, best)]
    sentence = f"{_name(smallest, names)} ({_value(smallest)}): {sizes[0]} parameters against {sizes[1]} of the best."
    return [Recommendation(criterion, smallest["run"], sentence)]


def _images(row: pd.Series, metric: Metric) -> int:
    """How many its interval is of; 0 where no number of them would decide."""
    columns = {"generated images": "n_fake", "test images": "n_real"}
    return int(row[columns[metric.interval_of]]) if metric.interval_of else 0


def _best_first(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values("value", ascending=METRICS[rows["metric"].iloc[0]].better == "lower", kind="stable")


def _name(row: pd.Series, names: Mapping[str, str]) -> str:
    return names.get(row["run"], row["run"])


def _half(row: pd.Series) -> float:
    return float(row["high"] - row["low"]) / 2


def _value(row: pd.Series) -> str:
    percent = METRICS[row["metric"]].unit == "%"
    half = "" if isnan(_half(row)) else f" ± {_half(row):{'.1%' if percent else '.2g'}}"
    return f"{row['value']:{'.1%' if percent else '.4g'}}{half}"
