"""How well a code, learned without labels, names classes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import permutations
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ganlib.__main__ import main
from ganlib.data import load_data
from ganlib.data.batches import random_subset
from ganlib.intervals import wilson_interval
from ganlib.metrics.code_accuracy import match, tabulate
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.evaluate import evaluate
from ganlib.records import append_records, read_evaluations, read_records
from ganlib.runs import Run

CPU = torch.device("cpu")
SMALL = EvaluationConfig(n=120, blocks=3)


def codes_of(*values: np.ndarray) -> Callable[[torch.Tensor], list[torch.Tensor]]:
    """Answers with the one-hot rows of (values, K) in turn, whatever the images."""
    rows = [iter(torch.from_numpy(v)) for v in values]
    return lambda images: [torch.stack([next(r) for _ in images]) for r in rows]


def test_a_permutation_of_the_classes_is_found_whatever_it_is() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 200)
    images = [np.zeros((40, 8, 8, 1), np.uint8)] * 5
    for _ in range(5):
        permutation = rng.permutation(10)
        one_hot, constant = np.eye(10)[permutation[labels]], np.eye(3)[np.zeros(200, int)]
        permuted, same = tabulate(codes_of(one_hot, constant), images, labels, 10, CPU, lambda *_: None)
        values, classes = match(permuted)
        assert np.array_equal(permutation[classes], values)
        assert permuted[match(permuted)].sum() == 200
        assert same[match(same)].sum() == np.bincount(labels).max()  # one value can name one class


def test_a_code_that_knows_nothing_names_about_one_in_k() -> None:
    rng = np.random.default_rng(0)
    n, k = 20_000, 10
    train_table, tested = (
        np.histogram2d(rows, columns, k)[0].astype(np.int64) for rows, columns in rng.integers(0, k, (2, 2, n))
    )
    chance = tested[match(train_table)].sum() / n
    assert chance == pytest.approx(1 / k, abs=4 * sqrt(0.1 * 0.9 / n))
    assert train_table[match(train_table)].sum() / n > chance  # which is why other images are tested than matched


@pytest.mark.parametrize("k", [2, 5])
def test_values_or_classes_without_a_partner_name_nothing(k: int) -> None:
    labels = np.arange(60) % 3
    (table,) = tabulate(codes_of(np.eye(k)[labels % k]), [np.zeros((60, 8, 8, 1), np.uint8)], labels, 3, CPU, print)
    values, classes = match(table)
    assert len(values) == len(classes) == min(k, 3)
    assert table[values, classes].sum() == (60 if k == 5 else 40)


def test_unlabelled_images_match_no_class() -> None:
    labels = np.array([0, -1, 1, -1])
    (table,) = tabulate(codes_of(np.eye(2)[[1, 1, 0, 0]]), [np.zeros((4, 8, 8, 1), np.uint8)], labels, 2, CPU, print)
    assert table.tolist() == [[0, 1], [1, 0]]


def test_the_images_to_match_are_always_the_same_and_of_all_parts() -> None:
    assert np.array_equal(random_subset(50_000, 10_000), random_subset(50_000, 10_000))
    assert np.bincount(random_subset(50_000, 10_000) // 5_000, minlength=10).min() > 800
    assert np.array_equal(random_subset(7, 10_000), np.arange(7))


def test_code_accuracy_is_of_the_better_code_on_the_test_images(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "info", "--n", "120", "--blocks", "3", "--device", "cpu"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    fid, record = read_records(root / "info" / "evaluation.json")
    assert (fid.metric, record.metric) == ("fid", "code_accuracy")
    run = Run(root / "info")
    model: Any = run.load()
    data = load_data(run.data_name, size=16, channels=1)
    fits: dict[tuple[int, int], set[int]] = {}
    for code, k in enumerate(model.config.categories, 1):
        train, test = (
            model.infer_codes(torch.from_numpy(np.array(split.images)).permute(0, 3, 1, 2) / 127.5 - 1)[code - 1]
            .argmax(1)
            .numpy()
            for split in (data.train, data.test)
        )
        # Every matching there is; from 3 on a number is no class.
        matchings = [np.array(classes) for classes in permutations(range(max(k, 3)), k)]
        for matching in matchings:
            fit = int((matching[train] == data.train.labels).sum())
            fits.setdefault((fit, -code), set()).add(int((matching[test] == data.test.labels).sum()))
    (_, code), hits = max(fits.items())
    n = round(record.value * 60)
    assert n in hits  # several matchings may fit equally
    assert (record.value, record.interval) == (n / 60, wilson_interval(n, 60))
    assert record.protocol.extra["code"] == f"c{-code}"
    assert record.protocol.to_dict()["reference"] == {
        "data": run.data_name,
        "split": "test",
        "fingerprint": data.test.fingerprint,
    }
    assert record.protocol.extra["matched"] == {
        "data": run.data_name,
        "split": "train",
        "fingerprint": data.train.fingerprint,
        "n": 180,
    }
    assert record.weights_hash == run.weights_hash
    assert f"info  Code accuracy (c{-code}, 60 test images) {record.value:.1%}" in shown.out


def test_without_the_images_code_accuracy_alone_is_missing(
    root: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    assert main(["evaluate", "gan", "--n", "120", "--device", "cpu"]) == 0  # stores the reference
    capsys.readouterr()
    request.getfixturevalue("without_data")
    assert main(["evaluate", "info", "--n", "120", "--blocks", "3", "--device", "cpu"]) == 0
    shown = capsys.readouterr()
    assert re.fullmatch(r"info: Code accuracy was not measured: .*There is no folder.*\n", shown.err)
    assert "info  FID" in shown.out
    assert [r.metric for r in read_records(root / "info" / "evaluation.json")] == ["fid"]


def test_code_accuracy_is_not_made_where_it_would_say_nothing_new(root: Path) -> None:
    warnings: list[str] = []
    run = Run(root / "info")
    for arguments in ({"snapshot": 320}, {"options": {"temperature": 0.5}}):
        assert [r.metric for r in evaluate(run, SMALL, CPU, **arguments, warn=warnings.append)] == ["fid"]
    assert warnings == []


def test_the_dashboard_reads_code_accuracy_and_ranks_as_before(root: Path) -> None:
    evaluated = evaluate(Run(root / "info"), SMALL, CPU)
    append_records(root / "info" / "evaluation.json", evaluated[:1])
    before, _ = read_evaluations({root / "info": "info"})
    append_records(root / "info" / "evaluation.json", evaluated[1:])
    frame, broken = read_evaluations({root / "info": "info"})
    assert broken == []
    assert frame.metric.tolist() == ["fid", "code_accuracy"]
    assert frame[frame.metric == "fid"].equals(before)
    assert frame.value[1] == evaluated[1].value
    assert json.loads(frame.protocol[1])["code"] in ("c1", "c2")
