"""Mode collapse, the best checkpoint and plateaus: curves on both sides of each threshold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ganlib.logs import diagnose
from helpers.synthetic_curves import COLLAPSING, N, fids, find_finding, frame, phases, rule_names


@pytest.mark.parametrize(("final", "expected"), [(75.5, True), (74.0, False)])
def test_collapse_is_a_metric_far_above_its_best_for_good(final: float, expected: bool) -> None:
    values = [90.0, 70, 60, 50, 40, 45, final, final, final, final]
    assert ("mode_collapse" in rule_names(fids(*values))) == expected
    assert "mode_collapse" not in rule_names(fids(*values, 41, 41))  # it recovered
    if expected:
        finding = find_finding(fids(*values), "mode_collapse")
        assert (finding.severity, finding.start, finding.end, finding.tag) == ("critical", 6000, 9000, "fid")


def test_single_better_evaluations_do_not_end_a_collapse() -> None:
    assert "mode_collapse" in rule_names(fids(90, 60, 40, 50, 90, 85, 62, 95, 80, 90))
    assert "mode_collapse" not in rule_names(fids(90, 60, 40, 50, 90, 85, 55, 95, 80))  # not yet for a tenth of the run


@pytest.mark.parametrize("worsening", [4, 3])
def test_a_collapse_in_progress_is_worse_with_every_evaluation(worsening: int) -> None:
    values = [90.0, 60, 45, *[41.0, 40.0] * 15, *np.linspace(50, 90, worsening)]
    finding = [finding for finding in diagnose(fids(*values)) if finding.rule == "mode_collapse"]
    assert bool(finding) == (worsening == 4)
    if finding:
        assert "90 at the end, worse at each of the last 4 evaluations" in finding[0].evidence


def test_collapse_is_no_word_for_a_denoiser() -> None:
    assert "mode_collapse" not in rule_names(fids(*COLLAPSING), "squared error of noise")
    assert "best_long_before_end" in rule_names(fids(*COLLAPSING), "squared error of noise")


@pytest.mark.parametrize(("tag", "best", "collapsed", "stable"), [("recall", 0.6, 0.28, 0.32), ("isc", 8.0, 5.2, 5.5)])
def test_collapse_shows_in_variety(tag: str, best: float, collapsed: float, stable: float) -> None:
    rise = [best / 2, best * 0.9, best, best, best]
    assert "mode_collapse" in rule_names(frame({tag: rise + 4 * [collapsed]}))
    assert "mode_collapse" not in rule_names(frame({tag: rise + 4 * [stable]}))


@pytest.mark.parametrize("loss", ["hinge", "non-saturating", None])
def test_collapse_is_a_jump_of_ds_loss_from_near_zero(loss: str | None) -> None:
    jump = frame({"loss/D": phases((0.05, 0.7), (3.3, 0.3)), "loss/G": 0.6})
    finding = find_finding(jump, "mode_collapse", loss)
    assert finding.severity == "critical"
    assert abs(finding.start - 3500) <= 100
    assert "mode_collapse" not in rule_names(jump, "wasserstein")
    assert "mode_collapse" not in rule_names(frame({"loss/D": phases((0.05, 0.7), (1.2, 0.3)), "loss/G": 0.6}), loss)
    assert "mode_collapse" not in rule_names(frame({"loss/D": phases((0.9, 0.7), (3.3, 0.3)), "loss/G": 0.6}), loss)


@pytest.mark.parametrize(
    ("end", "severity"), [(40 * 1.27, "warning"), (40 * 1.23, "info"), (40 * 1.07, "info"), (40 * 1.03, None)]
)
def test_the_best_checkpoint_is_worth_a_finding_where_the_end_is_worse(end: float, severity: str | None) -> None:
    findings = diagnose(fids(80, 60, 45, 40, 44, end, end, end))
    best = [finding for finding in findings if finding.rule == "best_long_before_end"]
    assert [finding.severity for finding in best] == ([severity] if severity else [])
    if best:
        assert (best[0].start, best[0].end) == (3000, 7000)
        assert "40" in best[0].evidence


@pytest.mark.parametrize(
    ("last_step", "expected"), [(7000, "46 at the end"), (9000, "46 at the last evaluation, at 7,000 of 9,000")]
)
def test_the_end_is_the_last_value_and_where_it_was_measured(last_step: int, expected: str) -> None:
    losses = frame({"loss/D": 0.9, "loss/G": 1.6}, every=last_step // (N - 1) + 1)
    losses = losses[losses["step"] <= last_step]
    in_images = frame({"images/s": [300.0]}).assign(step=64 * last_step)
    last = losses.groupby("tag").tail(1).assign(step=last_step)
    data = pd.concat([losses, last, in_images, fids(80, 60, 45, 40, 44, 52, 48, 46)])
    assert find_finding(data, "best_long_before_end").evidence.endswith(f"with 40, and {expected}.")


def test_a_best_checkpoint_near_the_end_is_no_finding() -> None:
    assert rule_names(fids(90, 80, 70, 60, 55, 50, 45, 40, 55, 55)) == []
    assert rule_names(fids(90, 40, 60, 60)) == []  # four evaluations are no curve


def test_higher_is_better_for_the_inception_score() -> None:
    data = frame({"isc": [3.0, 6, 8, 7, 6, 6, 6, 6]})
    assert find_finding(data, "best_long_before_end").start == 20
    assert rule_names(frame({"isc": [3.0, 4, 5, 6, 7, 7.5, 8, 8.2]})) == []


@pytest.mark.parametrize(("gain", "expected"), [(0.01, ["plateau"]), (0.04, [])])
def test_a_plateau_is_less_change_than_evaluations_differ_by(gain: float, expected: list[str]) -> None:
    early, third, last = np.linspace(90, 41, 10), np.full(5, 40.0), np.full(5, 40 * (1 - gain))
    assert rule_names(fids(*early, *third, *last)) == expected
    steps = np.arange(N)
    loss = np.where(steps < N / 2, 3.0, np.where(steps < 0.75 * N, 1.0, 1 - gain))
    assert rule_names(frame({"loss/classify": loss}), "cross-entropy") == expected
    assert rule_names(frame({"loss/denoise": loss}), "squared error of v") == []
    assert rule_names(frame({"loss": loss})) == []


@pytest.mark.parametrize(("last", "expected"), [(0.45, ["mode_collapse"]), (0.72, [])])
def test_a_last_sheet_of_the_same_pictures_is_a_collapse(last: float, expected: list[str]) -> None:
    """0.45 as in ArmanZarei/DCGAN_PyTorch; BenyaminMehmandar/GANs' collapse within classes, 0.72, is not found."""
    losses = frame({"loss/D": 1.2, "loss/G": 0.9})
    sheets = frame({"samples/distinct": [1.0, 0.94, last]}, every=2400)
    assert rule_names(pd.concat([losses, sheets])) == expected
    early = frame({"samples/distinct": [last]})  # an untrained generator shows the same noise
    assert rule_names(pd.concat([losses, early])) == []
