"""Balancing: what each method adds, closed forms of weights and scores, verdicts at their borders."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ganlib.applications.balancing import BalanceConfig, balance
from ganlib.applications.balancing.scores import confusion, scores
from ganlib.applications.balancing.treatments import Treatment, augmented, class_weights, copies, missing, treat
from ganlib.applications.balancing.verdict import verdict
from ganlib.balances import Balance, read_balance
from ganlib.data import DataSet, Split, load_data
from ganlib.errors import GanlibError
from helpers.gallery import digits_run
from helpers.tiny_models import CPU, write_run

COUNTS = np.array([8, 4, 2])


def imbalanced() -> DataSet:
    labels = np.repeat(np.arange(3), COUNTS)
    images = np.arange(len(labels), dtype=np.uint8).repeat(16 * 16).reshape(-1, 16, 16, 1)
    return DataSet("noise", ("a", "b", "c"), Split(images, labels, "train"), Split(images, labels, "test"), flip=False)


def generated(n: int) -> tuple[np.ndarray, np.ndarray]:
    labels = np.arange(n) % 3
    return np.full((n, 16, 16, 1), 200, np.uint8), labels


def counts_of(treatment: Treatment) -> list[int]:
    return np.bincount(treat(imbalanced(), treatment, generated(90), 0).data.train.labels).tolist()


def test_what_is_missing():
    assert missing(COUNTS).tolist() == [0, 4, 6]
    assert missing(COUNTS, 2.0).tolist() == [8, 12, 14]
    assert missing(COUNTS, 0.5).tolist() == [0, 0, 2]


def test_weights_make_each_class_count_alike():
    weights = np.array(class_weights(COUNTS))
    assert weights * COUNTS == pytest.approx(np.full(3, 14 / 3))


def test_every_method_fills_up_to_the_largest_class():
    for method in ("oversampling", "augmentation", "generated", "filtered", "mixed"):
        assert counts_of(Treatment(method, 1.0)) == [8, 8, 8]
    assert counts_of(Treatment("none")) == counts_of(Treatment("reweighting")) == COUNTS.tolist()
    assert counts_of(Treatment("generated", 2.0)) == [16, 16, 16]


def test_copies_use_every_image_before_any_a_second_time():
    images, labels = copies(imbalanced().train, np.array([0, 4, 5]), np.random.default_rng(0))
    assert np.bincount(labels).tolist() == [0, 4, 5]
    values, times = np.unique(images[:, 0, 0, 0], return_counts=True)
    assert values.tolist() == [8, 9, 10, 11, 12, 13]
    assert sorted(times[:4]) == [1, 1, 1, 1]
    assert sorted(times[4:]) == [2, 3]


def test_generated_images_come_after_the_real_ones():
    training = treat(imbalanced(), Treatment("mixed", 1.0), generated(90), 0)
    assert training.added.tolist() == [0, 4, 6]
    new = training.data.train.images[14:, 0, 0, 0]
    assert (new == 200).sum() == 2 + 3
    assert (np.asarray(training.data.train.images[:14]) == imbalanced().train.images).all()


def test_augmented_copies_differ_and_follow_from_the_seed():
    images = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), np.uint8)
    first, again, other = augmented(images, 0), augmented(images, 0), augmented(images, 1)
    assert (first == again).all()
    assert (first != other).any()
    assert (first != images).any(axis=(1, 2, 3)).all()


def test_scores_of_a_known_confusion():
    labels, predicted = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 0, 1, 1, 0])
    assert confusion(labels, predicted, 3).tolist() == [[3, 1, 0], [1, 1, 0], [0, 0, 0]]
    result = scores(labels, predicted, 3)
    assert result["accuracy"] == pytest.approx(4 / 6)
    assert result["balanced_accuracy"] == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert result["f1"] == pytest.approx((6 / 8 + 2 / 4) / 2)
    assert np.isnan(result["recall_2"])


def result_with(ours: list[float], other: list[float]) -> Balance:
    rows = [
        {"method": method, "ratio": ratio, "seed": seed, "balanced_accuracy": value, "accuracy": value, "f1": value}
        | {"seconds": 1.0, "generated": 0}
        for method, ratio, values in (("generated", 2.0, ours), ("reweighting", 0.0, other))
        for seed, value in enumerate(values)
    ]
    return Balance("set", "run", ("a", "b"), (50, 1), {}, pd.DataFrame(rows), pd.DataFrame())


def test_verdicts_follow_from_the_paired_interval():
    # three pairs: half the interval is 4.303 s / sqrt(3); of differences 1, 2, 3 points it is 2.48 points
    assert "win over reweighting: +4.0 ± 2.5 points" in verdict(result_with([0.53, 0.64, 0.75], [0.5, 0.6, 0.7]))
    assert "do not tell generated images (ratio 2) from reweighting: +2.0 ± 2.5" in verdict(
        result_with([0.51, 0.62, 0.73], [0.5, 0.6, 0.7])
    )
    assert "At 50:1 generated images (ratio 2) lose against reweighting" in verdict(
        result_with([0.47, 0.56, 0.65], [0.5, 0.6, 0.7])
    )


@pytest.mark.slow
def test_a_comparison_on_digits_is_stored_and_repeats(tmp_path):
    run = digits_run(tmp_path / "digits-cdcgan")
    config = BalanceConfig(seeds=2, train_images=1500, width=4, min_confidence=0.0)
    name = "subset:digits@20:1"
    first = balance(name, run, config, CPU)
    assert len(first.classifiers) == 14
    assert "was trained on other images" in first.warnings[0]
    assert first.class_counts == load_data(name).class_counts
    assert first.confusions.groupby(["method", "ratio"])["images"].sum().unique().tolist() == [
        2 * len(load_data("digits").test)
    ]
    first.write(tmp_path / "out")
    stored = read_balance(tmp_path / "out")
    pd.testing.assert_frame_equal(stored.summary(), first.summary())
    again = balance(name, run, BalanceConfig.from_dict(config.to_dict() | {"methods": ["oversampling"]}), CPU)
    columns = ["seed", "accuracy", "f1", "recall_9"]
    expected = first.classifiers.query("method == 'oversampling'")[columns].reset_index(drop=True)
    pd.testing.assert_frame_equal(again.classifiers[columns], expected)


@pytest.mark.slow
def test_rare_classes_are_filled_up_with_variations_of_their_images(tmp_path):
    run = digits_run(tmp_path / "digits-dagan", "dagan")
    config = BalanceConfig.from_dict({"methods": ["generated"], "seeds": 2, "train_images": 500, "width": 4})
    result = balance("subset:digits@20:1", run, config, CPU)
    assert result.classifiers["generated"].max() == missing(np.array(result.class_counts)).sum()
    with pytest.raises(GanlibError, match="has no option temperature"):
        balance("subset:digits@20:1", run, config, CPU, options={"temperature": 1.0})


def test_what_cannot_be_balanced(tmp_path):
    run = digits_run(tmp_path / "digits-cdcgan")
    empty = "subset:digits@9,9,9,9,9,9,9,9,9,0"
    with pytest.raises(GanlibError, match=r"'9' of .* has no readable image to train on"):
        balance(empty, run, BalanceConfig(), CPU)
    with pytest.raises(GanlibError, match="name a --generator"):
        balance("digits", None, BalanceConfig(), CPU)
    with pytest.raises(GanlibError, match="does not generate the classes"):
        balance("digits", write_run(tmp_path / "noise", "cdcgan"), BalanceConfig(), CPU)
    with pytest.raises(GanlibError, match="takes no class"):
        balance("digits", digits_run(tmp_path / "dcgan", "dcgan"), BalanceConfig(), CPU)
    with pytest.raises(GanlibError, match="no method 'magic'"):
        BalanceConfig(methods=("magic",))
    with pytest.raises(GanlibError, match="no readable result"):
        read_balance(tmp_path)
