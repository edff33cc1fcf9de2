"""Values of an experiment's runs, and why some are not to be compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ganlib.experiments import (
    Claim,
    Collected,
    Experiment,
    Recorded,
    Variant,
    Verdict,
    collect,
    judge,
    missing_runs,
    read_experiments,
)
from ganlib.experiments.measures import Estimate, Measure, measure_curve, parse_measure
from ganlib.recipe import StartRecipe
from ganlib.runs import scan
from ganlib.settings import EXPERIMENTS, GALLERY
from helpers.record_entries import entry
from helpers.synthetic_curves import frame
from helpers.trained_runs import CONFIG, Trained, folder, recipe


def experiment(*claims: Claim, **fields: Any) -> Experiment:
    recipe = {"model": "dcgan", "data": "digits", "images": 1000, "fields": fields}
    variants = (Variant("a", "A", ("a0", "a1"), recipe, (0, 1)), Variant("b", "B", ("b0",), None))
    return Experiment("e", "E", "Is it?", "GAN methods", "It is.", variants, claims)


FID = Claim("A is better.", Measure(metric="fid"), "a", "<", "b")
UNMEASURED = "FID is not measured of b0; measure it with ganlib evaluate b0 --metrics fid."


def collected(tmp_path: Path, b: dict[str, Any], claim: Claim = FID) -> Collected:
    runs = {name: folder(tmp_path, name, entry(value=value)) for name, value in [("a0", 10.0), ("a1", 11.0)]}
    return collect(experiment(claim), runs | {"b0": folder(tmp_path, "b0", entry(**b))})


def test_records_of_one_protocol_are_compared(tmp_path):
    data = collected(tmp_path, {"value": 20.0}).claims[0]
    assert [(m.variant, m.run, m.value) for m in data.measurements] == [
        ("a", "a0", 10.0),
        ("a", "a1", 11.0),
        ("b", "b0", 20.0),
    ]
    assert data.protocol.startswith("embedded cifar10-classifier")
    assert data.problem == ""


def test_of_several_shared_protocols_that_of_most_images_counts(tmp_path):
    runs = {
        name: folder(tmp_path, name, entry(value=1.0), entry({"n_fake": 50_000}, value=2.0), entry({"n_fake": 99}))
        for name in ("a0", "a1", "b0")
    }
    assert {m.value for m in collect(experiment(FID), runs).claims[0].measurements} == {2.0}


LITE0 = {"extractor": "efficientnet_lite0", "extractor_name": "lite0"}


@pytest.mark.parametrize("dates", [("2026-01-01", "2026-02-01"), ("2026-02-01", "2026-01-01")])
def test_which_extractor_decides_depends_on_no_date(dates, tmp_path):
    """A is better by the classifier's features and worse by ImageNet's."""
    runs = {}
    for name, value in (("a0", 1.0), ("a1", 1.1), ("b0", 2.0)):
        interval = {"low": value - 0.01, "high": value + 0.01, "how": ""}
        own = entry(value=value, interval=interval, date=dates[0])
        lite0 = entry(LITE0 | {"n_fake": 50_000}, value=3 - value, interval=interval, date=dates[1])
        runs[name] = folder(tmp_path, name, own, lite0)
    (data,) = collect(experiment(FID), runs).claims
    assert data.protocol.startswith("embedded")
    judgement = judge(data)
    assert (judgement.verdict, judgement.disputed) == (Verdict.REPRODUCED, True)
    assert judgement.sentence.endswith(
        "Under efficientnet_lite0 lite0 · 50,000 generated vs 50,000 cifar10-jpeg train: does not hold."
    )
    asked = replace(FID, extractor="efficientnet_lite0")
    (data,) = collect(experiment(asked), runs).claims
    assert (data.protocol.split()[0], judge(data).verdict, judge(data).disputed) == (
        "efficientnet_lite0",
        Verdict.REFUTED,
        False,
    )
    unmeasured = replace(FID, extractor="clip")
    assert (
        "ganlib evaluate a0 --metrics fid --extractor clip" in collect(experiment(unmeasured), runs).claims[0].problem
    )


def test_a_number_beside_the_metric_in_the_records_is_compared_with(tmp_path):
    claim = Claim("Above the pixels.", Measure(metric="fid"), "b", ">", Recorded("pixels_accuracy"))
    runs = {"b0": folder(tmp_path, "b0", entry(value=20.0, pixels_accuracy=11.0))}
    (data,) = collect(experiment(claim), runs).claims
    assert (data.claim.second, judge(data).difference) == (11.0, 9.0)
    runs = {"b0": folder(tmp_path, "b0", entry(value=20.0))}
    assert collect(experiment(claim), runs).claims[0].problem == (
        "The records of b0 hold no pixels_accuracy; evaluate them again."
    )


def test_a_run_whose_discriminator_learned_nothing_gives_no_verdict(tmp_path):
    rows = "".join(f"{i},{64 * i},0.204,0.15,0.45,0.449\n" for i in range(200))
    log = f"step,images,loss/D,loss/G,D/real,D/fake\n{rows}"
    runs = {name: folder(tmp_path, name, entry(value=1.0), log=log if name == "a1" else "") for name in ("a0", "a1")}
    finding = Claim("It does not.", parse_measure({"finding": "discriminator_learns_nothing"}), "b", ">", 0.5)
    runs["b0"] = folder(tmp_path, "b0", entry(value=2.0), log=log)
    data, found = collect(experiment(FID, finding), runs).claims
    assert data.problem.startswith("The discriminator learned nothing in a1, b0: ")
    assert judge(data).verdict is Verdict.OPEN
    assert len(data.measurements) == 3  # they are there, and archived
    assert [m.value for m in found.measurements] == [1.0]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"protocol": {"n_fake": 500}}, "FID of these runs is measured under different protocols; evaluate all alike."),
        ({"metric": "kid"}, UNMEASURED),
        ({"weights_hash": "earlier"}, UNMEASURED),
        ({"snapshot": 64}, UNMEASURED),
    ],
)
def test_what_does_not_compare_is_open_with_its_reason(changes, problem, tmp_path):
    changes = {"protocol": entry()["protocol"] | changes.pop("protocol", {})} | changes
    judgement = judge(collected(tmp_path, changes).claims[0])
    assert (judgement.verdict, judgement.sentence) == (Verdict.OPEN, problem)


def test_missing_and_half_trained_runs_are_named(tmp_path):
    half = replace(folder(tmp_path, "a0", entry()), images_seen=980)
    result = collect(experiment(FID), {"a0": half, "b0": folder(tmp_path, "b0", entry())})
    assert result.missing == {"a0": "980 of 1,000 images trained", "a1": "not trained yet"}
    assert result.claims[0].problem == (
        "Runs are missing: a0 (980 of 1,000 images trained), a1 (not trained yet); "
        "train them with ganlib experiment e --run."
    )


def unfit(run: Trained, **fields: Any) -> str:
    return missing_runs(experiment(FID, **fields), {"a0": run, "a1": Trained(Path(), recipe=recipe(1))}).get("a0", "")


@pytest.mark.parametrize(
    ("fields", "changes", "reason"),
    [
        ({}, {}, ""),
        ({"lr": CONFIG.lr, "batch_size": 64, "label_smoothing": [1.0]}, {}, ""),  # lists as the tuples of a config
        ({"lr": 0.001}, {}, "lr 0.0002, not 0.001"),
        ({}, {"config": replace(CONFIG, width=48)}, f"width 48, not {CONFIG.width}"),  # a field that it leaves out
        ({"image_size": 32}, {}, "image_size 16, not 32"),
        ({"batch_size": 32}, {}, "batch_size 64, not 32"),
        ({"flip": "on"}, {}, "flip unknown, not on"),
        ({}, {"data_name": "mnist"}, "data mnist, not digits"),
        ({}, {"recipe": replace(recipe(0), model="sngan")}, "sngan, not dcgan"),
        ({}, {"recipe": recipe(7)}, "seed 7, not 0"),
        ({}, {"recipe": recipe(0, images=60_000)}, "images 60,000, not 1,000"),
        ({"widht": 3}, {}, "widht unknown, not 3"),
    ],
)
def test_a_run_of_another_recipe_is_not_judged(fields, changes, reason):
    expected = f"trained by another recipe: {reason}" if reason else ""
    assert unfit(Trained(Path(), **changes), **fields) == expected


def test_what_differs_is_named_and_to_be_deleted_before_it_is_trained(tmp_path):
    runs = {"a0": Trained(tmp_path, recipe=recipe(0)), "b0": Trained(tmp_path)}
    (data,) = collect(experiment(FID, lr=0.001), runs).claims
    assert data.problem == (
        "Runs do not fit the definition: a0 (trained by another recipe: lr 0.0002, not 0.001), a1 (not trained yet); "
        "delete what was trained otherwise, then train with ganlib experiment e --run."
    )


def test_a_training_from_weights_is_compared_in_what_its_recipe_names():
    named = {"model": "dcgan", "data": "digits", "images": 1000, "start": "before", "fields": {"lr": CONFIG.lr}}
    started = replace(recipe(0), start=StartRecipe("before", "abc"))
    for own, reason in ((started, ""), (recipe(0), "start random weights, not before")):
        only = Experiment("e", "", "", "", "", (Variant("a", "A", ("a0",), named, (0,)),), (FID,))
        run = Trained(Path(), config=replace(CONFIG, width=48), recipe=own)
        assert missing_runs(only, {"a0": run}).get("a0", "").endswith(reason)
        assert bool(missing_runs(only, {"a0": run})) == bool(reason)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"images_seen": 980}, "980 of 1,000 images trained"),
        ({"images_seen": 500, "metadata": {"promoted": "true"}}, ""),  # the weights of its best snapshot
        ({"recipe": recipe(0, images=0, max_minutes=29.0)}, "10 of 29 minutes trained"),
        ({"recipe": recipe(0, images=0, max_minutes=10.0)}, ""),
        ({"recipe": recipe(0, images=2000, max_minutes=10.0)}, ""),  # whichever is spent first
        ({"recipe": replace(recipe(0), training=None)}, ""),  # from elsewhere
    ],
)
def test_a_run_that_exists_is_judged_where_it_was_trained_to_its_own_end(changes, reason):
    assert missing_runs(experiment(FID), {"b0": Trained(Path(), **changes)}).get("b0", "") == reason


def test_archived_trainings_fit_the_projects_definitions():
    runs = {run.name: run for run in scan([GALLERY, EXPERIMENTS / "runs"])[0]}
    experiments, _ = read_experiments(EXPERIMENTS)
    reasons = {name: reason for e in experiments for name, reason in missing_runs(e, runs).items()}
    assert {name: reason for name, reason in reasons.items() if "another recipe" in reason} == {}


def log_csv(*losses: float) -> str:
    return "step,images,loss/G\n" + "".join(f"{i},{64 * i},{loss}\n" for i, loss in enumerate(losses))


def test_curves_and_findings_are_measured_too(tmp_path):
    claim = Claim("G's loss rises.", parse_measure({"scalar": "loss/G", "statistic": "rise"}), "a", ">", 1.0)
    runs = {name: folder(tmp_path, name, log=log_csv(*np.linspace(1, 3, 101))) for name in ("a0", "a1")}
    data = collect(experiment(claim), runs).claims[0]
    assert [m.value for m in data.measurements] == pytest.approx([2.9 / 1.1] * 2)
    assert judge(data).verdict is Verdict.REPRODUCED
    finding = Claim("It diverges.", parse_measure({"finding": "not_finite"}), "a", ">", 0.5)
    assert [m.value for m in collect(experiment(finding), runs).claims[0].measurements] == [0, 0]


def test_a_variant_is_measured_with_its_options_and_in_its_space(tmp_path):
    guided = {"protocol": entry()["protocol"] | {"options": {"guidance": 3.0}}}
    in_w, in_z = (
        {"protocol": entry()["protocol"] | {"space": s, "path": p}} for s, p in (["w", "lerp"], ["z", "slerp"])
    )
    records = [
        entry(**guided, value=2.0),
        entry(**in_w, metric="ppl", value=3.0),
        entry(**in_z, metric="ppl", value=4.0),
    ]
    runs = {"r": folder(tmp_path, "r", entry(value=1.0), *records)}
    variants = (
        Variant("plain", "", ("r",), None),
        Variant("guided", "", ("r",), None, options={"guidance": 3.0}),
        Variant("w", "", ("r",), None, space="w"),
    )
    claims = tuple(Claim("", Measure(metric=m), a, "<", "plain") for m, a in (("fid", "guided"), ("ppl", "w")))
    data = collect(Experiment("e", "", "", "", "", variants, claims), runs).claims
    assert [[m.value for m in d.measurements] for d in data] == [[2.0, 1.0], [3.0, 4.0]]


def test_the_best_snapshot_stands_for_the_run_where_asked(tmp_path):
    snapshots = [
        entry(snapshot=n, value=value, weights_hash=f"{n}") for n, value in ((64, 5.0), (128, 3.0), (256, 4.0))
    ]
    runs = {"r": folder(tmp_path, "r", entry(value=4.5), *snapshots)}
    variants = Variant("best", "", ("r",), None, best_snapshot=True), Variant("last", "", ("r",), None)
    claim = Claim("", Measure(metric="fid"), "best", "<", "last")
    data = collect(Experiment("e", "", "", "", "", variants, (claim,)), runs).claims[0]
    assert [m.value for m in data.measurements] == [3.0, 4.5]


def test_a_scalar_that_was_not_logged_is_named(tmp_path):
    claim = Claim("D's loss rises.", Measure(scalar="loss/D", statistic="rise"), "a", ">", 1.0)
    runs = {name: folder(tmp_path, name, log=log_csv(1, 2, 3)) for name in ("a0", "a1")}
    assert collect(experiment(claim), runs).claims[0].problem == (
        "a0, a1 did not log loss/D, last tenth over first tenth."
    )
    runs["a1"] = folder(tmp_path, "a1", log="nothing to read\n")
    assert "a1" in collect(experiment(claim), runs).claims[0].problem


def of(curves: pd.DataFrame, scalar: str, statistic: str, over: str = "") -> Estimate:
    return measure_curve(curves, Measure(scalar=scalar, statistic=statistic, over=over))


def test_a_growth_within_a_row_of_the_log_counts_once_and_lasts_as_long_as_the_fade():
    """Rows are means over several steps: 14.4 between 8 and 16 is no resolution of its own."""
    resolution = [8.0] * 20 + [14.4] + [16.0] * 39
    alpha = [1.0] * 20 + [0.2] + list(np.linspace(0.04, 1.0, 20)) + [1.0] * 19
    loss = [1.0] * 20 + [9.0] + [2.0] * 19 + [5.0] * 20
    curves = frame({"loss/G": loss, "resolution": resolution, "alpha": alpha}, every=1)
    assert of(curves, "loss/G", "jump_at_growth").value == 1.0


def test_statistics_of_a_curve_with_a_known_shape():
    steps = np.arange(1000)
    resolution = np.repeat([4, 8, 16, 32], 250)
    loss = np.repeat([1.0, 2.0, 3.0, 1.5], 250)  # times 2, 1.5 and 0.5 at the growths
    curves = frame({"loss/G": loss, "resolution": resolution, "ramp": steps / 999}, every=1)
    jump = of(curves, "loss/G", "jump_at_growth")
    assert jump.value == pytest.approx((1 + 0.5 - 0.5) / 3)
    half = stats.t.ppf(0.975, 2) * np.std([1, 0.5, -0.5], ddof=1) / np.sqrt(3)
    assert (jump.low, jump.high) == pytest.approx((jump.value - half, jump.value + half))
    assert of(curves, "loss/G", "maximum").value == 3.0
    assert of(curves, "ramp", "start").value == pytest.approx(0.05, abs=1e-3)
    assert of(curves, "ramp", "end").value == pytest.approx(0.95, abs=1e-3)
    assert of(curves, "ramp", "change").value == pytest.approx(0.9, abs=1e-3)
    assert of(curves, "ramp", "late_rise").value == pytest.approx(0.95 / 0.5, abs=1e-2)
    assert of(curves, "ramp", "end", over="loss/G").value == pytest.approx(0.95 / 1.5, abs=1e-3)
    assert np.isnan(of(curves, "ramp", "end", over="absent").value)
    assert np.isnan(of(curves, "absent", "end").value)
    assert np.isnan(of(curves[curves["tag"] != "resolution"], "loss/G", "jump_at_growth").value)
