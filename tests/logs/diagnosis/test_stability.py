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
