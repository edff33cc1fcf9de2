"""What was measured of an experiment's runs, claim by claim, and why the rest is missing."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from math import isnan, nan
from statistics import fmean
from typing import Any, NamedTuple

import pandas as pd

from ganlib.balances import balances, read_balance
from ganlib.errors import GanlibError
from ganlib.experiments.checks import is_number
from ganlib.experiments.definition import Claim, Experiment, Recorded, Variant
from ganlib.experiments.fit import OTHERWISE, TrainedRun, missing_runs
from ganlib.experiments.measures import Estimate, measure_curve
from ganlib.logs import LogError, diagnose, read
from ganlib.records import EMBEDDED, METRICS, Protocol, present, read_evaluations, read_records

SHARED = ("train", "test", "classifier", "width")  # of a comparison of balancing methods, beside data and images
EXTRACTORS = (EMBEDDED, "efficientnet_lite0")  # in the order in which they decide, as where other pages rank runs
LEARNS_NOTHING = "discriminator_learns_nothing"  # the finding that leaves nothing to judge


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
    records: tuple[tuple[str, str], ...] = ()  # (run, key of the protocol with its options) of each measured record
    others: tuple[ClaimData, ...] = ()  # under the other protocols that all runs share

    def of(self, variant: str | float | Recorded) -> list[Measurement]:
        """[] for a number, which a variant may be compared with."""
        return [m for m in self.measurements if m.variant == variant]


@dataclass(frozen=True)
class Collected:
    experiment: Experiment
    missing: Mapping[str, str]  # run -> why it counts as missing: a few words
    claims: tuple[ClaimData, ...]


def collect(experiment: Experiment, runs: Mapping[str, TrainedRun]) -> Collected:
    """``runs``: all there are, by name; those of the experiment are measured."""
    missing = missing_runs(experiment, runs)
    usable = {name: runs[name] for name in experiment.runs if name not in missing}
    scores = _scores(usable)

    @cache
    def log(name: str) -> pd.DataFrame:
        return read(usable[name].path / "log.csv")

    @cache
    def learned_nothing(name: str) -> bool:
        with suppress(LogError):  # of a run without a log nothing is known
            return _found(LEARNS_NOTHING, log(name))
        return False

    def claim_data(claim: Claim) -> ClaimData:
        variants = [experiment.variant(name) for name in claim.variants]
        absent = {run: variant.recipe for variant in variants for run in variant.runs if run in missing}
        if absent:
            trains = f"ganlib experiment {experiment.name} --run" if any(absent.values()) else "ganlib queue"
            return ClaimData(claim, problem=_sentence([*absent], missing, trains))
        data = measured(claim, variants)
        names = dict.fromkeys(run for variant in variants for run in variant.runs)
        void = [] if claim.measure.finding else [name for name in names if learned_nothing(name)]
        return replace(data, problem=_nothing_learned(void), others=()) if void and not data.problem else data

    def measured(claim: Claim, variants: list[Variant]) -> ClaimData:
        pairs = [(variant.name, run) for variant in variants for run in variant.runs]
        if claim.measure.metric:
            sides = [(experiment.variant(variant), run) for variant, run in pairs]
            return _from_records(claim, sides, scores, usable)
        if claim.measure.balance:
            return _from_balances(experiment, claim, [(experiment.variant(v), usable[run]) for v, run in pairs])
        try:
            values = [(variant, run, _from_log(claim, log(run))) for variant, run in pairs]
        except LogError as error:
            return ClaimData(claim, problem=str(error))
        unlogged = [run for _, run, estimate in values if isnan(estimate.value)]
        if unlogged:
            return ClaimData(claim, problem=f"{', '.join(unlogged)} did not log {claim.measure.label}.")
        return ClaimData(claim, tuple(Measurement(v, run, *estimate) for v, run, estimate in values))

    return Collected(experiment, missing, tuple(claim_data(claim) for claim in experiment.claims))


def _sentence(absent: list[str], missing: Mapping[str, str], command: str) -> str:
    shown = [f"{run} ({missing[run]})" for run in absent[:3]]
    more = f" and {len(absent) - 3} more" if len(absent) > 3 else ""
    listed = f"{', '.join(shown)}{more}"
    if any(missing[run].startswith(OTHERWISE) for run in absent):
        return (
            f"Runs do not fit the definition: {listed}; delete what was trained otherwise, then train with {command}."
        )
    return f"Runs are missing: {listed}; train them with {command}."


def _nothing_learned(runs: list[str]) -> str:
    return (
        f"The discriminator learned nothing in {', '.join(runs)}: it scores real and generated images alike from the "
        "start on, so that the measured values say nothing of the architectures."
    )


def _scores(runs: Mapping[str, TrainedRun]) -> pd.DataFrame:
    """Records of whole sets of images, of the present weights and of snapshots.

    ``protocol``: without what variants may differ in, the options and the space with its path; ``record``: with it.
    """
    scores, _ = read_evaluations({run.path: name for name, run in runs.items()})
    scores = scores[scores["class_name"] == ""]
    current = present(scores, {name: run.weights_hash for name, run in runs.items()})
    scores = pd.concat([current, scores[scores["snapshot"].notna()]])
    keys = {key: _shared_protocol(key) for key in scores["protocol"].unique()}
    return scores.assign(record=scores["protocol"], protocol=scores["protocol"].map(keys))


def _shared_protocol(key: str) -> str:
    protocol = Protocol.from_key(key)
    return replace(
        protocol, options={}, extra={k: v for k, v in protocol.extra.items() if k not in ("space", "path")}
    ).key


def _from_records(
    claim: Claim, sides: list[tuple[Variant, str]], scores: pd.DataFrame, runs: Mapping[str, TrainedRun]
) -> ClaimData:
    """Under the one protocol that all runs share; of several as ``_rank`` has it, with the others beside it."""
    metric = claim.measure.metric
    scores = scores[scores["metric"] == metric]
    if claim.extractor:
        scores = scores[scores["extractor"] == claim.extractor]
    rows = [_of_variant(variant, run, scores, METRICS[metric].better) for variant, run in sides]
    unmeasured = [run for (_, run), own in zip(sides, rows, strict=True) if own.empty]
    if unmeasured:
        return ClaimData(claim, problem=_unmeasured(claim, unmeasured, sides))
    together = pd.concat([own.assign(side=number) for number, own in enumerate(rows)])
    counts = together.groupby("protocol").agg(sides=("side", "nunique"))
    shared = sorted(counts.index[counts["sides"] == len(sides)], key=_rank)
    if not shared:
        problem = f"{METRICS[metric].label} of these runs is measured under different protocols; evaluate all alike."
        return ClaimData(claim, problem=problem)
    first, *others = [_under(protocol, claim, sides, together, runs) for protocol in shared]
    return replace(first, others=tuple(other for other in others if not other.problem))


def _rank(key: str) -> tuple[int, str, int, str]:
    """What decides comes first: by extractor, then of most images. Never by date: a verdict does not depend on it."""
    protocol = Protocol.from_key(key)
    extractor = protocol.extractor or ""
    place = EXTRACTORS.index(extractor) if extractor in EXTRACTORS else len(EXTRACTORS)
    return place, extractor, -protocol.n_fake, key


def _under(
    protocol: str,
    claim: Claim,
    sides: list[tuple[Variant, str]],
    together: pd.DataFrame,
    runs: Mapping[str, TrainedRun],
) -> ClaimData:
    same = together[together["protocol"] == protocol].set_index("side").to_dict("index")
    if isinstance(claim.second, Recorded):
        try:
            beside = _beside(claim.measure.metric, claim.second.key, protocol, [runs[run] for _, run in sides])
        except GanlibError as error:
            return ClaimData(claim, problem=str(error))
        if isnan(beside):
            names = ", ".join(dict.fromkeys(run for _, run in sides))
            return ClaimData(claim, problem=f"The records of {names} hold no {claim.second.key}; evaluate them again.")
        claim = replace(claim, second=beside)
    values = tuple(
        Measurement(variant.name, run, *(float(same[side][key]) for key in ("value", "low", "high")))
        for side, (variant, run) in enumerate(sides)
    )
    records = tuple((run, str(same[side]["record"])) for side, (_, run) in enumerate(sides))
    return ClaimData(claim, values, str(same[0]["protocol_label"]), records=records)


def _beside(metric: str, key: str, protocol: str, runs: list[TrainedRun]) -> float:
    """Mean over the runs of a number in the last such record of each; NaN where one has none."""
    numbers = []
    for run in runs:
        numbers.append(nan)
        for record in read_records(run.path / "evaluation.json"):
            same = (record.metric, record.snapshot, record.weights_hash) == (metric, None, run.weights_hash)
            value: Any = record.extra.get(key)
            if same and _shared_protocol(record.protocol.key) == protocol and is_number(value):
                numbers[-1] = float(value)
    return fmean(numbers)


def _unmeasured(claim: Claim, runs: list[str], sides: list[tuple[Variant, str]]) -> str:
    """What is missing, and the command that measures it where ``evaluate`` does."""
    label, group = METRICS[claim.measure.metric].label, METRICS[claim.measure.metric].group
    sentence = f"{label} is not measured of {', '.join(dict.fromkeys(runs))}"
    variant = next(variant for variant, run in sides if run == runs[0])
    options = "".join(f" --option {name}={value}" for name, value in variant.options.items())
    space = f" --space {variant.space}" if variant.space != "z" else ""
    extractor = f" --extractor {claim.extractor}" if claim.extractor else ""
    command = f"ganlib evaluate {runs[0]} --metrics {group}{extractor}{space}{options}"
    return f"{sentence}; measure it with {command}." if group else f"{sentence}."


def _of_variant(variant: Variant, run: str, scores: pd.DataFrame, better: str) -> pd.DataFrame:
    """A row a protocol: of the present weights, or of the best snapshot."""
    label = " · ".join(f"{name} {value}" for name, value in sorted(variant.options.items()))
    same = (scores["options"] == label) & scores["space"].isin(["", variant.space])
    rows = scores[(scores["run"] == run) & same]
    if not variant.best_snapshot:
        return rows[rows["snapshot"].isna()]
    ranked = rows[rows["snapshot"].notna()].sort_values("value", ascending=better == "lower")
    return ranked.drop_duplicates("protocol")


def _from_balances(experiment: Experiment, claim: Claim, sides: list[tuple[Variant, TrainedRun]]) -> ClaimData:
    """A value a classifier, by its seed: of the present weights, under the one protocol that all sides share.

    Of several such protocols that of most images, then of most seeds.
    """
    found: list[dict[str, pd.DataFrame]] = []
    for variant, run in sides:
        if variant.balancing is None:
            return ClaimData(claim, problem=f"Variant {variant.name} names no balancing method.")
        found.append(_balances_with(run, *variant.balancing))
        if not found[-1]:
            method, ratio = variant.balancing
            name = f"{method} at ratio {ratio:g}" if ratio else method
            missing = f"{run.path.name} has no classifiers of {name}"
            return ClaimData(claim, problem=f"{missing}; make them with {_balance_command(experiment, run)}.")
    shared = set.intersection(*map(set, found))
    if not shared:
        return ClaimData(claim, problem="These classifiers were trained on different images; run ganlib balance alike.")
    protocol = max(shared, key=lambda key: (json.loads(key)["train_images"], min(len(side[key]) for side in found)))
    measurements = [
        Measurement(variant.name, f"{run.path.name}, seed {seed}", float(value), nan, nan)
        for (variant, run), side in zip(sides, found, strict=True)
        for seed, value in zip(side[protocol]["seed"], side[protocol][claim.measure.balance], strict=True)
    ]
    values = json.loads(protocol)
    label = f"{values['data']}, classifiers trained on {values['train_images']:,} images"
    return ClaimData(claim, tuple(measurements), label)


def _balance_command(experiment: Experiment, run: TrainedRun) -> str:
    """One comparison with all that the experiment asks of this run."""
    asked = [v.balancing for v in experiment.variants if v.balancing and run.path.name in v.runs]
    words = ["ganlib", "balance", run.data_name, "--generator", run.path.name, "--methods"]
    words += dict.fromkeys(method for method, _ in asked)
    ratios = sorted({ratio for _, ratio in asked if ratio})
    words += ["--ratios", *(f"{ratio:g}" for ratio in ratios)] if ratios else []
    return shlex.join([*words, "--seeds", str(_seeds(run.data_name))])


def _seeds(data: str) -> int:
    """Five of digits, whose classifiers take seconds; three of what takes minutes."""
    return 5 if "mnist" in data or "digits" in data else 3


def _balances_with(run: TrainedRun, method: str, ratio: float) -> dict[str, pd.DataFrame]:
    """Classifiers of the run's data set balanced so, by what of the protocol all sides of a claim must share."""
    found: dict[str, pd.DataFrame] = {}
    for folder in balances(run.path):
        with suppress(GanlibError):  # a damaged one is named on its own page
            balance = read_balance(folder)
            rows = balance.classifiers
            rows = rows[(rows["method"] == method) & (rows["ratio"] == ratio)].sort_values("seed")
            weights = balance.protocol.get("weights_sha256_12", run.weights_hash)
            if len(rows) and (balance.data, weights) == (run.data_name, run.weights_hash):
                values = {key: balance.protocol.get(key) for key in SHARED} | {"data": balance.data}
                key = json.dumps(values | {"train_images": int(balance.protocol.get("train_images", 0))})
                if key not in found or len(rows) > len(found[key]):
                    found[key] = rows
    return found


def _from_log(claim: Claim, frame: pd.DataFrame) -> Estimate:
    measure = claim.measure
    if measure.finding:
        return Estimate(float(_found(measure.finding, frame)))
    return measure_curve(frame, measure)


def _found(rule: str, frame: pd.DataFrame) -> bool:
    return bool(diagnose(frame, only=rule))
