"""Averages, phases, precision."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import pytest
import torch
from torch import nn

from ganlib.devices import available_devices, bf16_helps, is_out_of_memory, pick_device
from ganlib.errors import GanlibError
from ganlib.models import MODELS, Batch
from ganlib.models.dcgan import DCGAN
from ganlib.training import TrainingConfig
from ganlib.training.config import resolve_precision
from ganlib.training.ema import EMA
from ganlib.training.step import select_phases
from helpers.tiny_models import build, make_trainer
from helpers.training_output import changed, copy_state, read_log

pytestmark = pytest.mark.slow


def test_the_average_is_the_lerp_by_half_lives_of_images():
    model = build("dcgan").train()
    ema = EMA(model, half_life=100, ramp=1.0)
    start = copy_state(model.G)
    with torch.no_grad():
        for p in model.G.parameters():
            p.add_(1.0)
    ema.update(batch_size=25, images_seen=10_000)
    share = 1 - 0.5 ** (25 / 100)
    for k, p in ema.model.G.named_parameters():
        torch.testing.assert_close(p, start[k] + share)
    for _ in range(3):
        ema.update(batch_size=25, images_seen=10_000)
    for k, p in ema.model.G.named_parameters():
        torch.testing.assert_close(p, start[k] + 0.5)  # one half-life in all


def test_the_half_life_is_ramped_up_with_the_images_seen():
    for seen, expected in [(0, 1.0), (200, 1 - 0.5 ** (8 / 10)), (10_000, 1 - 0.5 ** (8 / 100))]:
        model = build("dcgan").train()
        ema = EMA(model, half_life=100, ramp=0.05)
        weight = ema.model.G.net[0].weight
        before = weight.clone()
        with torch.no_grad():
            model.G.net[0].weight.add_(1.0)
        ema.update(8, seen)
        torch.testing.assert_close(weight, before + expected)


def test_no_half_life_means_no_averaging():
    model = build("dcgan").train()
    ema = EMA(model, half_life=0, ramp=0.05)
    with torch.no_grad():
        model.G.net[0].weight.add_(1.0)
    ema.update(8, 1000)
    assert torch.equal(ema.model.G.net[0].weight, model.G.net[0].weight)


def test_batch_norms_statistics_are_averaged_and_its_counters_copied():
    model = build("dcgan").train()
    ema = EMA(model, half_life=100, ramp=1.0)
    norm, average = (m.G.net[1] for m in (model, ema.model))
    before = {k: v.clone() for k, v in average.named_buffers()}
    norm.running_mean.add_(2.0)
    norm.running_var.mul_(3.0)
    norm.num_batches_tracked.fill_(77)
    ema.update(batch_size=50, images_seen=10_000)
    share = 1 - 0.5**0.5
    torch.testing.assert_close(average.running_mean, before["running_mean"] + 2 * share)
    torch.testing.assert_close(average.running_var, before["running_var"] * (1 + 2 * share))
    assert average.num_batches_tracked == 77


def test_the_average_leaves_other_modules_and_the_trained_model_alone():
    model = build("sngan").train()
    ema = EMA(model, half_life=100, ramp=1.0)
    average: Any = ema.model
    d, trained = copy_state(average.D), copy_state(model)
    with torch.no_grad():
        for p in model.D.parameters():
            p.add_(1.0)
    ema.update(8, 1000)
    assert changed(average.D, d) == set()
    assert changed(model, trained) == {"D"}


@pytest.mark.parametrize(("name", "every"), [("cdcgan", 1), ("wgan", 3), ("wgan_gp", 3), ("dagan", 3)])
def test_the_average_follows_in_every_step_however_seldom_the_generator_has_one(name, every, tmp_path):
    field = {"cdcgan": {}, "dagan": {"d_steps": every}}.get(name, {"critic_steps": every})
    trainer = make_trainer(tmp_path, build(name, **field), images=32, ema_half_life=40, ema_ramp=0.5)
    assert max(phase.every for phase in trainer.model.phases()) == every
    model: Any = trainer.model
    expected = copy_state(model.G)
    train_on = trainer.train_on

    def train_and_average(batch: Batch) -> None:
        half_life = min(40, 0.5 * trainer.images)
        train_on(batch)
        weight = 1 - 0.5 ** (4 / half_life) if half_life else 1.0
        for k, p in trainer.model.G.named_parameters():
            expected[k] = expected[k] + weight * (p.detach() - expected[k])

    trainer.train_on = train_and_average  # type: ignore[method-assign]
    trainer.train()
    for k, p in trainer.ema.model.G.named_parameters():
        torch.testing.assert_close(p, expected[k])
        assert not torch.equal(p, trainer.model.G.get_parameter(k))


def test_the_half_life_is_in_images_where_the_generator_has_one_step_in_three(tmp_path):
    """Of the average after the first step a half is left 16 images later, and a quarter 32 images later."""
    trainer = make_trainer(tmp_path, build("wgan", critic_steps=3, lr=0.0), ema_half_life=16, ema_ramp=1e9)
    batch = Batch(torch.zeros(4, 1, 16, 16), torch.zeros(4, dtype=torch.int64))
    trainer.train_on(batch)
    trained, average = (m.G.get_parameter("net.0.weight") for m in (trainer.model, trainer.ema.model))
    with torch.no_grad():
        average.fill_(1.0)
        trained.zero_()
    for left in (0.5, 0.25):
        for _ in range(4):
            trainer.train_on(batch)
        torch.testing.assert_close(average, torch.full_like(average, left))


def test_phases_that_train_nothing_averaged_leave_the_average_alone(tmp_path):
    trainer = make_trainer(tmp_path, images=16, phases="D")
    before = copy_state(trainer.ema.model)
    trainer.train()
    assert changed(trainer.ema.model, before) == set()
    assert changed(trainer.model, before) >= {"D"}


@pytest.mark.parametrize(("pattern", "trained"), [("D", {"D"}), ("G*", {"G"}), ("*", {"D", "G"}), ("[DG]", {"D", "G"})])
def test_a_pattern_trains_only_the_phases_it_matches(pattern, trained, tmp_path):
    trainer = make_trainer(tmp_path, images=12, phases=pattern)
    before = {k: p.detach().clone() for k, p in trainer.model.named_parameters()}
    trainer.train()
    moved = {k.partition(".")[0] for k, p in trainer.model.named_parameters() if not torch.equal(p, before[k])}
    assert moved == trained
    losses = {c for c in read_log(trainer.folder.log)[0] if c.startswith("loss/")}
    assert losses == {f"loss/{name}" for name in ("D", "G") if fnmatchcase(name, pattern)}


def test_a_pattern_that_matches_nothing_is_explained(tmp_path):
    with pytest.raises(GanlibError, match=r"No phase matches 'Q\*'; this model has D, G\."):
        make_trainer(tmp_path, phases="Q*")


def test_phases_keep_their_order():
    assert [p.name for p in select_phases(build("sngan"), "*")] == ["D", "G"]


class Resetting(DCGAN):
    """Starts G's optimiser afresh once 8 images have been seen."""

    def on_images(self, images_seen: int) -> tuple[str, ...]:
        return ("G",) if images_seen == 8 else ()


def test_a_model_can_have_an_optimizer_started_afresh(tmp_path):
    trainer = make_trainer(tmp_path, Resetting(Resetting.Config.tiny()), images=20)
    before = dict(trainer.optimizers)
    trainer.train()
    assert trainer.optimizers["D"] is before["D"]
    assert trainer.optimizers["G"] is not before["G"]
    steps = {name: {int(s["step"]) for s in opt.state.values()} for name, opt in trainer.optimizers.items()}
    assert steps == {"D": {5}, "G": {3}}


@pytest.mark.parametrize("name", list(MODELS))
def test_bf16_trains_in_mixed_precision(name, tmp_path):
    runs = []
    for p in ("fp32", "bf16"):  # one after the other, for each starts its random numbers
        runs.append(make_trainer(tmp_path / p, name, images=8, precision=p))
        runs[-1].train()
    full, mixed = (read_log(t.folder.log)[0] for t in runs)
    losses = [tag for tag in full if tag.startswith("loss/")]
    assert losses
    assert [float(mixed[tag]) for tag in losses] == pytest.approx(
        [float(full[tag]) for tag in losses], rel=0.2, abs=1e-3
    )
    differs = any(mixed[tag] != full[tag] for tag in full if tag.startswith("grad/"))
    assert differs == any(phase.autocast for phase in runs[1].model.phases())
    assert all(p.dtype == torch.float32 for p in runs[1].model.parameters())


def test_auto_precision_becomes_what_the_device_does_best():
    cpu = torch.device("cpu")
    assert resolve_precision(TrainingConfig(), cpu).precision == ("bf16" if bf16_helps(cpu) else "fp32")
    assert resolve_precision(TrainingConfig(precision="fp32"), cpu).precision == "fp32"


def test_devices_are_picked_by_name_and_misses_explained():
    assert available_devices()[-1] == "cpu"
    assert str(pick_device("auto")) == available_devices()[0]
    assert pick_device("cpu") == torch.device("cpu")
    with pytest.raises(GanlibError, match=r"This machine has no device 'cuda:99'; choose auto, .*cpu"):
        pick_device("cuda:99")


def test_out_of_memory_is_told_from_other_errors():
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory."))
    assert is_out_of_memory(RuntimeError("MPS backend out of memory (…)"))
    assert not is_out_of_memory(RuntimeError("shapes cannot be multiplied"))


def test_networks_are_compiled_where_asked_and_the_average_is_not(tmp_path, monkeypatch):
    compiled: list[nn.Module] = []
    monkeypatch.setattr(nn.Module, "compile", lambda self: compiled.append(self))
    assert make_trainer(tmp_path / "as it is", images=8).model.training
    assert compiled == []
    trainer = make_trainer(tmp_path / "compiled", images=8, compile=True)
    assert compiled == list(trainer.model.children())
    assert not set(compiled) & set(trainer.ema.model.modules())
