"""Tests of people: which images they see, their error rate, its interval over people."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ganlib.errors import GanlibError
from ganlib.metrics.human_error import (
    HumanTest,
    error_rates,
    human_error,
    human_error_record,
    human_test,
    published_human_error,
)
from ganlib.records import Record
from helpers.tiny_models import build, make_data, write_run


def made_test(n: int = 20) -> HumanTest:
    return HumanTest(np.zeros((n, 4, 4, 1), np.uint8), np.arange(n) % 2 == 0, np.arange(n))


def answers_with(test: HumanTest, *wrong: int) -> dict[str, dict[int, bool]]:
    """One person per count of wrong answers."""
    return {
        f"person {k}": {i: bool(test.generated[i]) != (i < count) for i in range(len(test))}
        for k, count in enumerate(wrong)
    }


def test_half_of_the_images_are_real_test_images_and_half_generated_of_the_same_classes(tmp_path):
    run, data = write_run(tmp_path / "run"), make_data()
    model = build("cdcgan")
    test = human_test(run, model, data, 12, seed=3)
    assert test.generated.sum() == 6
    real = test.seeds[~test.generated]
    assert np.array_equal(test.images[~test.generated], data.test.images[real])
    again, other = human_test(run, model, data, 12, seed=3), human_test(run, model, data, 12, seed=4)
    assert np.array_equal(test.images, again.images)
    assert not np.array_equal(test.images, other.images)


@pytest.mark.parametrize("n", [0, 2, 7, 202])
def test_a_number_of_images_that_makes_no_test_is_a_sentence(n, tmp_path):
    with pytest.raises(GanlibError, match=r"even number of images from 4 to 200"):
        human_test(write_run(tmp_path / "run"), build("cdcgan"), make_data(), n)


def test_too_few_test_images_are_a_sentence(tmp_path):
    data = make_data()
    with pytest.raises(GanlibError, match="test images, too few"):
        human_test(write_run(tmp_path / "run"), build("cdcgan"), data, min(2 * len(data.test.images) + 2, 200))


def test_several_people_have_an_interval_over_people():
    test = made_test()
    answers = answers_with(test, 4, 10, 8, 6)
    assert list(error_rates(test, answers).values()) == [0.2, 0.5, 0.4, 0.3]
    value, interval = human_error(test, answers)
    assert value == pytest.approx(0.35)
    expected = stats.t.interval(0.95, 3, loc=0.35, scale=stats.sem([0.2, 0.5, 0.4, 0.3]))
    assert (interval.low, interval.high) == pytest.approx(expected)
    assert "4 people" in interval.how


def test_one_person_has_the_interval_of_their_answers_and_says_so(tmp_path):
    test = made_test()
    value, interval = human_error(test, answers_with(test, 5))
    wilson = stats.binomtest(5, 20).proportion_ci(method="wilson")
    assert value == 0.25
    assert (interval.low, interval.high) == pytest.approx((wilson.low, wilson.high))
    record = human_error_record(write_run(tmp_path / "run"), test, answers_with(test, 5))
    assert record.warning == "One person's answers: other people may see more or less."


def test_who_answers_nothing_does_not_count_and_nobody_is_a_sentence():
    test = made_test()
    assert human_error(test, answers_with(test, 5) | {"late": {}})[0] == 0.25
    with pytest.raises(GanlibError, match="Nobody has answered"):
        human_error(test, {"late": {}})


@pytest.mark.parametrize("wrong", [5, 0, 20])
def test_people_who_agree_have_the_interval_of_all_their_answers(wrong):
    test = made_test()
    value, interval = human_error(test, answers_with(test, wrong, wrong))
    wilson = stats.binomtest(2 * wrong, 40).proportion_ci(method="wilson")
    assert (interval.low, interval.high) == pytest.approx((wilson.low, wilson.high))
    assert 0 <= interval.low <= value <= interval.high <= 1


@pytest.mark.parametrize("people", [2, 3, 5, 20])
@pytest.mark.parametrize("concentration", [10, 50, 1000])  # of rates around their mean: 0.14 to 0.01 apart
def test_in_95_of_100_tests_the_interval_holds_the_rate_of_all_people(people, concentration):
    test, rng, rate = made_test(), np.random.default_rng(0), 0.3
    covered = 0
    for _ in range(400):
        rates = rng.beta(rate * concentration, (1 - rate) * concentration, people)
        _, interval = human_error(test, answers_with(test, *rng.binomial(len(test), rates).tolist()))
        covered += interval.low <= rate <= interval.high
    assert covered / 400 > 0.92  # 95 % less three standard errors


def test_the_record_has_its_protocol_and_is_read_back(tmp_path):
    run, test = write_run(tmp_path / "run"), made_test()
    record = human_error_record(run, test, answers_with(test, 4, 10))
    assert record.metric == "human_error"
    assert record.value == pytest.approx(0.35)
    assert list(record.blocks) == [0.2, 0.5]
    assert (record.protocol.n_real, record.protocol.n_fake) == (10, 10)
    assert record.protocol.reference is not None
    assert record.protocol.reference.split == "test"
    assert dict(record.extra) == {"people": 2, "answers": 40}
    assert Record.from_dict(record.to_dict()) == record
    assert record.describe().startswith("Human error rate (n=10, 10 test images) 35.0% ±")


def test_published_rates_are_those_of_cifar10():
    frame = published_human_error("cifar10-jpeg")
    assert frame.set_index("model").at["BigGAN", "human_error"] == 0.387
    assert published_human_error("digits").empty
