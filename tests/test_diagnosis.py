"""Curves on both sides of each threshold of the diagnosis, and what must never change a finding."""

from __future__ import annotations

import time
from math import log

import numpy as np
import pandas as pd
import pytest

from ganlib.experiments import Finding, diagnose
from ganlib.experiments.diagnosis import SIGNS
from ganlib.experiments.diagnosis.objectives import (
    CROSS_ENTROPY,
    DENOISING,
    HINGE,
    LEAST_SQUARES,
    LIKELIHOOD,
    MINIMAX,
    UNKNOWN,
    WASSERSTEIN,
    objective,
)

N = 500
GUESSING = 2 * log(2)
RANDOM = np.random.default_rng(5)
NOISE = RANDOM.normal(size=N)


def frame(curves: dict[str, object], run: str = "a", every: int = 10) -> pd.DataFrame:
    """One row per value; a curve that is a number stays at it, with noise of a hundredth."""
    parts = []
    for tag, values in curves.items():
        column = values * (1 + 0.01 * NOISE) if isinstance(values, float) else np.asarray(values, dtype=float)
        steps = every * np.arange(len(column))
        parts.append(pd.DataFrame({"run": run, "step": steps, "wall_time": np.nan, "tag": tag, "value": column}))
    return pd.concat(parts, ignore_index=True)


def phases(*parts: tuple[float, float]) -> np.ndarray:
    """(N,) of levels by share of the run, with noise of a hundredth."""
    level = np.concatenate([np.full(round(share * N), value) for value, share in parts])
    return level * (1 + 0.01 * NOISE[: len(level)])


def signs(data: pd.DataFrame, loss: str | None = None) -> list[str]:
    return [finding.sign for finding in diagnose(data, loss=loss)]


def found(data: pd.DataFrame, sign: str, loss: str | None = None) -> Finding:
    (finding,) = (finding for finding in diagnose(data, loss=loss) if finding.sign == sign)
    return finding


def fids(*values: float) -> pd.DataFrame:
    return frame({"fid": values}, every=1000)


HEALTHY = {
    "non-saturating": {"loss/D": 0.9, "loss/G": 1.6, "D/real": 1.1, "D/fake": -1.0},
    "hinge": {"loss/D": 1.2, "loss/G": 0.6},
    "least squares": {"loss/D": 0.2, "loss/G": 0.35},
    "wasserstein": {"loss/D": -3.0, "loss/G": -40.0},
    "cross-entropy": {"loss/classify": 2.3 * np.exp(-np.arange(N) / 400), "accuracy": 0.9},
}


@pytest.mark.parametrize("kind", HEALTHY)
def test_nothing_is_wrong_with_a_healthy_run(kind: str) -> None:
    assert signs(frame(HEALTHY[kind]), kind) == []
    assert signs(frame(HEALTHY[kind])) == []


# Discriminator wins


@pytest.mark.parametrize(
    ("loss", "below", "above"), [("non-saturating", 0.018, 0.022), ("hinge", 0.0009, 0.0011), ("lsgan", 0.009, 0.011)]
)
def test_the_discriminator_has_won_where_its_loss_is_near_zero(loss: str, below: float, above: float) -> None:
    assert signs(frame({"loss/D": below, "loss/G": 3.0}), loss) == ["discriminator_wins"]
    assert signs(frame({"loss/D": above, "loss/G": 3.0}), loss) == []


@pytest.mark.parametrize(("g", "expected"), [(7.1, ["discriminator_wins"]), (6.7, [])])
def test_the_discriminator_wins_where_hardly_any_image_passes(g: float, expected: list[str]) -> None:
    assert signs(frame({"loss/D": 0.1, "loss/G": g}), "non-saturating") == expected
    assert signs(frame({"loss/D": 0.3, "loss/G": g}), "non-saturating") == []


@pytest.mark.parametrize(("share", "expected"), [(0.12, ["discriminator_wins"]), (0.06, [])])
def test_a_state_counts_from_a_tenth_of_the_run_on(share: float, expected: list[str]) -> None:
    d = phases((0.9, 0.5), (0.005, share), (0.9, 0.5 - share))
    assert signs(frame({"loss/D": d, "loss/G": 3.0}), "vanilla") == expected


def test_the_interval_is_where_it_happens_and_lasting_is_graver() -> None:
    passing = frame({"loss/D": phases((0.9, 0.2), (0.005, 0.4), (0.9, 0.4)), "loss/G": 3.0})
    finding = found(passing, "discriminator_wins", "non-saturating")
    assert (finding.severity, finding.tag, finding.run) == ("warning", "loss/D", "a")
    assert abs(finding.start - 1000) <= 100
    assert abs(finding.end - 3000) <= 100
    lasting = frame({"loss/D": phases((0.9, 0.6), (0.005, 0.4)), "loss/G": 3.0})
    finding = found(lasting, "discriminator_wins", "non-saturating")
    assert finding.severity == "critical"
    assert finding.end == 4990


@pytest.mark.parametrize("loss", ["wasserstein", "non-saturating + information", "squared error + KL"])
def test_a_low_loss_says_nothing_where_it_has_no_floor(loss: str) -> None:
    assert "discriminator_wins" not in signs(frame({"loss/D": 0.001, "loss/G": 8.0}), loss)


def test_of_an_unknown_loss_both_networks_must_say_so() -> None:
    assert signs(frame({"loss/D": 0.01, "loss/G": 8.0})) == ["discriminator_wins"]
    assert signs(frame({"loss/D": 0.01, "loss/G": 3.0})) == []
    assert signs(frame({"loss/D": phases((-0.5, 0.1), (0.01, 0.9)), "loss/G": 8.0})) == []  # perhaps a critic


def test_levels_of_a_pyramid_are_judged_one_by_one() -> None:
    data = frame({"loss/D/8": 1.38, "loss/G/8": 0.7, "loss/D/16": 0.005, "loss/G/16": 6.0})
    assert found(data, "discriminator_wins", "non-saturating").tag == "loss/D/16"


def test_halves_of_the_loss_are_no_duel() -> None:
    data = frame({"loss/D": 1.0, "loss/D/real": 0.001, "loss/D/fake": 0.999, "loss/G": 1.5})
    assert signs(data, "non-saturating") == []


# Generator wins


@pytest.mark.parametrize(("d", "g"), [(1.55 * GUESSING, 0.1), (1.45 * GUESSING, 0.1), (1.55 * GUESSING, 0.12)])
def test_the_generator_has_won_where_its_images_pass_and_d_is_worse_than_guessing(d: float, g: float) -> None:
    wins = d > 1.5 * GUESSING and g < 0.105
    assert ("generator_wins" in signs(frame({"loss/D": d, "loss/G": g}), "non-saturating")) == wins


@pytest.mark.parametrize("loss", ["wasserstein", "non-saturating + class", "non-saturating + feature matching", None])
def test_the_generator_is_no_winner_where_its_loss_has_more_in_it(loss: str | None) -> None:
    assert "generator_wins" not in signs(frame({"loss/D": 4.0, "loss/G": 0.01}), loss)


# Vanished gradient


@pytest.mark.parametrize(("rest", "expected"), [(0.0008, ["vanished_gradient"]), (0.0012, [])])
def test_the_gradient_has_vanished_at_a_thousandth(rest: float, expected: list[str]) -> None:
    data = frame({**HEALTHY["wasserstein"], "grad/D": 1.0, "grad/G": phases((1.0, 0.5), (rest, 0.5))})
    assert signs(data, "wasserstein") == expected


def test_a_discriminators_small_gradient_is_none_of_the_generators() -> None:
    data = frame({**HEALTHY["non-saturating"], "grad/D": phases((1.0, 0.5), (1e-6, 0.5))})
    assert signs(data, "non-saturating") == []


@pytest.mark.parametrize(("g", "expected"), [(-0.008, ["vanished_gradient"]), (-0.012, [])])
def test_a_minimax_loss_near_zero_is_flat(g: float, expected: list[str]) -> None:
    assert signs(frame({"loss/D": 0.3, "loss/G": g}), "minimax") == expected
    assert signs(frame({"loss/D": 0.3, "loss/G": -g}), "non-saturating") == []


@pytest.mark.parametrize("loss", ["non-saturating", "wasserstein", None])
def test_losses_that_stand_still_have_no_gradient(loss: str | None) -> None:
    still = np.where(np.arange(N) < 300, 0.9 + 0.01 * NOISE, 1.1)
    data = frame({"loss/D": still, "loss/G": still + 1})
    finding = found(data, "vanished_gradient", loss)
    assert finding.severity == "critical"
    assert abs(finding.start - 3000) <= 100
    moving = frame({"loss/D": still, "loss/G": 2.0})
    assert signs(moving, loss) == []


# Mode collapse, the best checkpoint, plateau


COLLAPSING = [90.0, 60, 50, 45, 40, 45, 60, 82, 90, 95]


@pytest.mark.parametrize(("worst", "expected"), [(82.0, True), (78.0, False)])
def test_collapse_is_a_metric_twice_its_best_for_good(worst: float, expected: bool) -> None:
    values = [90.0, 70, 60, 50, 40, 45, worst, worst, worst, worst]
    assert ("mode_collapse" in signs(fids(*values))) == expected
    assert "mode_collapse" not in signs(fids(*values, 41, 41))  # it recovered
    if expected:
        finding = found(fids(*values), "mode_collapse")
        assert (finding.severity, finding.start, finding.end, finding.tag) == ("critical", 6000, 9000, "fid")


def test_collapse_is_no_word_for_a_denoiser() -> None:
    assert "mode_collapse" not in signs(fids(*COLLAPSING), "squared error of noise")
    assert "best_long_before_end" in signs(fids(*COLLAPSING), "squared error of noise")


@pytest.mark.parametrize(("tag", "best", "gone", "kept"), [("recall", 0.6, 0.28, 0.32), ("isc", 8.0, 5.2, 5.5)])
def test_collapse_shows_in_variety(tag: str, best: float, gone: float, kept: float) -> None:
    rise = [best / 2, best * 0.9, best, best, best]
    assert "mode_collapse" in signs(frame({tag: rise + 4 * [gone]}))
    assert "mode_collapse" not in signs(frame({tag: rise + 4 * [kept]}))


@pytest.mark.parametrize("loss", ["hinge", "non-saturating", None])
def test_collapse_is_a_jump_of_ds_loss_from_near_zero(loss: str | None) -> None:
    jump = frame({"loss/D": phases((0.05, 0.7), (3.3, 0.3)), "loss/G": 0.6})
    finding = found(jump, "mode_collapse", loss)
    assert finding.severity == "critical"
    assert abs(finding.start - 3500) <= 100
    assert "mode_collapse" not in signs(jump, "wasserstein")
    assert "mode_collapse" not in signs(frame({"loss/D": phases((0.05, 0.7), (1.2, 0.3)), "loss/G": 0.6}), loss)
    assert "mode_collapse" not in signs(frame({"loss/D": phases((0.9, 0.7), (3.3, 0.3)), "loss/G": 0.6}), loss)


@pytest.mark.parametrize(
    ("end", "severity"), [(40 * 1.27, "warning"), (40 * 1.23, "info"), (40 * 1.07, "info"), (40 * 1.03, None)]
)
def test_the_best_checkpoint_is_worth_a_finding_where_the_end_is_worse(end: float, severity: str | None) -> None:
    findings = diagnose(fids(80, 60, 45, 40, 44, end, end, end))
    best = [finding for finding in findings if finding.sign == "best_long_before_end"]
    assert [finding.severity for finding in best] == ([severity] if severity else [])
    if best:
        assert (best[0].start, best[0].end) == (3000, 7000)
        assert "40" in best[0].evidence


def test_a_best_checkpoint_near_the_end_is_no_finding() -> None:
    assert signs(fids(90, 80, 70, 60, 55, 50, 45, 40, 55, 55)) == []
    assert signs(fids(90, 40, 60, 60)) == []  # four evaluations are no curve


def test_higher_is_better_for_the_inception_score() -> None:
    data = frame({"isc": [3.0, 6, 8, 7, 6, 6, 6, 6]})
    assert found(data, "best_long_before_end").start == 20
    assert signs(frame({"isc": [3.0, 4, 5, 6, 7, 7.5, 8, 8.2]})) == []


@pytest.mark.parametrize(("gain", "expected"), [(0.01, ["plateau"]), (0.04, [])])
def test_a_plateau_is_less_change_than_evaluations_differ_by(gain: float, expected: list[str]) -> None:
    early, third, last = np.linspace(90, 41, 10), np.full(5, 40.0), np.full(5, 40 * (1 - gain))
    assert signs(fids(*early, *third, *last)) == expected
    steps = np.arange(N)
    loss = np.where(steps < N / 2, 3.0, np.where(steps < 0.75 * N, 1.0, 1 - gain))
    assert signs(frame({"loss/classify": loss}), "cross-entropy") == expected
    assert signs(frame({"loss/denoise": loss}), "squared error of v") == []
    assert signs(frame({"loss": loss})) == []


# Divergence, values that are not finite, metrics that cannot be


@pytest.mark.parametrize("loss", ["non-saturating", "hinge", None])
def test_a_loss_diverges_to_ten_times_what_it_was(loss: str | None) -> None:
    begun = 2.2
    grown = [begun * np.geomspace(1, factor, N // 2) for factor in (14, 9)]
    for rise, expected in zip(grown, (True, False), strict=True):
        data = frame({"loss/D": np.concatenate([np.full(N // 2, begun), rise]), "loss/G": 1.0})
        assert ("divergence" in signs(data, loss)) == expected


def test_divergence_begins_where_the_loss_leaves_its_range_for_good() -> None:
    data = frame({"loss": phases((1.0, 0.7), (50.0, 0.3))})
    finding = found(data, "divergence", "squared error + KL")
    assert finding.severity == "critical"
    assert abs(finding.start - 3500) <= 100


def test_a_critics_loss_may_grow_far() -> None:
    for factor, expected in [(500.0, []), (5000.0, ["divergence"])]:
        d = -np.concatenate([np.full(N // 2, 2.0), 2 * np.geomspace(1, factor, N // 2)]) * (1 + 0.01 * NOISE)
        assert signs(frame({"loss/D": d, "loss/G": d}), "wasserstein") == expected
        assert signs(frame({"loss/D": d, "loss/G": d})) == expected


def test_a_balance_that_recovers_is_no_divergence() -> None:
    data = frame({"loss/D": phases((0.04, 0.1), (1.2, 0.9)), "loss/G": phases((5.0, 0.1), (1.0, 0.9))})
    assert signs(data, "non-saturating") == []


@pytest.mark.parametrize(("bad", "severity"), [(slice(400, 500), "critical"), (slice(100, 110), "warning")])
def test_values_that_are_not_finite_are_told(bad: slice, severity: str) -> None:
    d = phases((0.9, 1.0))
    d[bad] = np.nan
    finding = found(frame({"loss/D": d, "loss/G": 1.6}), "not_finite", "non-saturating")
    assert (finding.severity, finding.start, finding.end) == (severity, 10 * bad.start, 10 * bad.stop - 10)
    assert "loss/D" in finding.evidence


@pytest.mark.parametrize(("count", "severity"), [(20, "info"), (30, "warning")])
def test_single_overflows_of_a_gradient_are_usual(count: int, severity: str) -> None:
    grad = phases((1.0, 1.0))
    grad[:count] = np.inf
    assert found(frame({**HEALTHY["hinge"], "grad/G": grad}), "not_finite", "hinge").severity == severity


@pytest.mark.parametrize(
    ("tag", "value"), [("fid", -2.0), ("fid", 1.2e57), ("isc", 0.5), ("precision", 1.2), ("recall", -0.1)]
)
def test_a_metric_that_cannot_be_true_is_told_and_left_out(tag: str, value: float) -> None:
    values = np.array([0.9, 0.8, 0.7, 0.6, 0.6, 0.5]) if tag in ("precision", "recall") else np.full(6, 30.0)
    assert signs(frame({tag: values})) == []
    assert signs(frame({tag: [*values, value]})) == ["impossible_metric"]


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
    assert signs(data, "non-saturating") == (["oscillation"] if expected else [])


def test_an_oscillation_in_half_the_run_is_found_there() -> None:
    d = np.concatenate([0.9 + 0.01 * NOISE[: N // 2], swinging(0.8, 40, 0.02)[N // 2 :]])
    finding = found(frame({"loss/D": d, "loss/G": 1.6}), "oscillation", "non-saturating")
    assert finding.end == 4990
    assert finding.severity == "warning"


def test_a_cyclic_learning_rate_explains_an_oscillation() -> None:
    rate = 1e-3 * (1.1 + np.sin(2 * np.pi * 25 * np.arange(N) / N))
    data = frame({"loss/D": swinging(0.6, 25, 0.05), "loss/G": 1.6, "lr": rate})
    assert found(data, "oscillation", "non-saturating").severity == "info"


@pytest.mark.parametrize(("every", "expected"), [(40, ["learning_rate_too_high"]), (60, [])])
def test_frequent_spikes_are_a_learning_rate_too_high(every: int, expected: list[str]) -> None:
    d = phases((0.9, 1.0))
    d[::every] = 12.0
    data = frame({"loss/D": d, "loss/G": 1.6, "lr": np.full(N, 2e-3)})
    assert signs(data, "non-saturating") == expected
    assert signs(data, "wasserstein") == []
    if expected:
        assert "lr 0.002" in found(data, "learning_rate_too_high", "non-saturating").evidence


@pytest.mark.parametrize(("top", "expected"), [(2.1, ["learning_rate_too_high"]), (1.9, [])])
def test_a_likelihood_above_its_start_is_a_learning_rate_too_high(top: float, expected: list[str]) -> None:
    data = frame({"loss/classify": 2.3 * phases((1.0, 0.1), (top, 0.4), (0.5, 0.25), (0.3, 0.25))})
    assert signs(data, "cross-entropy") == expected


# Restarts


def test_a_resumed_log_is_judged_by_what_was_written_last() -> None:
    first = frame({"loss/D": phases((0.9, 0.6), (0.001, 0.4)), "loss/G": 3.0})
    second = frame({"loss/D": 0.9, "loss/G": 3.0})
    second = second[second["step"] >= 3000]
    data = pd.concat([first.assign(segment=0), second.assign(segment=1)], ignore_index=True)
    (finding,) = diagnose(data, loss="non-saturating")
    assert (finding.sign, finding.severity) == ("log_restarted", "info")
    assert (finding.start, finding.end) == (3000, 4990)
    assert "resumed" in finding.evidence
    without = data.drop(columns="segment")  # the order of the rows says it too
    assert diagnose(without, loss="non-saturating") == [finding]


def test_a_second_training_in_one_log_stands_alone() -> None:
    parts = [frame({"loss/D": d, "loss/G": 3.0}).assign(segment=n) for n, d in enumerate((0.001, 0.9))]
    (finding,) = diagnose(pd.concat(parts, ignore_index=True), loss="non-saturating")
    assert finding.sign == "log_restarted"
    assert "second training" in finding.evidence


def test_an_old_checkpoint_measured_again_is_no_restart() -> None:
    losses = frame({"loss/D": 0.9, "loss/G": 1.6}).assign(segment=0)
    metrics = fids(90, 70, 50, 40, 41).assign(segment=0)
    again = pd.DataFrame({"run": "a", "step": [3000], "wall_time": np.nan, "tag": "fid", "value": 39.8, "segment": 1})
    assert signs(pd.concat([losses, metrics, again], ignore_index=True), "non-saturating") == []


# What must not change a finding


def busy() -> pd.DataFrame:
    """Something of everything."""
    spikes = phases((0.9, 0.5), (0.005, 0.3), (4.0, 0.2))
    spikes[::30] = 30
    g = phases((1.6, 0.8), (0.05, 0.2))
    g[7] = np.inf
    fid = frame({"fid": COLLAPSING}, every=500)
    return pd.concat([frame({"loss/D": spikes, "loss/G": g}), fid], ignore_index=True)


def judged(data: pd.DataFrame, run: str = "a") -> list[tuple[object, ...]]:
    return [(f.sign, f.severity, f.start, f.end, f.tag) for f in diagnose(data, loss="non-saturating") if f.run == run]


def test_the_busy_run_has_much_to_say() -> None:
    assert {"mode_collapse", "discriminator_wins", "generator_wins", "not_finite"} <= set(signs(busy(), "bce"))


def test_other_runs_change_nothing() -> None:
    other = frame(HEALTHY["non-saturating"], run="b")
    data = pd.concat([other, busy()], ignore_index=True)
    assert judged(data) == judged(busy())
    assert judged(data, "b") == []
    mixed = data.assign(run=data["run"].astype("category"), tag=data["tag"].astype("category"))
    assert judged(mixed) == judged(busy())
    assert judged(mixed[mixed["run"] == "a"]) == judged(busy())  # a category without rows is no run


@pytest.mark.parametrize("factor", [2, 1000, 10**13])
def test_the_unit_of_steps_changes_nothing(factor: int) -> None:
    scaled = busy().assign(step=lambda data: data["step"] * factor)
    expected = [(sign, severity, a * factor, b * factor, tag) for sign, severity, a, b, tag in judged(busy())]
    assert judged(scaled) == expected


def test_the_logging_interval_changes_no_sign() -> None:
    data = frame({"loss/D": phases((0.9, 0.4), (0.005, 0.6)), "loss/G": 3.0})
    whole = found(data, "discriminator_wins", "non-saturating")
    for every in (2, 5, 10):
        thinned = found(data[data["step"] % (10 * every) == 0], "discriminator_wins", "non-saturating")
        assert thinned.severity == whole.severity
        assert abs(thinned.start - whole.start) <= 0.05 * 5000


def test_the_order_of_interleaved_rows_changes_nothing() -> None:
    assert judged(busy().sort_values("step", kind="stable")) == judged(busy())


# Frames of any kind


@pytest.mark.parametrize("kind", ["minimax", "wasserstein", "cross-entropy", "K + 1 classes, non-saturating", None])
@pytest.mark.parametrize("rows", [0, 1, 2, 30, N])
def test_any_frame_can_be_diagnosed(rows: int, kind: str | None) -> None:
    tags = ["loss", "loss/D", "loss/G", "loss/D/8", "grad/G", "fid", "isc", "recall", "lr", "D/real", "note"]
    columns = [np.full(rows, value) for value in (np.nan, np.inf, 0.0, -1.0, 1e308, -1e308, 5e-324)]
    columns += [RANDOM.choice([np.nan, np.inf, -np.inf, 0.0, 1e200, -3e68, 0.7], rows), RANDOM.normal(size=rows)]
    for values in columns:
        diagnose(frame(dict.fromkeys(tags, values)), loss=kind)
        diagnose(frame(dict.fromkeys(tags, values), every=0), loss=kind)
    for step in RANDOM.integers(-(2**62), 2**62, (3, rows)):
        data = frame(dict.fromkeys(tags, np.abs(RANDOM.normal(size=rows))))
        diagnose(data.assign(step=np.tile(step, len(tags)), segment=0), loss=kind)


def test_an_empty_frame_has_no_findings() -> None:
    columns = {"run": "str", "step": "int64", "wall_time": "float64", "tag": "str", "value": "float64"}
    assert diagnose(pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in columns.items()})) == []


def test_findings_are_sentences_and_the_gravest_come_first() -> None:
    findings = diagnose(busy(), loss="non-saturating")
    order = ["critical", "warning", "info"]
    ranks = [order.index(finding.severity) for finding in findings]
    assert ranks == sorted(ranks)
    for finding in findings:
        assert finding.start <= finding.end
        assert finding.title[0].isupper()
        for sentence in (finding.evidence, finding.advice):
            assert sentence[0].isupper() or sentence.startswith("loss/")
            assert sentence.endswith(".")


def test_every_sign_is_described() -> None:
    import ganlib.experiments.diagnosis as package

    names = [sign.name for sign in SIGNS]
    assert len(set(names)) == len(names)
    assert package.__doc__
    assert all(f"\n{name}\n" in package.__doc__ for name in names)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("non-saturating", CROSS_ENTROPY),
        ("non-saturating + R1", CROSS_ENTROPY),
        ("logistic", CROSS_ENTROPY),
        ("minimax", MINIMAX),
        ("hinge", HINGE),
        ("least squares", LEAST_SQUARES),
        ("wasserstein", WASSERSTEIN),
        ("squared error + KL", LIKELIHOOD),
        ("cross-entropy", LIKELIHOOD),
        ("squared error of noise", DENOISING),
        ("something new", UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_kinds_of_loss(kind: str | None, expected: object) -> None:
    assert objective(kind) is expected


def test_a_hundred_thousand_rows_take_well_under_a_second() -> None:
    n = 20_000
    values = {tag: np.abs(RANDOM.normal(1, 0.2, n)) for tag in ("loss/D", "loss/G", "D/real", "D/fake", "grad/G")}
    data = frame(values)
    began = time.process_time()
    diagnose(data, loss="non-saturating")
    assert time.process_time() - began < 0.5
