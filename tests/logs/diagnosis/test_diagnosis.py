"""What must never change a finding, and that any frame can be diagnosed."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ganlib.logs import diagnose, read
from ganlib.logs.diagnosis import RULES
from ganlib.logs.diagnosis.objectives import (
    CROSS_ENTROPY,
    DENOISING,
    HINGE,
    LEAST_SQUARES,
    LIKELIHOOD,
    MINIMAX,
    UNKNOWN,
    WASSERSTEIN,
    find_objective,
)
from helpers.synthetic_curves import COLLAPSING, HEALTHY, RANDOM, N, fids, find_finding, frame, phases, rule_names


@pytest.mark.parametrize("kind", HEALTHY)
def test_nothing_is_wrong_with_a_healthy_run(kind: str) -> None:
    assert rule_names(frame(HEALTHY[kind]), kind) == []
    assert rule_names(frame(HEALTHY[kind])) == []


SAMPLES = Path(__file__).parent / "samples"


@pytest.mark.parametrize(
    ("name", "loss", "expected"),
    [
        ("collapse_at_the_end.csv", None, {"mode_collapse", "best_long_before_end"}),
        ("discriminator_wins_bce.csv", None, {"discriminator_wins"}),
        ("discriminator_wins_bce.csv", "bce", {"discriminator_wins"}),
        ("epoch_means_on_every_row.csv", None, set()),
        ("cyclegan_d_dead.log", None, {"discriminator_wins", "vanished_gradient"}),
        ("cyclegan_d_dead.log", "lsgan", {"discriminator_wins", "vanished_gradient"}),
    ],
)
def test_logs_as_people_have_them(name: str, loss: str | None, expected: set[str]) -> None:
    findings = diagnose(read(SAMPLES / name), loss=loss)
    assert {finding.rule for finding in findings} == expected
    if name.startswith("cyclegan"):
        assert {finding.tag for finding in findings} == {"D_A", "D_B"}


# Restarts


def test_a_resumed_log_is_judged_by_what_was_written_last() -> None:
    first = frame({"loss/D": phases((0.9, 0.6), (0.001, 0.4)), "loss/G": 3.0})
    second = frame({"loss/D": 0.9, "loss/G": 3.0})
    second = second[second["step"] >= 3000]
    data = pd.concat([first.assign(segment=0), second.assign(segment=1)], ignore_index=True)
    (finding,) = diagnose(data, loss="non-saturating")
    assert (finding.rule, finding.severity) == ("log_restarted", "info")
    assert (finding.start, finding.end) == (3000, 4990)
    assert "resumed" in finding.evidence
    without = data.drop(columns="segment")  # the order of the rows says it too
    assert diagnose(without, loss="non-saturating") == [finding]


def test_a_second_training_in_one_log_stands_alone() -> None:
    parts = [frame({"loss/D": d, "loss/G": 3.0}).assign(segment=n) for n, d in enumerate((0.001, 0.9))]
    (finding,) = diagnose(pd.concat(parts, ignore_index=True), loss="non-saturating")
    assert finding.rule == "log_restarted"
    assert "second training" in finding.evidence


def test_steps_that_begin_anew_with_each_epoch_are_one_finding() -> None:
    epochs = [frame({"loss/D": 0.9, "loss/G": 3.0}).assign(segment=n) for n in range(5)]
    (finding,) = diagnose(pd.concat(epochs, ignore_index=True), loss="non-saturating")
    assert finding.evidence.startswith("The log goes back from 4,990 to 0 (4 times), where it began")


def test_an_old_checkpoint_measured_again_is_no_restart() -> None:
    losses = frame({"loss/D": 0.9, "loss/G": 1.6}).assign(segment=0)
    metrics = fids(90, 70, 50, 40, 41).assign(segment=0)
    again = pd.DataFrame({"run": "a", "step": [3000], "wall_time": np.nan, "tag": "fid", "value": 39.8, "segment": 1})
    assert rule_names(pd.concat([losses, metrics, again], ignore_index=True), "non-saturating") == []


# What must not change a finding


def eventful() -> pd.DataFrame:
    """Something of everything."""
    spikes = phases((0.9, 0.5), (0.005, 0.3), (4.0, 0.2))
    spikes[::30] = 30
    g = phases((1.6, 0.8), (0.05, 0.2))
    g[7] = np.inf
    fid = frame({"fid": COLLAPSING}, every=500)
    return pd.concat([frame({"loss/D": spikes, "loss/G": g}), fid], ignore_index=True)


def summarize(data: pd.DataFrame, run: str = "a") -> list[tuple[object, ...]]:
    return [(f.rule, f.severity, f.start, f.end, f.tag) for f in diagnose(data, loss="non-saturating") if f.run == run]


def test_the_busy_run_has_much_to_say() -> None:
    assert {"mode_collapse", "discriminator_wins", "generator_wins", "not_finite"} <= set(rule_names(eventful(), "bce"))


def test_other_runs_change_nothing() -> None:
    other = frame(HEALTHY["non-saturating"], run="b")
    data = pd.concat([other, eventful()], ignore_index=True)
    assert summarize(data) == summarize(eventful())
    assert summarize(data, "b") == []
    mixed = data.assign(run=data["run"].astype("category"), tag=data["tag"].astype("category"))
    assert summarize(mixed) == summarize(eventful())
    assert summarize(mixed[mixed["run"] == "a"]) == summarize(eventful())  # a category without rows is no run


@pytest.mark.parametrize("factor", [2, 1000, 10**13])
def test_the_unit_of_steps_changes_nothing(factor: int) -> None:
    scaled = eventful().assign(step=lambda data: data["step"] * factor)
    expected = [(rule, severity, a * factor, b * factor, tag) for rule, severity, a, b, tag in summarize(eventful())]
    assert summarize(scaled) == expected


def test_the_logging_interval_changes_no_sign() -> None:
    data = frame({"loss/D": phases((0.9, 0.4), (0.005, 0.6)), "loss/G": 3.0})
    full = find_finding(data, "discriminator_wins", "non-saturating")
    for every in (2, 5, 10):
        thinned = find_finding(data[data["step"] % (10 * every) == 0], "discriminator_wins", "non-saturating")
        assert thinned.severity == full.severity
        assert abs(thinned.start - full.start) <= 0.05 * 5000


def test_the_order_of_interleaved_rows_changes_nothing() -> None:
    assert summarize(eventful().sort_values("step", kind="stable")) == summarize(eventful())


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
    findings = diagnose(eventful(), loss="non-saturating")
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
    import ganlib.logs.diagnosis as package

    names = [rule.name for rule in RULES]
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
    assert find_objective(kind) is expected


def test_a_hundred_thousand_rows_take_well_under_a_second() -> None:
    n = 20_000
    values = {tag: np.abs(RANDOM.normal(1, 0.2, n)) for tag in ("loss/D", "loss/G", "D/real", "D/fake", "grad/G")}
    data = frame(values)
    began = time.process_time()
    diagnose(data, loss="non-saturating")
    assert time.process_time() - began < 0.5
