"""When training goes wrong: losses, states, minutes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ganlib.errors import GanlibError
from ganlib.models.dcgan import DCGAN
from helpers.tiny_models import build, files_of, make_trainer
from helpers.training_output import changed, copy_state


def test_a_loss_that_is_not_finite_stops_training_and_names_phase_and_step(tmp_path):
    model = build("dcgan", lr=1e30)
    trainer = make_trainer(tmp_path, model, images=400)
    with pytest.raises(GanlibError, match=r"The loss of phase [DG] became (inf|-inf|nan) at step 0; training stopped"):
        trainer.train()


def test_the_last_good_state_stays_when_training_diverges(tmp_path):
    good = make_trainer(tmp_path, images=16, state_every=0.0)
    good.train()
    weights, kept = copy_state(good.model), files_of(tmp_path)
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


DAMAGED = [b"", b"not a state", b"PK\x03\x04 cut short", bytes(range(1, 101)), b"\x80\x02}q\x00.", b"\x80\x02j\x01"]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_state_is_refused_in_a_sentence(content, tmp_path):
    make_trainer(tmp_path, images=4).train()
    (tmp_path / "state.pt").write_bytes(content)
    with pytest.raises(GanlibError, match=r"state.pt is damaged, .* go on; start a new one with --like [^\n]*\.$"):
        make_trainer(tmp_path, images=8, resume=True)


def test_a_state_cut_in_half_is_refused_in_a_sentence(tmp_path):
    make_trainer(tmp_path, images=4).train()
    state = tmp_path / "state.pt"
    state.write_bytes(state.read_bytes()[: state.stat().st_size // 2])
    with pytest.raises(GanlibError, match="cannot go on; start"):
        make_trainer(tmp_path, images=8, resume=True)


@pytest.mark.parametrize("content", [{"model": {}}, [1, 2, 3], {"step": 3}])
def test_a_foreign_state_is_refused_in_a_sentence(content, tmp_path):
    make_trainer(tmp_path, images=4).train()
    torch.save(content, tmp_path / "state.pt")
    with pytest.raises(GanlibError, match="cannot go on; start"):
        make_trainer(tmp_path, images=8, resume=True)


def test_a_state_of_another_model_is_refused_in_a_sentence(tmp_path):
    make_trainer(tmp_path, "dcgan", images=4).train()
    with pytest.raises(GanlibError, match="cannot go on; start"):
        make_trainer(tmp_path, "sngan", images=8, resume=True)


def test_a_state_with_code_in_it_is_not_run(tmp_path):
    make_trainer(tmp_path, images=4).train()
    torch.save(build("dcgan"), tmp_path / "state.pt")  # a pickled module would run its class's code
    with pytest.raises(GanlibError, match="cannot go on; start"):
        make_trainer(tmp_path, images=8, resume=True)


def test_a_run_without_a_state_says_how_to_go_on(tmp_path):
    with pytest.raises(GanlibError, match=r"has no state\.pt to resume from; start a new run with --like"):
        make_trainer(tmp_path, resume=True)


def test_a_state_keeps_the_keys_that_earlier_versions_wrote(tmp_path):
    trainer = make_trainer(tmp_path, images=4)
    trainer.train()
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    earlier = {"step", "images", "seconds", "model", "ema", "optimizers", "rng", "cuda_rng"}
    assert set(state) == earlier | {"mps_rng"}
    assert set(state["optimizers"]) == {"D", "G"}
    assert set(trainer.state_dict()) == set(state)
    torch.save({key: state[key] for key in earlier}, tmp_path / "state.pt")
    assert make_trainer(tmp_path, images=8, resume=True).images == 4
