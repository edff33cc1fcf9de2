"""What was measured of an experiment's runs, claim by claim, and why the rest is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import isnan
from pathlib import Path
from typing import NamedTuple, Protocol

import pandas as pd

from ganlib.experiments.definition import Claim, Experiment
from ganlib.experiments.measures import Estimate, measure_curve
from ganlib.logs import LogError, diagnose, read
from ganlib.records import METRICS, present, read_evaluations

COMPLETE = 0.99  # of the recipe's images: a training ends at a whole batch


class TrainedRun(Protocol):
    """A run as ``ganlib.runs`` reads it."""

    @property
    def path(self) -> Path: ...
    @property
    def weights_hash(self) -> str: ...
    @property
    def images_seen(self) -> int: ...


class Measurement(NamedTuple):
    variant: str
    run: str
    value: float
    low: float  # its own interval; NaN where it has none
    high: float


@dataclass(frozen=True)
class ClaimData:
    """Measured values of one claim; with ``problem`` they are not to be judged."""

    claim: Claim
    measurements: tuple[Measurement, ...] = ()
    protocol: str = ""  # label of the protocol that all of them share
    problem: str = ""  # one sentence


@dataclass(frozen=True)
class Collected:
    experiment: Experiment
    missing: Mapping[str, str]  # run -> why it counts as missing: a few words
    claims: tuple[ClaimData, ...]


def collect(experiment: Experiment, runs: Mapping[str, TrainedRun]) -> Collected:
    """``runs``: all there are, by name; those of the experiment are measured."""
    missing = _missing(experiment, runs)
    usable = {name: runs[name] for name in experiment.runs if name not in missing}
    scores, _ = read_evaluations({run.path: name for name, run in usable.items()})
    scores = present(scores, {name: run.weights_hash for name, run in usable.items()})
    scores = scores[(scores["options"] == "") & (scores["class_name"] == "") & scores["space"].isin(["", "z"])]

    @cache
    def log(name: str) -> pd.DataFrame:
        return read(usable[name].path / "log.csv")

    def claim_data(claim: Claim) -> ClaimData:
        absent = [run for v in claim.variants for run in experiment.variant(v).runs if run in missing]
        if absent:
            return ClaimData(claim, problem=_sentence(absent, missing))
        pairs = [(variant, run) for variant in claim.variants for run in experiment.variant(variant).runs]
        if claim.measure.metric:
            return _from_records(claim, pairs, scores)
        try:
            values = [(variant, run, _from_log(claim, log(run))) for variant, run in pairs]
        except LogError as error:
            return ClaimData(claim, problem=str(error))
        unlogged = [run for _, run, estimate in values if isnan(estimate.value)]
        if unlogged:
            return ClaimData(claim, problem=f"{', '.join(unlogged)} did not log {claim.measure.label}.")
        return ClaimData(claim, tuple(Measurement(v, run, *estimate) for v, run, estimate in values))

    return Collected(experiment, missing, tuple(claim_data(claim) for claim in experiment.claims))


def _missing(experiment: Experiment, runs: Mapping[str, TrainedRun]) -> dict[str, str]:
    reasons = {}
    for variant in experiment.variants:
        target = (variant.recipe or {}).get("images", 0)
        for name in variant.runs:
            if name not in runs:
                reasons[name] = "not trained yet"
            elif runs[name].images_seen < COMPLETE * target:
                reasons[name] = f"{runs[name].images_seen:,} of {target:,} images trained"
    return reasons


def _sentence(absent: list[str], missing: Mapping[str, str]) -> str:
    shown = [f"{run} ({missing[run]})" for run in absent[:3]]
    more = f" and {len(absent) - 3} more" if len(absent) > 3 else ""
    return f"Runs are missing: {', '.join(shown)}{more}."


def _from_records(claim: Claim, pairs: list[tuple[str, str]], scores: pd.DataFrame) -> ClaimData:
    """Under the one protocol that all runs share: of several, that of most images, then the one used last."""
    metric = claim.measure.metric
    names = [run for _, run in pairs]
    rows = scores[(scores["metric"] == metric) & scores["run"].isin(names)]
    unmeasured = [name for name in names if name not in set(rows["run"])]
    if unmeasured:
        return ClaimData(claim, problem=f"{METRICS[metric].label} is not measured of {', '.join(unmeasured)}.")
    counts = rows.groupby("protocol").agg(runs=("run", "nunique"), n=("n_fake", "max"), date=("date", "max"))
    shared = counts[counts["runs"] == len(set(names))].sort_values(["n", "date"])
    if shared.empty:
        return ClaimData(claim, problem=f"{METRICS[metric].label} of these runs is measured under different protocols.")
    same = rows[rows["protocol"] == shared.index[-1]].set_index("run")
    values = tuple(
        Measurement(variant, run, float(same.at[run, "value"]), float(same.at[run, "low"]), float(same.at[run, "high"]))
        for variant, run in pairs
    )
    return ClaimData(claim, values, str(same["protocol_label"].iloc[0]))


def _from_log(claim: Claim, frame: pd.DataFrame) -> Estimate:
    measure = claim.measure
    if measure.finding:
        value = float(any(finding.rule == measure.finding for finding in diagnose(frame)))
        return Estimate(value, value, value)
    return measure_curve(frame, measure.scalar, measure.statistic)
