"""Divergence, values that cannot be, oscillation and learning rate: curves on both sides of each threshold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from helpers.synthetic_curves import HEALTHY, NOISE, N, find_finding, frame, phases, rule_names

# Divergence, values that are not finite, metrics that cannot be


@pytest.mark.parametrize("loss", ["non-saturating", "hinge", None])
def test_a_loss_diverges_to_ten_times_what_it_was(loss: str | None) -> None:
    initial = 2.2
    grown = [initial * np.geomspace(1, factor, N // 2) for factor in (14, 9)]
    for rise, expected in zip(grown, (True, False), strict=True):
        data = frame({"loss/D": np.concatenate([np.full(N // 2, initial), rise]), "loss/G": 1.0})
        assert ("divergence" in rule_names(data, loss)) == expected


def test_divergence_begins_where_the_loss_leaves_its_range_for_good() -> None:
    data = frame({"loss": phases((1.0, 0.7), (50.0, 0.3))})
    finding = find_finding(data, "divergence", "squared error + KL")
    assert finding.severity == "critical"
    assert abs(finding.start - 3500) <= 100


def test_a_critics_loss_may_grow_far() -> None:
    for factor, expected in [(500.0, []), (5000.0, ["divergence"])]:
        d = -np.concatenate([np.full(N // 2, 2.0), 2 * np.geomspace(1, factor, N // 2)]) * (1 + 0.01 * NOISE)
        assert rule_names(frame({"loss/D": d, "loss/G": d}), "wasserstein") == expected
        assert rule_names(frame({"loss/D": d, "loss/G": d})) == expected


def test_a_balance_that_recovers_is_no_divergence() -> None:
    data = frame({"loss/D": phases((0.04, 0.1), (1.2, 0.9)), "loss/G": phases((5.0, 0.1), (1.0, 0.9))})
    assert rule_names(data, "non-saturating") == []


@pytest.mark.parametrize(("bad", "severity"), [(slice(400, 500), "critical"), (slice(100, 110), "warning")])
def test_values_that_are_not_finite_are_told(bad: slice, severity: str) -> None:
    d = phases((0.9, 1.0))
    d[bad] = np.nan
    finding = find_finding(frame({"loss/D": d, "loss/G": 1.6}), "not_finite", "non-saturating")
    assert (finding.severity, finding.start, finding.end) == (severity, 10 * bad.start, 10 * bad.stop - 10)
    assert "loss/D" in finding.evidence


@pytest.mark.parametrize(("count", "severity"), [(20, "info"), (30, "warning")])
def test_single_overflows_of_a_gradient_are_usual(count: int, severity: str) -> None:
    grad = phases((1.0, 1.0))
    grad[:count] = np.inf
    assert find_finding(frame({**HEALTHY["hinge"], "grad/G": grad}), "not_finite", "hinge").severity == severity


@pytest.mark.parametrize(
    ("tag", "value"), [("fid", -2.0), ("fid", 1.2e57), ("isc", 0.5), ("precision", 1.2), ("recall", -0.1)]
)
def test_a_metric_that_cannot_be_true_is_told_and_left_out(tag: str, value: float) -> None:
    values = np.array([0.9, 0.8, 0.7, 0.6, 0.6, 0.5]) if tag in ("precision", "recall") else np.full(6, 30.0)
    assert rule_names(frame({tag: values})) == []
    assert rule_names(frame({tag: [*values, value]})) == ["impossible_metric"]


def test_a_metric_that_is_nan_is_a_failed_evaluation_not_a_failed_training() -> None:
    data = pd.concat([frame({"loss/D": 0.9, "loss/G": 1.6}), frame({"fid": np.full(12, np.nan)}, every=400)])
    finding = find_finding(data, "impossible_metric")
    assert rule_names(data) == ["impossible_metric"]
    assert finding.evidence == "FID has 12 of 12 values that cannot be true, such as nan, while the losses are finite."
    assert "learning rate" not in finding.advice


def test_a_loss_at_the_limit_of_its_computation_has_diverged() -> None:
    assert "divergence" in rule_names(frame({"loss/D": np.where(np.arange(N) < 20, 1.2, 100.0), "loss/G": 0.5}))
    assert "divergence" in rule_names(frame({"loss/D": np.full(N, 100.0), "loss/G": np.zeros(N)}))
    assert "divergence" not in rule_names(frame({"loss/D": phases((100.0, 1.0)), "loss/G": 90.0}))


@pytest.mark.parametrize(("first", "loss", "expected"), [(3.0, None, True), (2e4, None, False), (2e4, "bce", True)])
def test_thousands_are_no_loss_of_a_sound_network(first: float, loss: str | None, expected: bool) -> None:
    g = np.full(N, 2.4e4)
    g[0] = first
    assert ("divergence" in rule_names(frame({"loss/D": 0.5, "loss/G": g}), loss)) == expected


# Oscillation, learning rate


def swinging(height: float, cycles: float, noise: float) -> np.ndarray:
    return 0.9 + height / 2 * np.sin(2 * np.pi * cycles * np.arange(N) / N) + noise * NOISE


@pytest.mark.parametrize(
    ("height", "cycles", "noise", "expected"),
    [
        (0.6, 25, 0.05, True),
        (0.6, 25, 0.15, True),
        (0.6, 25, 0.2, False),  # much noise
        (0.6, 6, 0.05, True),
        (0.6, 6, 0.15, False),  # of few cycles less noise counts as such
        (0.6, 3, 0.05, False),  # a drift
        (0.48, 25, 0.05, True),
        (0.42, 25, 0.05, False),  # too low to matter
    ],
)
def test_an_oscillation_is_one_rhythm(height: float, cycles: float, noise: float, expected: bool) -> None:
    data = frame({"loss/D": swinging(height, cycles, noise), "loss/G": 1.6})
    assert rule_names(data, "non-saturating") == (["oscillation"] if expected else [])


def test_an_oscillation_in_half_the_run_is_found_there() -> None:
    d = np.concatenate([0.9 + 0.01 * NOISE[: N // 2], swinging(0.8, 40, 0.02)[N // 2 :]])
    finding = find_finding(frame({"loss/D": d, "loss/G": 1.6}), "oscillation", "non-saturating")
    assert finding.end == 4990
    assert finding.severity == "warning"


def test_a_cyclic_learning_rate_explains_an_oscillation() -> None:
    rate = 1e-3 * (1.1 + np.sin(2 * np.pi * 25 * np.arange(N) / N))
    data = frame({"loss/D": swinging(0.6, 25, 0.05), "loss/G": 1.6, "lr": rate})
    assert find_finding(data, "oscillation", "non-saturating").severity == "info"


@pytest.mark.parametrize(("every", "expected"), [(40, ["learning_rate_too_high"]), (60, [])])
def test_frequent_spikes_are_a_learning_rate_too_high(every: int, expected: list[str]) -> None:
    d = phases((0.9, 1.0))
    d[::every] = 12.0
    data = frame({"loss/D": d, "loss/G": 1.6, "lr": np.full(N, 2e-3)})
    assert rule_names(data, "non-saturating") == expected
    assert rule_names(data, "wasserstein") == []
    if expected:
        assert "lr 0.002" in find_finding(data, "learning_rate_too_high", "non-saturating").evidence


@pytest.mark.parametrize(("top", "expected"), [(2.1, ["learning_rate_too_high"]), (1.9, [])])
def test_a_likelihood_above_its_start_is_a_learning_rate_too_high(top: float, expected: list[str]) -> None:
    data = frame({"loss/classify": 2.3 * phases((1.0, 0.1), (top, 0.4), (0.5, 0.25), (0.3, 0.25))})
    assert rule_names(data, "cross-entropy") == expected


@pytest.mark.parametrize("value", [100.0, 50.0, 27.631, 18.421, 16.118, 15.942, 8.059, 103.279])
def test_a_loss_that_stays_where_its_computation_is_cut_off_diverged(value: float) -> None:
    d = np.r_[phases((1.4, 0.2))[:100], np.full(N - 100, value)]
    finding = find_finding(frame({"loss/D": d, "loss/G": 0.7}), "divergence")
    assert "where a cross-entropy is cut off" in finding.evidence
    assert finding.start == 1000


def test_a_loss_that_ran_away_within_the_first_rows_is_measured_by_the_first() -> None:
    """PyTorch's BCELoss, SGD at 0.5: 1.39, then 70 images of 100 at the clamp."""
    d = np.r_[1.39, 70 + 3 * NOISE[1:]]
    assert "divergence" in rule_names(frame({"loss/D": d, "loss/G": 30 + NOISE}), "bce")
    assert "divergence" not in rule_names(
        frame({"loss/D": 143 + NOISE, "loss/G": 279 + NOISE}), "bce"
    )  # of a batch's sum


@pytest.mark.parametrize("loss", ["non-saturating", None])
@pytest.mark.parametrize(("first", "last"), [((21.8, 140.0), 506.0), ((4.6e5, 4.2e5), 5.9e5), ((2.5e4, 2.5e4), 2.4e4)])
def test_logits_beyond_single_precision_diverged(loss: str | None, first: tuple[float, float], last: float) -> None:
    """Our DCGAN at a rate of 0.5, and conditional and unconditional GANs of full layers."""
    losses = {"loss/D": np.r_[first[0], np.zeros(N - 1)], "loss/G": np.r_[first[1], np.full(N - 1, last)]}
    assert "divergence" in rule_names(frame(losses), loss)
    assert "divergence" not in rule_names(frame({"loss/D": 0.004, "loss/G": last}))  # a sum over pixels


@pytest.mark.parametrize(("d", "expected"), [(150.0, True), (-40.0, False), (-900.0, False), (-1500.0, True)])
def test_a_critic_cannot_be_worse_than_none_nor_beyond_the_distance_of_images(d: float, expected: bool) -> None:
    losses = {"loss/D": phases((-5.0, 0.3), (d, 0.7)), "loss/G": 454.0}
    assert ("divergence" in rule_names(frame(losses), "wasserstein")) == expected


def test_the_first_value_of_a_denoising_loss_is_that_of_knowing_nothing() -> None:
    assert "divergence" in rule_names(frame({"loss": np.r_[1.0, np.full(N - 1, 12.0) + NOISE[1:]]}), "denoising")
    assert "divergence" not in rule_names(
        frame({"loss": np.r_[1.0, np.full(N - 1, 2.0) + 0.1 * NOISE[1:]]}), "denoising"
    )
