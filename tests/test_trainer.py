"""The one trainer: its log, snapshots, averages, phases, and what it does when training goes wrong."""

from __future__ import annotations

import csv
from dataclasses import replace
from fnmatch import fnmatchcase
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from ganlib.data.batches import spread
from ganlib.devices import available_devices, bf16_helps, is_out_of_memory, pick_device
from ganlib.errors import GanlibError
from ganlib.models import MODELS, Latents
from ganlib.models.cdcgan import CDCGAN
from ganlib.models.dcgan import DCGAN
from ganlib.training import Progress, TrainingConfig
from ganlib.training.ema import EMA
from ganlib.training.log import ScalarLog
from ganlib.training.pictures import save_reconstructions
from ganlib.training.trainer import next_snapshot, resolve_precision, select_phases
from tiny import build, files_of, make_data, make_trainer

GANS = ["dcgan", "cdcgan", "sngan"]
COLUMNS = {"loss/D", "loss/G", "D/real", "D/fake", "grad/D", "grad/G", "images/s"}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as f:
        return list(csv.DictReader(f))


def copied(model: nn.Module) -> dict[str, Tensor]:
    return {k: v.clone() for k, v in model.state_dict().items()}


def changed(model: nn.Module, before: dict[str, Tensor]) -> set[str]:
    """Names of the child modules in which anything differs."""
    return {k.partition(".")[0] for k, v in model.state_dict().items() if not torch.equal(v, before[k])}


# Log.


@pytest.mark.parametrize("name", GANS)
def test_the_log_has_the_promised_columns(name, tmp_path):
    trainer = make_trainer(tmp_path, name, images=24, log_every=2)
    trainer.train()
    log = rows(trainer.folder.log)
    assert list(log[0])[:3] == ["step", "images", "wall_time"]
    assert set(log[0]) >= COLUMNS
    assert [(r["step"], r["images"]) for r in log] == [("2", "8"), ("4", "16"), ("6", "24")]
    for row in log:
        assert all(isfinite(float(row[c])) for c in COLUMNS)
        assert float(row["grad/D"]) > 0
        assert float(row["images/s"]) > 0


def test_a_row_holds_the_mean_of_its_steps(tmp_path):
    def losses(log_every: int) -> list[float]:
        trainer = make_trainer(tmp_path / str(log_every), images=16, log_every=log_every)
        trainer.train()
        return [float(r["loss/D"]) for r in rows(trainer.folder.log)]

    one, two = losses(1), losses(2)
    assert two == pytest.approx([(one[0] + one[1]) / 2, (one[2] + one[3]) / 2], rel=1e-4)


def test_a_gradient_norm_is_that_of_all_parameters_of_the_phase(tmp_path):
    trainer = make_trainer(tmp_path, images=4)
    trainer.train()
    (row,) = rows(trainer.folder.log)
    squares = sum(float(p.grad.square().sum()) for p in trainer.model.G.parameters())
    assert float(row["grad/G"]) == pytest.approx(squares**0.5, rel=1e-4)


def test_progress_is_reported_with_each_row(tmp_path):
    seen: list[Progress] = []
    make_trainer(tmp_path, images=16, log_every=2).train(seen.append)
    assert [(p.step, p.images, p.share) for p in seen] == [(2, 8, 0.5), (4, 16, 1.0)]
    assert all(p.images_per_second > 0 and p.scalars["loss/D"] > 0 for p in seen)
    assert 0 < seen[0].seconds < seen[1].seconds


def test_the_log_drops_rows_after_the_point_of_resuming_and_rows_cut_short(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("step,images,wall_time,loss/D\n2,8,1.0,0.5\n4,16,2.0,0.4\n6,24,3.0,0.3\n8,32")
    ScalarLog(path, resume_at=4)
    assert path.read_text() == "step,images,wall_time,loss/D\n2,8,1.0,0.5\n4,16,2.0,0.4\n"


def test_a_column_that_comes_later_leaves_earlier_rows_empty(tmp_path):
    log = ScalarLog(tmp_path / "log.csv")
    log.append(1, 4, {"a": 1.0})
    log.append(2, 8, {"a": 2.0, "b": 3.0})
    log.append(3, 12, {"b": 4.0})
    assert [(r["a"], r["b"]) for r in rows(log.path)] == [("1", ""), ("2", "3"), ("", "4")]


def test_a_lost_log_does_not_stop_resuming(tmp_path):
    trainer = make_trainer(tmp_path, images=8)
    trainer.train()
    trainer.folder.log.unlink()
    resumed = make_trainer(tmp_path, images=12, resume=True)
    resumed.train()
    assert [r["step"] for r in rows(resumed.folder.log)] == ["3"]


# Snapshots and pictures.


def test_snapshots_come_at_growing_intervals_from_the_start(tmp_path):
    trainer = make_trainer(tmp_path, images=80, snapshot_first=8, snapshot_growth=2.0, log_every=100)
    trainer.train()
    assert trainer.folder.snapshot_images() == [0, 8, 16, 32, 64, 80]
    assert trainer.folder.sample_images() == [0, 8, 16, 32, 64, 80]


def test_the_schedule_of_snapshots_is_geometric_and_always_ahead():
    config = TrainingConfig(snapshot_first=1000, snapshot_growth=1.5)
    points, at = [], 0
    for _ in range(5):
        at = next_snapshot(at, config)
        points.append(at)
    assert points == [1000, 1500, 2250, 3375, 5062]
    assert next_snapshot(1499, config) == 1500


@pytest.mark.parametrize(("name", "size"), [("dcgan", (8 * 18 - 2, 6 * 18 - 2)), ("cdcgan", (8 * 18 - 2, 3 * 18 - 2))])
def test_pictures_show_the_same_seeds_and_classes_each_time(name, size, tmp_path):
    trainer = make_trainer(tmp_path, name, images=8, snapshot_first=4)
    trainer.train()
    for images in trainer.folder.sample_images():
        with Image.open(trainer.folder.samples / f"{images}.webp") as picture:
            assert picture.format == "WEBP"
            assert picture.size == size


def test_a_snapshot_holds_the_averaged_modules_alone(tmp_path):
    trainer = make_trainer(tmp_path, images=8)
    trainer.train()
    tensors = load_file(trainer.folder.snapshots / "8.safetensors")
    assert {k.partition(".")[0] for k in tensors} == {"G"}
    average = trainer.ema.model.state_dict()
    assert all(torch.equal(v, average[k]) for k, v in tensors.items())


def test_weights_are_the_average_of_g_and_the_last_of_d(tmp_path):
    trainer = make_trainer(tmp_path, images=16, ema_ramp=10.0)
    trainer.train()
    tensors = load_file(trainer.folder.weights)
    average, last = trainer.ema.model.state_dict(), trainer.model.state_dict()
    assert all(torch.equal(v, (average if k.startswith("G.") else last)[k]) for k, v in tensors.items())
    assert any(not torch.equal(v, last[k]) for k, v in tensors.items() if k.startswith("G."))


def test_a_model_that_generates_nothing_has_weights_but_no_pictures(tmp_path):
    trainer = make_trainer(tmp_path, "classifier", images=16)
    trainer.train()
    assert trainer.folder.weights.exists()
    assert not trainer.folder.samples.exists()
    assert not trainer.folder.snapshots.exists()
    assert set(rows(trainer.folder.log)[0]) >= {"loss/classify", "accuracy", "grad/classify"}


# Reconstructions.


class Echo(DCGAN):
    """Encodes an image as itself and makes of that its negative."""

    def encode(self, images: Tensor) -> Latents:
        return Latents(images, torch.zeros(len(images), dtype=torch.int64))

    def generate(self, latents: Latents, labels: Tensor | None = None, **options: Any) -> Tensor:
        return -latents.z if latents.z.ndim == 4 else super().generate(latents, labels, **options)


class ClassEcho(CDCGAN):
    """Makes grey images whose level is their class, whatever they are encoded as."""

    def encode(self, images: Tensor) -> Latents:
        return Latents(images, torch.zeros(len(images), dtype=torch.int64))

    def generate(self, latents: Latents, labels: Tensor | None = None, **options: Any) -> Tensor:
        if latents.z.ndim != 4:
            return super().generate(latents, labels, **options)
        return torch.ones_like(latents.z) * (self.class_weights(labels).argmax(1) / 2 - 0.5)[:, None, None, None]


def halves(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """A picture of pairs -> the images and what stands below them, (rows, columns, H, W) each."""
    with Image.open(path) as picture:
        assert picture.format == "WEBP"
        pixels = np.asarray(picture.convert("L")).astype(int)
    padded = np.pad(pixels, ((0, 2), (0, 2)))
    cells = padded.reshape(padded.shape[0] // 18, 18, padded.shape[1] // 18, 18).transpose(0, 2, 1, 3)[:, :, :16, :16]
    return cells[::2], cells[1::2]


def test_images_are_taken_in_turn_from_each_class():
    labels = np.array([2, 2, 0, 2, 1, 0, 0])
    assert spread(labels, 7).tolist() == [2, 4, 0, 5, 1, 6, 3]
    assert spread(labels, 4).tolist() == [2, 4, 0, 5]
    assert spread(np.full(5, -1), 3).tolist() == [0, 1, 2]
    assert spread(labels[:0], 3).tolist() == []


def test_every_snapshot_of_what_encodes_has_reconstructions_of_the_same_test_images(tmp_path):
    trainer = make_trainer(tmp_path, Echo(Echo.Config.tiny()), images=8, snapshot_first=4)
    trainer.train()
    assert trainer.folder.reconstruction_images() == trainer.folder.sample_images() == [0, 4, 8]
    contents = {p.read_bytes() for p in trainer.folder.reconstructions.iterdir()}
    assert len(contents) == 1  # nothing learnt has a part in them
    above, below = halves(trainer.folder.reconstructions / "8.webp")
    assert above.shape == (1, 6, 16, 16)  # the small test split has six
    noise = trainer.data.test.images[..., 0].astype(int)
    assert np.abs(above[0] - noise).mean() < 8  # WebP is lossy
    assert np.abs(below[0] - (255 - noise)).mean() < 8


def test_sixteen_test_images_stand_eight_a_row_above_their_reconstructions(tmp_path):
    test = make_data(n=48, classes=10).train
    save_reconstructions(Echo(Echo.Config.tiny()), test, tmp_path / "a.webp")
    above, below = halves(tmp_path / "a.webp")
    assert above.shape == (2, 8, 16, 16)
    expected = test.images[spread(test.labels, 16), ..., 0].reshape(2, 8, 16, 16).astype(int)
    assert np.abs(above - expected).mean() < 8
    assert np.abs(below - (255 - expected)).mean() < 8
    short = replace(test, images=test.images[:11], labels=test.labels[:11])
    save_reconstructions(Echo(Echo.Config.tiny()), short, tmp_path / "b.webp")
    above, below = halves(tmp_path / "b.webp")
    assert above.shape == (2, 8, 16, 16)
    assert min(above[1, 3:].min(), below[1, 3:].min()) > 240


def test_a_conditional_model_is_told_each_images_class(tmp_path):
    model = ClassEcho(ClassEcho.Config.tiny())
    test = make_data().train
    labels = np.where(np.arange(len(test)) < 4, -1, test.labels)  # unlabelled images are passed over
    save_reconstructions(model, replace(test, labels=labels), tmp_path / "a.webp")
    _, below = halves(tmp_path / "a.webp")
    levels = [64, 128, 191, *[64, 128, 191] * 4, 64]
    assert np.abs(below.mean((2, 3)).ravel() - levels).max() < 6
    save_reconstructions(model, replace(test, labels=np.full(len(test), -1)), tmp_path / "none.webp")
    assert not (tmp_path / "none.webp").exists()


@pytest.mark.parametrize("name", [name for name in MODELS if hasattr(MODELS[name], "encode")])
def test_reconstructions_use_no_global_generator(name, tmp_path):
    state = torch.get_rng_state()
    save_reconstructions(build(name), make_data().test, tmp_path / "a.webp")
    assert (tmp_path / "a.webp").exists()
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("name", [name for name in MODELS if hasattr(MODELS[name], "encode")])
def test_a_resumed_run_has_the_reconstructions_of_an_undisturbed_one(name, tmp_path):
    make_trainer(tmp_path / "whole", name, images=24, snapshot_first=8).train()
    make_trainer(tmp_path / "parts", name, images=12, snapshot_first=8).train()
    make_trainer(tmp_path / "parts", name, images=24, snapshot_first=8, resume=True).train()
    whole, parts = (files_of(tmp_path / part) for part in ("whole", "parts"))
    kept = [k for k in whole if k.startswith(("reconstructions/", "snapshots/"))]
    assert [k for k in kept if k.startswith("reconstructions/")]
    assert [k for k in kept if parts[k] != whole[k]] == []


@pytest.mark.parametrize("name", ["dcgan", "classifier"])
def test_what_cannot_encode_has_no_reconstructions(name, tmp_path):
    trainer = make_trainer(tmp_path, name, images=4)
    trainer.train()
    assert not trainer.folder.reconstructions.exists()
    assert trainer.folder.reconstruction_images() == []


# Averages.


def test_the_average_is_the_lerp_by_half_lives_of_images():
    model = build("dcgan").train()
    ema = EMA(model, half_life=100, ramp=1.0)
    start = copied(model.G)
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
    d, trained = copied(ema.model.D), copied(model)
    with torch.no_grad():
        for p in model.D.parameters():
            p.add_(1.0)
    ema.update(8, 1000)
    assert changed(ema.model.D, d) == set()
    assert changed(model, trained) == {"D"}


def test_the_average_follows_once_per_step_of_the_generator(tmp_path):
    trainer = make_trainer(tmp_path, images=24, ema_half_life=40, ema_ramp=0.5)
    expected = copied(trainer.model.G)
    original = trainer.run_phase

    def watched(phase: Any, batch: Any) -> None:
        original(phase, batch)
        if phase.name == "G":
            half_life = min(40, 0.5 * trainer.images)
            share = 1 - 0.5 ** (4 / half_life) if half_life else 1.0
            for k, p in trainer.model.G.named_parameters():
                expected[k] = expected[k] + share * (p.detach() - expected[k])

    trainer.run_phase = watched
    trainer.train()
    for k, p in trainer.ema.model.G.named_parameters():
        torch.testing.assert_close(p, expected[k])
        assert not torch.equal(p, trainer.model.G.get_parameter(k))


def test_phases_that_train_nothing_averaged_leave_the_average_alone(tmp_path):
    trainer = make_trainer(tmp_path, images=16, phases="D")
    before = copied(trainer.ema.model)
    trainer.train()
    assert changed(trainer.ema.model, before) == set()
    assert changed(trainer.model, before) >= {"D"}


# Phases.


@pytest.mark.parametrize(("pattern", "trained"), [("D", {"D"}), ("G*", {"G"}), ("*", {"D", "G"}), ("[DG]", {"D", "G"})])
def test_a_pattern_trains_only_the_phases_it_matches(pattern, trained, tmp_path):
    trainer = make_trainer(tmp_path, images=12, phases=pattern)
    before = {k: p.detach().clone() for k, p in trainer.model.named_parameters()}
    trainer.train()
    moved = {k.partition(".")[0] for k, p in trainer.model.named_parameters() if not torch.equal(p, before[k])}
    assert moved == trained
    losses = {c for c in rows(trainer.folder.log)[0] if c.startswith("loss/")}
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


# Precision and devices.


@pytest.mark.parametrize("name", list(MODELS))
def test_bf16_trains_in_mixed_precision(name, tmp_path):
    runs = []
    for p in ("fp32", "bf16"):  # one after the other, for each starts its random numbers
        runs.append(make_trainer(tmp_path / p, name, images=8, precision=p))
        runs[-1].train()
    full, mixed = (rows(t.folder.log)[0] for t in runs)
    losses = [tag for tag in full if tag.startswith("loss/")]
    assert losses
    assert [float(mixed[tag]) for tag in losses] == pytest.approx(
        [float(full[tag]) for tag in losses], rel=0.2, abs=1e-3
    )
    assert any(mixed[tag] != full[tag] for tag in full if tag.startswith("grad/"))
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


# When training goes wrong.


def test_a_loss_that_is_not_finite_stops_training_and_names_phase_and_step(tmp_path):
    model = build("dcgan", lr=1e30)
    trainer = make_trainer(tmp_path, model, images=400)
    with pytest.raises(GanlibError, match=r"The loss of phase [DG] became (inf|-inf|nan) at step 0; training stopped"):
        trainer.train()


def test_the_last_good_state_stays_when_training_diverges(tmp_path):
    good = make_trainer(tmp_path, images=16, state_every=0.0)
    good.train()
    weights, kept = copied(good.model), files_of(tmp_path)
    diverging = make_trainer(tmp_path, images=400, state_every=0.0, resume=True)
    for optimizer in diverging.optimizers.values():
        optimizer.param_groups[0]["lr"] = 1e30
    with pytest.raises(GanlibError, match=r"at step [45]; training stopped and the last good state is kept in"):
        diverging.train()
    now = files_of(tmp_path)
    assert {k for k in kept if now[k] != kept[k]} <= {"log.csv"}
    again = make_trainer(tmp_path, images=24, resume=True)
    assert again.step == 4
    assert changed(again.model, weights) == set()
    again.train()
    assert again.images == 24


class Poisoned(DCGAN):
    """After 8 images G's loss is finite but its gradient is not: the root of 0."""

    def loss_g(self, batch: Any) -> tuple[Tensor, dict[str, Tensor]]:
        loss, logs = super().loss_g(batch)
        return (loss + (loss - loss).sqrt() if self.seen == 8 else loss), logs

    def on_images(self, images_seen: int) -> tuple[str, ...]:
        self.seen = images_seen
        return ()


def test_weights_that_are_not_finite_are_never_saved_as_a_good_state(tmp_path):
    trainer = make_trainer(tmp_path, Poisoned(Poisoned.Config.tiny()), images=400, state_every=0.0)
    with pytest.raises(GanlibError, match="The norm of the weights of phase G became nan by step 2"):
        trainer.train()
    resumed = make_trainer(tmp_path, Poisoned(Poisoned.Config.tiny()), images=400, resume=True)
    assert resumed.step == 2
    assert all(p.isfinite().all() for p in resumed.model.parameters())


def test_a_run_stopped_before_its_first_save_can_be_resumed(tmp_path):
    make_trainer(tmp_path, images=400, state_every=1e6).train(should_stop=lambda: True)
    resumed = make_trainer(tmp_path, images=8, resume=True)
    assert resumed.step == 0
    resumed.train()
    assert resumed.images == 8


def test_the_state_of_step_0_is_there_before_the_first_step(tmp_path):
    trainer = make_trainer(tmp_path, images=400, state_every=1e6)
    present: list[bool] = []

    def stop() -> bool:
        present.append(trainer.folder.state.exists())
        return True

    trainer.train(should_stop=stop)
    assert present == [True]


def test_training_stops_when_its_minutes_are_spent(tmp_path):
    trainer = make_trainer(tmp_path, images=0, max_minutes=0.005)
    trainer.train()
    assert trainer.finished
    assert 0.3 <= trainer.seconds < 10
    assert trainer.images > 0


@pytest.mark.parametrize("content", [b"", b"not a state", b"PK\x03\x04 cut short"])
def test_a_damaged_state_is_refused_in_a_sentence(content, tmp_path):
    make_trainer(tmp_path, images=4).train()
    (tmp_path / "state.pt").write_bytes(content)
    with pytest.raises(GanlibError, match=r"state.pt cannot be resumed \(.*\); start a new run with --like"):
        make_trainer(tmp_path, images=8, resume=True)


def test_a_state_cut_in_half_is_refused_in_a_sentence(tmp_path):
    make_trainer(tmp_path, images=4).train()
    state = tmp_path / "state.pt"
    state.write_bytes(state.read_bytes()[: state.stat().st_size // 2])
    with pytest.raises(GanlibError, match="cannot be resumed"):
        make_trainer(tmp_path, images=8, resume=True)


@pytest.mark.parametrize("content", [{"model": {}}, [1, 2, 3], {"step": 3}])
def test_a_foreign_state_is_refused_in_a_sentence(content, tmp_path):
    make_trainer(tmp_path, images=4).train()
    torch.save(content, tmp_path / "state.pt")
    with pytest.raises(GanlibError, match="cannot be resumed"):
        make_trainer(tmp_path, images=8, resume=True)


def test_a_state_of_another_model_is_refused_in_a_sentence(tmp_path):
    make_trainer(tmp_path, "dcgan", images=4).train()
    with pytest.raises(GanlibError, match="cannot be resumed"):
        make_trainer(tmp_path, "sngan", images=8, resume=True)


def test_a_state_with_code_in_it_is_not_run(tmp_path):
    make_trainer(tmp_path, images=4).train()
    torch.save(build("dcgan"), tmp_path / "state.pt")  # a pickled module would run its class's code
    with pytest.raises(GanlibError, match="cannot be resumed"):
        make_trainer(tmp_path, images=8, resume=True)


def test_a_run_without_a_state_says_how_to_go_on(tmp_path):
    with pytest.raises(GanlibError, match=r"has no state\.pt to resume from; start a new run with --like"):
        make_trainer(tmp_path, resume=True)
