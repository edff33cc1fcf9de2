"""The log of a training, its snapshots and pictures."""

from __future__ import annotations

from math import isfinite
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from ganlib.errors import GanlibError
from ganlib.training import Progress, TrainingConfig
from ganlib.training.log import ScalarLog
from ganlib.training.snapshots import next_snapshot
from helpers.tiny_models import files_of, make_trainer
from helpers.training_output import COLUMNS, GANS, read_log


@pytest.mark.parametrize("name", GANS)
def test_the_log_has_the_promised_columns(name, tmp_path):
    trainer = make_trainer(tmp_path, name, images=24, log_every=2)
    trainer.train()
    log = read_log(trainer.folder.log)
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
        return [float(r["loss/D"]) for r in read_log(trainer.folder.log)]

    one, two = losses(1), losses(2)
    assert two == pytest.approx([(one[0] + one[1]) / 2, (one[2] + one[3]) / 2], rel=1e-4)


def test_a_gradient_norm_is_that_of_all_parameters_of_the_phase(tmp_path):
    trainer = make_trainer(tmp_path, images=4)
    trainer.train()
    (row,) = read_log(trainer.folder.log)
    model: Any = trainer.model
    squares = sum(float(p.grad.square().sum()) for p in model.G.parameters())
    assert float(row["grad/G"]) == pytest.approx(squares**0.5, rel=1e-4)


def test_progress_is_reported_with_each_row(tmp_path):
    seen: list[Progress] = []
    make_trainer(tmp_path, images=16, log_every=2).train(seen.append)
    assert [(p.step, p.images, p.fraction) for p in seen] == [(2, 8, 0.5), (4, 16, 1.0)]
    assert all(p.images_per_second > 0 and p.scalars["loss/D"] > 0 for p in seen)
    assert 0 < seen[0].seconds < seen[1].seconds


def test_the_log_drops_rows_after_the_point_of_resuming_and_rows_cut_short(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("step,images,wall_time,loss/D\n2,8,1.0,0.5\n4,16,2.0,0.4\n6,24,3.0,0.3\n8,32")
    ScalarLog(path, resume_at=4)
    assert path.read_text() == "step,images,wall_time,loss/D\n2,8,1.0,0.5\n4,16,2.0,0.4\n"


DAMAGED = {
    "text": b"Epoch 1 of 3\nloss 0.5\n",
    "binary": b"\x89PNG\r\n\x1a\n\0\0\xff\xfe",
    "zeros": bytes(200),
    "no step": b"images,wall_time,loss/D\n8,1.0,0.5\n",
    "two steps": b"step,step,loss/D\n2,2,0.5\n",
    "long row": b"step,images,wall_time,loss/D\n2,8,1.0,0.5,7\n4,16,2.0,0.4\n",
    "short row": b"step,images,wall_time,loss/D\n2,8\n4,16,2.0,0.4\n",
    "step of letters": b"step,images,wall_time,loss/D\nx,8,1.0,0.5\n",
    "huge step": b"step,images,wall_time,loss/D\n" + b"9" * 5000 + b",8,1.0,0.5\n",
    "open quote": b'step,images,wall_time,loss/D\n2,8,1.0,"0.5\n',
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_log_is_not_continued_and_stays_as_it_is(kind, tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(DAMAGED[kind])
    with pytest.raises(GanlibError, match=r"log.csv cannot be continued \(.*\); repair it, or move it away") as raised:
        ScalarLog(path, resume_at=4)
    assert "\n" not in str(raised.value)
    assert path.read_bytes() == DAMAGED[kind]


def test_resuming_over_a_damaged_log_is_a_sentence_and_changes_nothing(tmp_path):
    make_trainer(tmp_path, images=8).train()
    (tmp_path / "log.csv").write_bytes(DAMAGED["text"])
    before = files_of(tmp_path)
    with pytest.raises(GanlibError, match="cannot be continued"):
        make_trainer(tmp_path, images=12, resume=True)
    assert files_of(tmp_path) == before


def test_an_empty_log_and_a_value_cut_short_are_begun_anew(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(b"")
    ScalarLog(path).append(1, 4, {"a": 0.123})
    path.write_bytes(path.read_bytes()[:-3])  # "0.1": a kill within the value
    assert ScalarLog(path, resume_at=9).columns == ["step", "images", "wall_time", "a"]
    assert read_log(path) == []


def test_a_column_that_comes_later_leaves_earlier_rows_empty(tmp_path):
    log = ScalarLog(tmp_path / "log.csv")
    log.append(1, 4, {"a": 1.0})
    log.append(2, 8, {"a": 2.0, "b": 3.0})
    log.append(3, 12, {"b": 4.0})
    assert [(r["a"], r["b"]) for r in read_log(log.path)] == [("1", ""), ("2", "3"), ("", "4")]


def test_a_lost_log_does_not_stop_resuming(tmp_path):
    trainer = make_trainer(tmp_path, images=8)
    trainer.train()
    trainer.folder.log.unlink()
    resumed = make_trainer(tmp_path, images=12, resume=True)
    resumed.train()
    assert [r["step"] for r in read_log(resumed.folder.log)] == ["3"]


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
    besides = TrainingConfig(snapshot_first=1000, snapshot_growth=1.5, snapshot_at=(1200, 400, 1500))
    assert [next_snapshot(n, besides) for n in (0, 400, 1000, 1200, 1500)] == [400, 1000, 1200, 1500, 2250]


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
    assert set(read_log(trainer.folder.log)[0]) >= {"loss/classify", "accuracy", "grad/classify"}
