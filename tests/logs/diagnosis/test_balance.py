"""Which network wins, and whether a gradient is left: curves on both sides of each threshold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ganlib.logs import read
from ganlib.logs.diagnosis.balance import discriminator_learns_nothing
from ganlib.logs.diagnosis.curves import split_runs
from ganlib.logs.diagnosis.objectives import find_objective
from ganlib.settings import GALLERY
from helpers.synthetic_curves import GUESSING, HEALTHY, NOISE, N, find_finding, frame, phases, rule_names

# Discriminator wins


@pytest.mark.parametrize(
    ("loss", "below", "above"), [("non-saturating", 0.018, 0.022), ("hinge", 0.0009, 0.0011), ("lsgan", 0.009, 0.011)]
)
def test_the_discriminator_has_won_where_its_loss_is_near_zero(loss: str, below: float, above: float) -> None:
    assert rule_names(frame({"loss/D": below, "loss/G": 0.5}), loss) == ["discriminator_wins"]
    assert rule_names(frame({"loss/D": above, "loss/G": 0.5}), loss) == []


@pytest.mark.parametrize(
    ("loss", "d", "g", "passes"),
    [("non-saturating", 0.1, 5.2, 4.8), (None, 0.1, 5.2, 4.8), ("lsgan", 0.025, 0.84, 0.78), (None, 0.008, 0.42, 0.38)],
)
def test_the_discriminator_wins_where_hardly_any_image_passes(
    loss: str | None, d: float, g: float, passes: float
) -> None:
    assert rule_names(frame({"loss/D": d, "loss/G": g}), loss) == ["discriminator_wins"]
    assert rule_names(frame({"loss/D": d, "loss/G": passes}), loss) == []
    assert rule_names(frame({"loss/D": 2 * d, "loss/G": g}), loss) == []


@pytest.mark.parametrize("loss", ["non-saturating", None])
def test_smoothed_labels_keep_ds_loss_up_where_it_wins(loss: str | None) -> None:
    d, g = phases((1.2, 0.5), (0.4, 0.5)), phases((1.0, 0.5), (7.5, 0.5))
    assert rule_names(frame({"loss/D": d, "loss/G": g}), loss) == ["discriminator_wins"]
    assert rule_names(frame({"loss/D": 0.4, "loss/G": 7.5}), loss) == []  # G's has more terms from the start
    assert rule_names(frame({"loss/D": 0.328, "loss/G": 5.5}), loss) == ["discriminator_wins"]  # at the floor for 0.9
    assert rule_names(frame({"loss/D": 0.345, "loss/G": 5.5}), loss) == []


def test_a_loss_that_fell_far_while_the_other_rose_is_a_win_for_any_loss() -> None:
    d, g = phases((0.2, 0.5), (0.02, 0.5)), phases((0.5, 0.5), (0.95, 0.5))
    finding = find_finding(frame({"loss/D": d, "loss/G": g}), "discriminator_wins")
    assert "after 0.2 at most; G's loss is 0.95, after 0.49 at least" in finding.evidence
    assert rule_names(frame({"loss/D": d, "loss/G": 0.95})) == []


@pytest.mark.parametrize("pattern", ["{}_A", "loss/{}/A", "{}_A_loss"])
def test_each_domain_of_a_cyclegan_has_its_own_pair(pattern: str) -> None:
    d_tag, g_tag = pattern.format("D"), pattern.format("G")
    curves = {d_tag: 0.002, g_tag: 0.99}
    curves |= {d_tag.replace("A", "B"): 0.2, g_tag.replace("A", "B"): 0.4}
    for loss in (None, "lsgan"):
        assert find_finding(frame(curves), "discriminator_wins", loss).tag == d_tag


@pytest.mark.parametrize(("real", "fake", "g"), [("d1", "d2", "g"), ("loss/D/real", "loss/D/fake", "loss/G")])
def test_halves_without_their_sum_are_added(real: str, fake: str, g: str) -> None:
    assert rule_names(frame({real: 0.005, fake: 0.005, g: 6.0})) == ["discriminator_wins"]
    assert rule_names(frame({real: 0.1, fake: 0.1, g: 6.0})) == []


def test_pictures_that_get_better_are_no_defeat() -> None:
    losses = {"loss/D": phases((0.5, 0.3), (0.008, 0.7)), "loss/G": 0.5}
    assert rule_names(frame(losses)) == ["discriminator_wins"]
    for fid, expected in (
        (np.linspace(90, 10, 20), []),
        (np.full(20, 60.0) + np.arange(20) % 2, ["discriminator_wins"]),
    ):
        data = pd.concat([frame(losses), frame({"fid": fid}, every=260)])
        assert [name for name in rule_names(data) if name != "plateau"] == expected


@pytest.mark.parametrize(("passing", "expected"), [(0.04, ["discriminator_wins"]), (0.06, [])])
def test_outputs_tell_whether_images_pass(passing: float, expected: list[str]) -> None:
    losses = {"loss/D": 0.1, "loss/G": 5.5, "D/real": 0.97}
    assert rule_names(frame({**losses, "D/fake": passing})) == expected


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_a_discriminator_that_hardly_errs_wins_where_gs_loss_has_risen(scale: float) -> None:
    curves = {"loss/D": phases((0.7, 0.3), (0.2, 0.7)), "loss/G": phases((1.0, 0.3), (4.0, 0.7))}
    accuracy = phases((0.7, 0.3), (0.98, 0.7)).clip(0, 1) * scale
    assert rule_names(frame({**curves, "D/accuracy": accuracy})) == ["discriminator_wins"]
    assert rule_names(frame({**curves, "D/accuracy": 0.9 * accuracy})) == []


@pytest.mark.parametrize(("fraction", "expected"), [(0.12, ["discriminator_wins"]), (0.06, [])])
def test_a_state_counts_from_a_tenth_of_the_run_on(fraction: float, expected: list[str]) -> None:
    d = phases((0.9, 0.5), (0.005, fraction), (0.9, 0.5 - fraction))
    assert rule_names(frame({"loss/D": d, "loss/G": 3.0}), "vanilla") == expected


@pytest.mark.parametrize(("fraction", "expected"), [(0.06, ["discriminator_wins"]), (0.03, [])])
def test_a_win_that_lasts_to_the_end_may_have_just_begun(fraction: float, expected: list[str]) -> None:
    d = phases((0.9, 1 - fraction), (0.005, fraction))
    assert rule_names(frame({"loss/D": d, "loss/G": 3.0}), "vanilla") == expected


def test_the_interval_is_where_it_happens_and_lasting_is_graver() -> None:
    temporary = frame({"loss/D": phases((0.9, 0.2), (0.005, 0.4), (0.9, 0.4)), "loss/G": 3.0})
    finding = find_finding(temporary, "discriminator_wins", "non-saturating")
    assert (finding.severity, finding.tag, finding.run) == ("warning", "loss/D", "a")
    assert abs(finding.start - 1000) <= 100
    assert abs(finding.end - 3000) <= 100
    lasting = frame({"loss/D": phases((0.9, 0.6), (0.005, 0.4)), "loss/G": 3.0})
    finding = find_finding(lasting, "discriminator_wins", "non-saturating")
    assert finding.severity == "critical"
    assert finding.end == 4990


@pytest.mark.parametrize("loss", ["wasserstein", "non-saturating + information", "squared error + KL"])
def test_a_low_loss_says_nothing_where_it_has_no_floor(loss: str) -> None:
    assert "discriminator_wins" not in rule_names(frame({"loss/D": 0.001, "loss/G": 8.0}), loss)


def test_of_an_unknown_loss_both_networks_must_say_so() -> None:
    assert rule_names(frame({"loss/D": 0.01, "loss/G": 8.0})) == ["discriminator_wins"]
    assert rule_names(frame({"loss/D": 0.01, "loss/G": 3.0})) == []
    assert rule_names(frame({"loss/D": phases((-0.5, 0.1), (0.01, 0.9)), "loss/G": 8.0})) == []  # perhaps a critic


def test_levels_of_a_pyramid_are_judged_one_by_one() -> None:
    data = frame({"loss/D/8": 1.38, "loss/G/8": 0.7, "loss/D/16": 0.005, "loss/G/16": 6.0})
    assert find_finding(data, "discriminator_wins", "non-saturating").tag == "loss/D/16"


def test_halves_of_the_loss_are_no_duel() -> None:
    data = frame({"loss/D": 1.0, "loss/D/real": 0.001, "loss/D/fake": 0.999, "loss/G": 1.5})
    assert rule_names(data, "non-saturating") == []


# Discriminator learns nothing


def outputs(gap: object, loss_d: float = 0.204, **others: object) -> pd.DataFrame:
    """D answers 0.45 to real images, midway between 0 and a smoothed 0.9, and ``gap`` less to generated ones."""
    real = 0.45 + 0.005 * NOISE
    return frame({"loss/D": loss_d, "loss/G": 0.15, "D/real": real, "D/fake": real - gap, **others})


@pytest.mark.parametrize("loss", ["least squares", None])
@pytest.mark.parametrize(
    ("gap", "expected"),
    [
        (0.002, True),  # as of three PGGANs at 64 pixels
        (0.05, False),  # the least of the gallery, as a logit
        (phases((0.15, 0.02), (0.002, 0.98)), True),  # the start tells random weights from pictures
        (phases((0.3, 0.4), (0.002, 0.6)), False),  # an equilibrium, late
        (phases((0.002, 0.4), (0.3, 0.6)), False),  # it began to learn
    ],
)
def test_a_discriminator_that_tells_nothing_apart_from_the_start_learns_nothing(
    gap: object, expected: bool, loss: str | None
) -> None:
    assert ("discriminator_learns_nothing" in rule_names(outputs(gap), loss)) == expected


def test_neither_a_critic_nor_a_judge_of_codes_has_to_tell_apart() -> None:
    rule = "discriminator_learns_nothing"
    assert rule in rule_names(outputs(0.002))
    assert rule not in rule_names(outputs(0.002), "wasserstein")
    assert rule not in rule_names(outputs(0.002, loss_d=-0.01))
    assert rule not in rule_names(outputs(0.002, **{"loss/reconstruction": 0.1}))


def test_every_discriminator_of_the_gallery_learns_something() -> None:
    runs = {path: run for path in sorted(GALLERY.glob("*/log.csv")) for run in split_runs(read(path))}
    with_outputs = {path: run for path, run in runs.items() if "D/real" in run.curves}
    assert len(with_outputs) > 50
    for path, run in with_outputs.items():
        assert not list(discriminator_learns_nothing(run, find_objective(None))), path


# Discriminator overfits


@pytest.mark.parametrize(("level", "expected"), [(0.83, ["discriminator_overfits"]), (0.77, [])])
def test_the_discriminator_overfits_where_it_is_sure_of_nearly_all_it_was_shown(
    level: float, expected: list[str]
) -> None:
    data = frame({**HEALTHY["non-saturating"], "ada/r_t": phases((0.5, 0.6), (level, 0.4))})
    assert rule_names(data, "non-saturating + R1") == rule_names(data) == expected
    if expected:
        cured = frame({**HEALTHY["non-saturating"], "ada/r_t": phases((level, 0.4), (0.6, 0.6))})
        assert rule_names(cured) == []
        finding = find_finding(data, "discriminator_overfits")
        assert (finding.severity, finding.tag, finding.end) == ("warning", "ada/r_t", 4990)
        assert abs(finding.start - 3000) <= 100


# Generator wins


@pytest.mark.parametrize(("d", "g"), [(1.55 * GUESSING, 0.1), (1.45 * GUESSING, 0.1), (1.55 * GUESSING, 0.12)])
def test_the_generator_has_won_where_its_images_pass_and_d_is_worse_than_guessing(d: float, g: float) -> None:
    wins = d > 1.5 * GUESSING and g < 0.105
    assert ("generator_wins" in rule_names(frame({"loss/D": d, "loss/G": g}), "non-saturating")) == wins


@pytest.mark.parametrize("loss", ["wasserstein", "non-saturating + class", "non-saturating + feature matching", None])
def test_the_generator_is_no_winner_where_its_loss_has_more_in_it(loss: str | None) -> None:
    assert "generator_wins" not in rule_names(frame({"loss/D": 4.0, "loss/G": 0.01}), loss)


# Vanished gradient


@pytest.mark.parametrize(("rest", "expected"), [(0.0008, ["vanished_gradient"]), (0.0012, [])])
def test_the_gradient_has_vanished_at_a_thousandth(rest: float, expected: list[str]) -> None:
    data = frame({**HEALTHY["wasserstein"], "grad/D": 1.0, "grad/G": phases((1.0, 0.5), (rest, 0.5))})
    assert rule_names(data, "wasserstein") == expected


def test_a_discriminators_small_gradient_is_none_of_the_generators() -> None:
    data = frame({**HEALTHY["non-saturating"], "grad/D": phases((1.0, 0.5), (1e-6, 0.5))})
    assert rule_names(data, "non-saturating") == []


@pytest.mark.parametrize(("g", "expected"), [(-0.008, ["vanished_gradient"]), (-0.012, [])])
def test_a_minimax_loss_near_zero_is_flat(g: float, expected: list[str]) -> None:
    assert rule_names(frame({"loss/D": 0.3, "loss/G": g}), "minimax") == expected
    assert rule_names(frame({"loss/D": 0.3, "loss/G": -g}), "non-saturating") == []


@pytest.mark.parametrize("loss", ["non-saturating", "wasserstein", None])
def test_losses_that_stand_still_have_no_gradient(loss: str | None) -> None:
    still = np.where(np.arange(N) < 300, 0.9 + 0.01 * NOISE, 1.1)
    data = frame({"loss/D": still, "loss/G": still + 1})
    finding = find_finding(data, "vanished_gradient", loss)
    assert finding.severity == "critical"
    assert abs(finding.start - 3000) <= 100
    moving = frame({"loss/D": still, "loss/G": 2.0})
    assert rule_names(moving, loss) == []


@pytest.mark.parametrize("rows", [2, 10])
def test_means_of_epochs_on_every_row_do_not_stand_still(rows: int) -> None:
    epochs = np.repeat(np.linspace(1.3, 1.06, N // rows), rows)
    assert rule_names(frame({"loss/D": epochs, "loss/G": epochs - 0.4})) == []
    frozen = np.where(np.arange(N) < 300, epochs, 1.5)
    assert rule_names(frame({"loss/D": frozen, "loss/G": frozen - 0.4})) == ["vanished_gradient"]


@pytest.mark.parametrize(("first", "d", "expected"), [(1.07, 0.51, ["discriminator_wins"]), (0.7, 0.5, [])])
def test_d_has_halved_by_the_sum_or_the_mean_of_its_halves(first: float, d: float, expected: list[str]) -> None:
    """1.07 and 0.51 as in sravanth-space/ds_project; the others of a D of Keras that is half wrong on images."""
    losses = {"loss/D": phases((first, 0.02), (1.3, 0.58), (d, 0.4)), "loss/G": phases((0.9, 0.6), (6.3, 0.4))}
    assert [name for name in rule_names(frame(losses), "bce") if name == "discriminator_wins"] == expected


def test_gs_loss_rises_from_its_lowest_not_from_its_start() -> None:
    d, g = phases((1.2, 0.6), (0.5, 0.4)), phases((4.4, 0.3), (1.3, 0.3), (8.9, 0.4))
    assert rule_names(frame({"loss/D": d, "loss/G": g})) == ["discriminator_wins"]


def test_hinge_near_zero_is_a_win_where_a_metric_gets_worse() -> None:
    """StudioGAN's LOGAN on Tiny ImageNet: FID 84 to 306 while D's loss falls to 0.003."""
    losses = {"loss/D": phases((0.9, 0.8), (0.003, 0.2)), "loss/G": 1.5}
    for fid, expected in (
        (np.linspace(90, 84, 20), False),
        (np.r_[np.linspace(90, 84, 14), [103] * 3, [306] * 3], True),
    ):
        data = pd.concat([frame(losses), frame({"fid": fid}, every=260)])
        assert ("discriminator_wins" in rule_names(data, "hinge")) == expected


@pytest.mark.parametrize(("d", "expected"), [(1e-6, ["discriminator_wins"]), (2e-3, [])])
def test_d_alone_tells_where_its_loss_is_zero_to_the_last_digit(d: float, expected: list[str]) -> None:
    """Tejas-Nanaware/GAN-Anime-Characters logs G's loss under no known name: D's is 0.255, then 0.000001."""
    assert rule_names(frame({"loss/D": phases((0.255, 0.1), (d, 0.9))})) == expected
