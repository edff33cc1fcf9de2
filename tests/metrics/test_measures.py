"""Metrics of point clouds whose values are known, and how they move as pictures get worse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ganlib.errors import GanlibError
from ganlib.metrics.measures import MEASURES, NEIGHBOURS, FakeFeatures, check_sizes, classes_too_small
from ganlib.metrics.neighbours import LARGEST_K, density_coverage, precision_recall, radii
from ganlib.metrics.references import compute_reference

GENERATOR = torch.Generator()


@pytest.fixture(autouse=True)
def _seeded() -> None:
    GENERATOR.manual_seed(0)  # a test's numbers do not depend on those before it


def normal(n: int, d: int = 4, shift: float = 0.0, scale: float = 1.0) -> Tensor:
    return torch.randn(n, d, generator=GENERATOR) * scale + shift


def measured(name: str, real: Tensor, fake: Tensor, blocks: int = 1, **changes: Any) -> dict[str, float]:
    labels = changes.get("labels", np.zeros(len(real), np.int64))
    features = FakeFeatures(fake, changes.get("logits", fake), changes.get("requested"))
    return {v.metric: v.value for v in MEASURES[name](compute_reference(real, labels), features, blocks)}


# Nearest neighbours, on a line: real images at 0, 1, 2, 3 and one far off at 10.


LINE = torch.tensor([[0.0], [1.0], [2.0], [3.0], [10.0]])


def test_radii_reach_the_kth_neighbour() -> None:
    assert radii(LINE, 1).tolist() == [1, 1, 1, 1, 7]
    assert radii(LINE, 2).tolist() == [2, 1, 1, 2, 8]


def test_precision_and_recall_of_points_on_a_line() -> None:
    """Reaches of the nearest neighbour: 1, 1, 1, 1, 7 of the real points, 1 of each generated one."""
    real, fake = (torch.tensor(x)[:, None] for x in ([0.0, 1.0, 2.0, 3.0, 10.0], [0.5, 1.5, 50.0, 51.0]))
    assert precision_recall(real, fake, 1) == pytest.approx((2 / 4, 3 / 5))


@pytest.mark.parametrize(
    ("fake", "density", "coverage"),
    [
        ([0.0, 1.0, 2.0, 3.0, 10.0], (2 + 3 + 3 + 3 + 1) / 5, 1.0),  # 3 lies on the sphere around 10 as well
        ([1.5], 2.0, 2 / 5),  # within the spheres of 1 and 2
        ([1.5, 1.5, 1.5, 1.5], 2.0, 2 / 5),  # collapsed: as dense, covering no more
        ([100.0, 200.0], 0.0, 0.0),
        ([100.0, 1.5], 1.0, 2 / 5),
    ],
)
def test_density_and_coverage_of_points_on_a_line(fake, density, coverage) -> None:
    results = density_coverage(LINE, torch.tensor(fake)[:, None], 1)
    assert results == pytest.approx((density, coverage))


@pytest.mark.parametrize("compute", [density_coverage, precision_recall])
def test_no_number_depends_on_how_many_rows_are_taken_at_a_time(compute, monkeypatch) -> None:
    real, fake = normal(300), normal(200)
    expected = compute(real, fake, 5)
    monkeypatch.setattr("ganlib.metrics.neighbours.ROWS", 7)
    assert compute(real.clone(), fake.clone(), 5) == pytest.approx(expected)


def test_as_many_neighbours_are_stored_as_the_metrics_take() -> None:
    assert max(NEIGHBOURS.values()) == LARGEST_K


def test_alike_clouds_have_density_one_and_are_covered() -> None:
    """Equation 7 of the paper: the expected coverage of equal distributions tends to 1 - 1 / 2^k."""
    density, coverage = density_coverage(normal(2000, 8), normal(2000, 8), 5)
    assert density == pytest.approx(1, abs=0.06)
    assert coverage == pytest.approx(1 - 1 / 2**5, abs=0.02)


def test_precision_and_recall_of_clouds() -> None:
    """Half of the fakes lie elsewhere: precision 1/2. They show half of what is real: recall 1/2."""
    left, right, away = normal(400, 2), normal(400, 2, shift=50), normal(400, 2, shift=-50)
    results = measured("prc", torch.cat([left, right]), torch.cat([left, away]))
    assert results["precision"] == pytest.approx(0.5, abs=0.02)
    assert results["recall"] == pytest.approx(0.5, abs=0.02)


# Distances.


@pytest.mark.slow
def test_kid_is_unbiased_at_equality() -> None:
    values = [measured("kid", normal(400), normal(400))["kid"] for _ in range(10)]
    assert np.mean(values) == pytest.approx(0, abs=3 * float(np.std(values)) / 10**0.5 + 1e-3)
    assert min(values) < 0 < max(values)
    assert measured("kid", normal(400), normal(400, shift=0.5))["kid"] > 10 * max(values)


def test_fid_infinity_takes_the_bias_of_few_images_away() -> None:
    real, fake = normal(20_000, 16), normal(2_000, 16)
    plain = measured("fid", real, fake)["fid"]
    limit = measured("fid_infinity", real, fake)["fid_infinity"]
    d = 16
    assert plain == pytest.approx((d + d * (d + 1) / 4) * (1 / 2_000 + 1 / 20_000), rel=0.4)  # its spread is 0.18
    assert abs(limit) < 0.3 * plain


@pytest.mark.parametrize(
    ("logits", "score"),
    [
        (torch.eye(5).repeat(40, 1) * 50, 5.0),  # sure, and all classes alike often
        (torch.zeros(200, 5), 1.0),  # never sure
        (torch.tensor([[50.0, 0, 0, 0, 0]]).repeat(200, 1), 1.0),  # always the same
    ],
)
def test_the_inception_score_of_known_answers(logits, score) -> None:
    assert measured("isc", normal(10), normal(200), logits=logits)["isc"] == pytest.approx(score, rel=1e-3)


def test_class_fid_is_of_each_class_alone() -> None:
    real = torch.cat([normal(500), normal(500, shift=9)])
    labels, requested = np.repeat([0, 1], 500), torch.tensor([0, 1] * 300)
    fake = torch.where((requested == 0)[:, None], normal(600), normal(600, shift=9))
    right = {
        v.extra["class"]: v
        for v in MEASURES["class_fid"](compute_reference(real, labels), FakeFeatures(fake, fake, requested), 1)
    }
    wrong = MEASURES["class_fid"](compute_reference(real, labels), FakeFeatures(fake, fake, 1 - requested), 1)
    assert list(right) == [0, 1]
    assert max(v.value for v in right.values()) < 0.3
    assert min(v.value for v in wrong) > 100
    assert (right[0].n_real, right[0].n_fake) == (500, 300)


def test_classes_with_too_few_images_are_named_and_the_others_measured() -> None:
    real, fake = normal(51), normal(40)
    labels = np.array([0] * 25 + [1] + [3] * 25)  # one image of 1, none of 2
    reference, requested = compute_reference(real, labels), torch.arange(40) % 4
    requested[requested == 3] = 0
    requested[:3] = 3
    values = MEASURES["class_fid"](reference, FakeFeatures(fake, fake, requested), 2)
    assert [value.extra["class"] for value in values] == [0]
    alone = compute_reference(real[:25], np.zeros(25, np.int64))
    part = fake[requested == 0]
    (expected,) = MEASURES["class_fid"](alone, FakeFeatures(part, part, torch.zeros(len(part), dtype=torch.int64)), 2)
    assert values[0].value == pytest.approx(expected.value)
    reasons = {1: "1 training image", 2: "no training images", 3: "3 generated images", 4: "no training images"}
    assert classes_too_small(reference, requested, 2, 5) == reasons


def test_without_classes_there_is_no_class_fid_and_no_agreement() -> None:
    unlabelled = np.full(50, -1)
    assert compute_reference(normal(50), unlabelled).classes == ()
    assert measured("class_fid", normal(50), normal(20), labels=unlabelled) == {}
    assert measured("class_agreement", normal(50), normal(20)) == {}


def test_class_agreement_is_the_share_of_the_right_answers() -> None:
    logits, requested = torch.eye(4).repeat(5, 1), torch.arange(20) % 4
    requested[:5] = (requested[:5] + 1) % 4
    assert measured("class_agreement", normal(10), normal(20), logits=logits, requested=requested) == {
        "class_agreement": 0.75
    }


# All of them get worse with what they are to notice.


WORSE = {"fid": 1, "fid_infinity": 1, "kid": 1, "precision": -1, "density": -1}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fid", "fid_infinity", "kid", "prc", "dc"])
def test_growing_noise_makes_every_distance_larger(name) -> None:
    real, fake, noise = normal(400), normal(400), normal(400)
    results = [measured(name, real, fake + strength * noise) for strength in (0.0, 1.0, 2.0, 4.0)]
    for metric in set(results[0]) & set(WORSE):
        values = [WORSE[metric] * f[metric] for f in results]
        assert values == sorted(values)
        assert values[0] < values[-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "metric", "sign"), [("fid", "fid", 1), ("kid", "kid", 1), ("prc", "recall", -1), ("dc", "coverage", -1)]
)
def test_dropped_modes_are_noticed(name, metric, sign) -> None:
    modes = [normal(80, shift=12.0 * i) for i in range(5)]
    again = [normal(80, shift=12.0 * i) for i in range(5)]
    values = []
    for count in (5, 4, 3, 2, 1):
        fake = torch.cat(again[:count])[torch.randperm(80 * count, generator=GENERATOR)]
        values.append(sign * measured(name, torch.cat(modes), fake)[metric])
    assert values == sorted(values)


@pytest.mark.parametrize("name", [n for n in MEASURES if n not in ("isc", "class_agreement")])
def test_parts_are_disjoint_and_of_the_same_metric(name) -> None:
    real, fake, requested = normal(400), normal(400, shift=0.3), torch.arange(400) % 2
    reference = compute_reference(real, np.arange(400) % 2)
    (value, *_) = MEASURES[name](reference, FakeFeatures(fake, fake, requested), 4)
    assert len(value.blocks) == 4
    alone = MEASURES[name](reference, FakeFeatures(fake[:100], fake[:100], requested[:100]), 1)[0].value
    if name != "kid":  # whose subsets are as large as the smallest part
        assert value.blocks[0] == pytest.approx(alone, rel=1e-6)


@pytest.mark.parametrize(("name", "n"), [("prc", 12), ("dc", 20), ("isc", 9), ("class_fid", 12)])
def test_too_few_images_are_one_sentence(name, n) -> None:
    reference = compute_reference(normal(50), np.arange(50) % 2)
    with pytest.raises(GanlibError, match="too few"):
        check_sizes([name], reference, n, 4, torch.arange(n) % 2)
    check_sizes([name], reference, n * 2, 4, torch.arange(n * 2) % 2)


def test_few_real_images_are_too_few_as_well() -> None:
    reference = compute_reference(normal(4), np.zeros(4, np.int64))
    check_sizes(["prc"], reference, 1000, 1, None)
    with pytest.raises(GanlibError, match="dc looks at 5 neighbours: 4 images in a block are too few"):
        check_sizes(["prc", "dc"], reference, 1000, 1, None)
