"""A step's batch over processes and micro-batches: the same training, whatever shares it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganlib.data.batches import batches
from ganlib.distributed import World
from ganlib.errors import GanlibError
from ganlib.models import Batch
from ganlib.nn.sync_norm import synchronise_batch_norms
from ganlib.training.shares import Shares, noise_seed
from helpers.processes import in_processes
from helpers.tiny_models import build, make_data, make_trainer

STEPS = 3
MODELS = {
    "wgan_gp": "second derivatives",
    "stylegan2_ada": "ADA's statistics and path lengths",
    "vqvae": "codes by moving averages",
    "glow": "parameters that follow from the first batch",
    "sagan": "spectral and batch norm",
    "cyclegan": "a pool of earlier images",
    "bagan": "moments of codes",
    "dagan": "pairs of images",
    "ddpm": "noise alone",
}


def train(folder: Path, name: str, world: World | None = None, **settings: Any) -> dict[str, Tensor]:
    """The model's tensors after some steps of 8 images, and what they logged."""
    trainer = make_trainer(folder, name, world=world, batch_size=8, **settings)
    stream = trainer.batches()
    for _ in range(STEPS):
        trainer.train_on(Batch(*next(stream)))
    return {name: t.clone() for name, t in trainer.model.state_dict().items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_two_processes_train_what_two_micro_batches_train(name, tmp_path):
    alone = train(tmp_path / "alone", name, microbatches=2)
    first, second = in_processes(2, lambda world: train(tmp_path / str(world.rank), name, world))
    torch.testing.assert_close(second, first, rtol=0, atol=0)
    torch.testing.assert_close(first, alone, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_four_shares_are_the_same_in_four_processes_and_in_two_of_two_micro_batches(tmp_path):
    alone = train(tmp_path / "alone", "wgan_gp", microbatches=4)
    for size in (2, 4):
        parts = 4 // size
        states = in_processes(
            size, partial(lambda n, world: train(tmp_path / str(world.rank), "wgan_gp", world, microbatches=n), parts)
        )
        for state in states:
            torch.testing.assert_close(state, alone, rtol=1e-5, atol=1e-6)


def test_shares_have_noise_of_their_own_and_one_alone_has_the_generators():
    assert (
        len({noise_seed(0, step, phase, share) for step in range(3) for phase in range(3) for share in range(3)}) == 27
    )
    model, batch = build("ddpm"), Batch(torch.zeros(2, 1, 1, 1), torch.zeros(2))
    before = torch.get_rng_state()
    assert list(Shares().parts(model, batch, (1, 0))) == [batch]
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("size", [9, 4])
def test_a_batch_that_does_not_divide_is_refused(size):
    Shares(World(0, 2), 2).check(8)
    with pytest.raises(GanlibError, match=f"batch of {size} images does not divide into 4 equal shares of at least"):
        Shares(World(0, 2), 2).check(size)


def test_batches_dealt_out_are_those_of_one_process():
    split = make_data(n=13).train

    def first(rank: int = 0, world_size: int = 1) -> tuple[Tensor, Tensor]:
        stream = batches(split, 6, seed=3, start=2, flip=True, rank=rank, world_size=world_size)
        return next(stream)

    images, labels = first()
    for rank in range(3):
        dealt = first(rank, 3)
        assert torch.equal(dealt[0], images[rank::3])
        assert torch.equal(dealt[1], labels[rank::3])


def test_counts_add_up_where_other_statistics_are_averaged(tmp_path):
    trainer = make_trainer(tmp_path, "stylegan2_ada", batch_size=8, microbatches=2)
    trainer.train_on(Batch(*next(trainer.batches())))
    assert float(trainer.model.get_buffer("signs")[1]) == 8  # images that D has seen


def test_a_codebook_of_micro_batches_is_that_of_the_whole_batch(tmp_path):
    """Where no code starts anew the training has no noise, so that all tensors agree."""
    states = []
    for n in (1, 2, 4):
        trainer = make_trainer(tmp_path / str(n), "vqvae", batch_size=8, microbatches=n)
        book: Any = trainer.model.get_submodule("autoencoder.codebook")
        book.counts.fill_(10)
        book.sums.copy_(10 * book.vectors)
        stream = trainer.batches()
        for _ in range(STEPS):
            trainer.train_on(Batch(*next(stream)))
        assert bool((book.counts > 1).all())
        states.append({name: t.clone() for name, t in trainer.model.state_dict().items()})
    torch.testing.assert_close(states[1], states[0], rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(states[2], states[0], rtol=1e-3, atol=1e-4)


def test_codes_that_start_anew_become_vectors_of_the_first_share(tmp_path):
    """Not means of those of several, of which the encoder gives none."""
    trainer = make_trainer(tmp_path, "vqvae", batch_size=8, microbatches=2)
    batch = Batch(*next(trainer.batches()))
    with torch.no_grad():
        given = trainer.model.get_submodule("autoencoder.encoder")(batch.images[::2]).permute(0, 2, 3, 1).flatten(0, 2)
    trainer.train_on(batch)
    vectors = trainer.model.get_buffer("autoencoder.codebook.vectors")
    assert (vectors[:, None] - given).abs().amax(2).amin(1).max() < 1e-5


class Normalising(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear, self.norm1 = nn.Linear(3, 4), nn.BatchNorm1d(4)
        self.conv, self.norm2 = nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm2(self.conv(self.norm1(self.linear(x))[:, None, None, :])).tanh()


def test_synchronised_batch_norm_is_batch_norm_of_all_images():
    """Output, statistics, first and second derivatives."""
    torch.manual_seed(0)
    model, x = Normalising().double(), torch.randn(8, 3, dtype=torch.float64)

    def compute(world: World) -> tuple[list[Tensor], list[Tensor]]:
        assert synchronise_batch_norms(model, world) == 2
        part = x[world.rank :: world.size].clone().requires_grad_()
        y = model(part)
        (slope,) = torch.autograd.grad(y.square().sum(), part, create_graph=True)
        (slope.square().sum() + y.sum()).backward()
        gradients = [p.grad.clone() for p in model.parameters() if p.grad is not None]
        for gradient in gradients:
            world.add_up(gradient)
        return [y.detach(), slope.detach()], [*gradients, *model.buffers()]

    shared = in_processes(2, compute)
    (outputs, others) = compute(World())
    for rank, (part, rest) in enumerate(shared):
        torch.testing.assert_close(part, [t[rank::2] for t in outputs], rtol=1e-7, atol=1e-9)
        torch.testing.assert_close(rest, others, rtol=1e-7, atol=1e-9)
