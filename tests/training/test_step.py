"""One optimizer step of one phase, without a trainer."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ganlib.errors import GanlibError
from ganlib.models import Batch, Trainable
from ganlib.training.step import parameters_of, step
from helpers.tiny_models import build
from helpers.training_output import copy_state


@pytest.fixture
def model() -> Trainable:
    return build("cdcgan").train()


@pytest.fixture
def batch() -> Batch:
    return Batch(torch.rand(4, 1, 16, 16) * 2 - 1, torch.tensor([0, 1, 2, 0]))


def test_a_step_changes_the_parameters_of_its_optimizer_alone(model, batch):
    optimizers = model.optimizers()
    for phase in model.phases():
        before = copy_state(model)
        result = step(model, phase, optimizers[phase.optimizer], batch)
        moved = {k.partition(".")[0] for k, p in model.named_parameters() if not torch.equal(p, before[k])}
        assert moved == {phase.name}
        assert result.loss.shape == ()
        assert not result.loss.requires_grad
        assert result.gradient_norm is None


def test_a_step_freezes_what_it_does_not_train(model, batch):
    optimizers = model.optimizers()
    d, _ = model.phases()
    step(model, d, optimizers["D"], batch)
    assert all(p.requires_grad for p in parameters_of(optimizers["D"]))
    assert not any(p.requires_grad for p in parameters_of(optimizers["G"]))


def test_the_gradient_norm_is_over_all_parameters_of_the_optimizer(model, batch):
    optimizer = model.optimizers()["D"]
    result = step(model, model.phases()[0], optimizer, batch, with_gradient_norm=True)
    squares = sum(float(p.grad.square().sum()) for p in parameters_of(optimizer) if p.grad is not None)
    assert result.gradient_norm is not None
    assert float(result.gradient_norm) == pytest.approx(squares**0.5, rel=1e-5)


def test_bf16_computes_the_loss_in_mixed_precision(model, batch):
    dtypes: list[torch.dtype] = []
    model.D.net[0].register_forward_hook(lambda module, inputs, output: dtypes.append(output.dtype))
    phase = model.phases()[0]
    for bf16, autocast, expected in [
        (False, True, torch.float32),
        (True, True, torch.bfloat16),
        (True, False, torch.float32),
    ]:
        step(model, replace(phase, autocast=autocast), model.optimizers()["D"], batch, bf16=bf16)
        assert set(dtypes) == {expected}
        dtypes.clear()


@pytest.mark.parametrize(
    "words",
    [
        "torch.compile with aot_autograd does not currently support double backward",
        "This backward function was compiled with non-empty donated buffers which requires create_graph=False",
    ],
)
def test_second_derivatives_of_compiled_networks_are_one_sentence(words, model, batch):
    def loss(batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        raise RuntimeError(words)

    phase = replace(model.phases()[0], loss=loss)
    with pytest.raises(GanlibError, match=r"phase D has second derivatives, .* train without --compile"):
        step(model, phase, model.optimizers()["D"], batch)
