"""Classifiers of balancing methods as the runs of an experiment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

from ganlib.balances import Balance
from ganlib.experiments import (
    Claim,
    Experiment,
    Variant,
    Verdict,
    collect,
    judge,
)
from ganlib.experiments.measures import parse_measure
from helpers.trained_runs import folder


def balanced(path: Path, images: int, scores: dict[tuple[str, float], list[float]], data: str = "digits") -> None:
    """A comparison of balancing methods in a run's folder: balanced accuracies by method and ratio, one a seed."""
    rows = [
        {"method": method, "ratio": ratio, "seed": seed, "accuracy": 0.5, "balanced_accuracy": value, "f1": 0.5}
        | {"images": images, "generated": 0, "recall_0": 1.0, "recall_1": 1.0, "seconds": 1.0}
        for (method, ratio), values in scores.items()
        for seed, value in enumerate(values)
    ]
    confusions = pd.DataFrame(columns=["method", "ratio", "true", "predicted", "images"])
    protocol = {"train_images": images, "weights_sha256_12": "abc"}
    Balance(data, "r", ("0", "1"), (9, 3), protocol, pd.DataFrame(rows), confusions).write(
        path / "balances" / f"{data}-{images}"
    )


def balancing_experiment(*variants: Variant, run: str = "r") -> Experiment:
    claim = Claim("It helps.", parse_measure({"balance": "balanced_accuracy"}), "generated", ">", "none")
    return Experiment("e", "E", "Does it?", "GAN methods", "It does.", variants, (claim,))


GENERATED = Variant("generated", "generated", ("r",), None, balancing=("generated", 1.0))
NONE = Variant("none", "none", ("r",), None, balancing=("none", 0.0))


def test_classifiers_of_balancing_methods_are_compared_seed_by_seed(tmp_path):
    run = folder(tmp_path, "r")
    few = {("generated", 1.0): [0.1, 0.1], ("none", 0.0): [0.9, 0.9]}
    balanced(run.path, 100, few)  # of fewer images: not the one that counts
    balanced(run.path, 5000, {("generated", 1.0): [0.9, 0.8, 0.7], ("none", 0.0): [0.79, 0.70, 0.58]})
    (run.path / "balances" / "broken").mkdir()
    (run.path / "balances" / "broken" / "balance.json").write_text("{")
    data = collect(balancing_experiment(GENERATED, NONE), {"r": run}).claims[0]
    assert [m.value for m in data.measurements] == [0.9, 0.8, 0.7, 0.79, 0.70, 0.58]
    assert data.protocol == "digits, classifiers trained on 5,000 images"
    judgement = judge(data)
    low, high = stats.ttest_1samp([0.11, 0.10, 0.12], 0).confidence_interval(0.95)
    assert [judgement.low, judgement.high] == pytest.approx([low, high])
    assert judgement.verdict is Verdict.REPRODUCED
    assert judgement.sentence.startswith("Balanced accuracy of classifiers: 0.8 against 0.69")


def test_what_was_not_balanced_so_is_named(tmp_path):
    run, other = folder(tmp_path, "r"), folder(tmp_path, "other")
    balanced(run.path, 100, {("none", 0.0): [0.5, 0.6]})
    runs = {"r": run, "other": other}
    command = "ganlib balance digits --generator r --methods generated none --ratios 1 --seeds 5"
    problems = [
        (GENERATED, f"r has no classifiers of generated at ratio 1; make them with {command}."),
        (replace(GENERATED, balancing=None), "Variant generated names no balancing method."),
    ]
    for variant, problem in problems:
        assert collect(balancing_experiment(variant, NONE), runs).claims[0].problem == problem
    balanced(other.path, 999, {("generated", 1.0): [0.5, 0.6]})
    elsewhere = replace(GENERATED, runs=("other",))
    different = "These classifiers were trained on different images; run ganlib balance alike."
    assert collect(balancing_experiment(elsewhere, NONE), runs).claims[0].problem == different


@pytest.mark.parametrize("change", [{"data_name": "mnist"}, {"weights_hash": "def"}])
def test_classifiers_of_other_data_or_of_weights_that_are_gone_do_not_count(change, tmp_path):
    run = folder(tmp_path, "r")
    balanced(run.path, 100, {("generated", 1.0): [0.9, 0.8], ("none", 0.0): [0.5, 0.6]})
    assert not collect(balancing_experiment(GENERATED, NONE), {"r": run}).claims[0].problem
    problem = collect(balancing_experiment(GENERATED, NONE), {"r": replace(run, **change)}).claims[0].problem
    assert problem.startswith("r has no classifiers of generated at ratio 1")


def test_a_missing_run_of_two_variants_is_named_once_and_trained_by_the_queue(tmp_path):
    assert collect(balancing_experiment(GENERATED, NONE), {}).claims[0].problem == (
        "Runs are missing: r (not trained yet); train them with ganlib queue."
    )
