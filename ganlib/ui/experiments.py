"""Experiments with what was measured of them: collected again only where a file of theirs changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from ganlib.balances import FILE as BALANCE
from ganlib.balances import balances
from ganlib.experiments import (
    ClaimData,
    Experiment,
    Judgement,
    Variant,
    Verdict,
    collect,
    decisive,
    judge,
    overall,
    read_experiments,
)
from ganlib.figures import PALETTE
from ganlib.records import METRICS, RANKED
from ganlib.runs import Run
from ganlib.settings import experiments_folder
from ganlib.ui.catalog import present_scores, runs

Colour = Literal["green", "gray", "red", "orange"]
BADGES: dict[Verdict, tuple[Colour, str]] = {  # verdict -> colour of Streamlit, icon of Material Symbols
    Verdict.REPRODUCED: ("green", "check_circle"),
    Verdict.NOT_REPRODUCED: ("gray", "do_not_disturb_on"),
    Verdict.REFUTED: ("red", "cancel"),
    Verdict.OPEN: ("orange", "pending"),
}
FILES = (
    "config.json",
    "weights.safetensors",
    "weights.json",
    "evaluation.json",
    "log.csv",
)  # of a run


@dataclass(frozen=True)
class Result:
    """An experiment, each of its claims with its data and its verdict, and those of its runs that are there."""

    experiment: Experiment
    claims: tuple[ClaimData, ...]
    judgements: tuple[Judgement, ...]
    missing: dict[str, str]  # run -> why it counts as missing
    runs: dict[str, Run]

    @property
    def verdict(self) -> Verdict:
        return overall(self.judgements)

    @property
    def word(self) -> str:
        """The verdict as readers see it."""
        return decisive(self.judgements).word

    @property
    def trained(self) -> int:
        return len(self.experiment.runs) - len(self.missing)

    def colour(self, variant: str) -> str:
        names = [v.name for v in self.experiment.variants]
        return PALETTE[names.index(variant) % len(PALETTE)]

    def shown_runs(self, *, seeds: bool) -> dict[str, Variant]:
        """Run -> its variant: of all seeds, or of the first one that is there."""
        shown: dict[str, Variant] = {}
        for variant in self.experiment.variants:
            present = [run for run in variant.runs if run in self.runs]
            for run in present if seeds else present[:1]:  # one that several variants measure has a title of its own
                shown[run] = replace(shown[run], title=run) if run in shown else variant
        return shown


_known: dict[str, tuple[Any, Result]] = {}  # experiment -> what its result depends on, and the result


def results() -> tuple[list[Result], list[str]]:
    """All experiments, those with a verdict first, then by priority; and a sentence for each file that is none."""
    experiments, errors = read_experiments(experiments_folder())
    everything = {run.name: run for run in runs()}
    collected = [_result(experiment, everything) for experiment in experiments]
    return sorted(collected, key=lambda result: result.verdict is Verdict.OPEN), errors


def _result(experiment: Experiment, everything: dict[str, Run]) -> Result:
    own = {name: everything[name] for name in experiment.runs if name in everything}
    files = [run.path / file for run in own.values() for file in FILES]
    files += [folder / BALANCE for run in own.values() for folder in balances(run.path)]
    key = experiment, _stat(files)
    if experiment.name not in _known or _known[experiment.name][0] != key:
        collected = collect(experiment, own)
        judgements = tuple(judge(claim) for claim in collected.claims)
        result = Result(experiment, collected.claims, judgements, dict(collected.missing), own)
        _known[experiment.name] = key, result
    return _known[experiment.name][1]


def _stat(paths: Iterable[Path]) -> list[tuple[Path, int, int]]:
    stats = []
    for path in paths:
        with suppress(OSError):
            stat = path.stat()
            stats.append((path, stat.st_mtime_ns, stat.st_size))
    return stats


def neighbours(listed: Sequence[Result], name: str) -> tuple[str | None, str | None]:
    """Names of the experiments before and after this one."""
    names = [None, *(result.experiment.name for result in listed), None]
    position = names.index(name)
    return names[position - 1], names[position + 1]


def page_links(result: Result) -> list[tuple[str, str, dict[str, list[str]]]]:
    """(label, page, query) of pages that show the experiment's runs, with all that matters preselected."""
    every, first = list(result.shown_runs(seeds=True)), list(result.shown_runs(seeds=False))
    generating = [name for name in first if result.runs[name].generates]
    links = []
    if every:
        links.append(("Training curves", "curves", {"runs": every, "tags": list(result.experiment.scalars)}))
    if ranking := _ranking(result):
        links.append(("FID comparison", "fid", ranking))
    if generating:
        variant = result.shown_runs(seeds=False)[generating[0]]
        options = {name: [str(value)] for name, value in variant.options.items()}
        query = {"run": generating[:1], "compare": generating[1:], "n": ["8"]}
        links.append(("Sampling", "sampling", query | options))
    return links


def _ranking(result: Result) -> dict[str, list[str]]:
    """The FID page's data set, metric, protocol and runs for the first claim that it can rank; {} where there is none.

    Of several data sets or protocols, as of different options, the one of most of the claim's runs.
    """
    scores = present_scores()
    own = scores[scores["run"].isin(list(result.runs))]
    data_sets = own["run"].map({name: run.data_name for name, run in result.runs.items()})
    for claim in result.claims:
        metric = claim.claim.measure.metric
        measured = pd.MultiIndex.from_tuples(claim.records or [("", "")])
        rows = own[own["metric"] == metric].assign(data=data_sets)
        compared = rows[pd.MultiIndex.from_frame(rows[["run", "protocol"]]).isin(measured)]
        if metric not in RANKED or compared.empty:
            continue
        counts = compared.groupby(["data", "protocol"], sort=False)["run"].nunique()
        data, key = counts.sort_values(ascending=False, kind="stable").index.to_list()[0]
        rows = rows[(rows["data"] == data) & (rows["protocol"] == key)]
        return {
            "dataset": [data],
            "metric": [METRICS[metric].label],
            "protocol": [rows["protocol_label"].iloc[0]],
            "only": [name for name in result.experiment.runs if name in set(rows["run"])],
        }
    return {}
