"""DAGAN, Antoniou et al., arXiv:1711.04340: pairs of one class, and noise that changes the output."""

from __future__ import annotations

import pytest
import torch

from ganlib.errors import GanlibError
from ganlib.models import Batch
from ganlib.models.dagan import both_ways
from helpers.tiny_models import build, make_trainer, tiny_config


def test_a_batch_in_pairs_is_taken_both_ways():
    images = torch.arange(6.0).view(6, 1, 1, 1)
    x, y = (t.flatten().tolist() for t in both_ways(images))
    assert list(zip(x, y, strict=True)) == [(0, 3), (1, 4), (2, 5), (3, 0), (4, 1), (5, 2)]


def test_the_critic_sees_two_images_of_one_class_in_every_pair(tmp_path):
    trainer = make_trainer(tmp_path, "dagan", batch_size=8, microbatches=2)
    stream = trainer.batches()
    for _ in range(5):
        for share in trainer.shares.parts(trainer.model, Batch(*next(stream)), (1, 0)):
            first, second = share.labels.chunk(2)
            assert torch.equal(first, second)


def test_a_batch_that_does_not_divide_into_pairs_is_refused(tmp_path):
    with pytest.raises(GanlibError, match=r"pairs of images, .* a --batch-size that is a multiple of 2, not 5"):
        make_trainer(tmp_path, "dagan", batch_size=5)
    with pytest.raises(GanlibError, match="a multiple of 4, not 6"):
        make_trainer(tmp_path, "dagan", batch_size=6, microbatches=2)


def test_the_losses_of_a_critic_that_is_zero_everywhere():
    """Its gradient has norm 0, so that the penalty is λ."""
    model = build("dagan")
    with torch.no_grad():
        for p in model.D.parameters():
            p.zero_()
    batch = Batch(torch.rand(6, 1, 16, 16) * 2 - 1, torch.tensor([0, 0, 1, 1, 2, 2]))
    assert model.loss_d(batch)[0].item() == pytest.approx(10.0)
    assert model.loss_g(batch)[0].item() == 0


def test_noise_and_image_both_decide():
    model = build("dagan")
    x = torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    first, other = (model.transform(model.degrade(x[:1], torch.Generator().manual_seed(seed))) for seed in (1, 2))
    of_another = model.transform(model.degrade(x[1:], torch.Generator().manual_seed(1)))
    assert not torch.allclose(first, other)
    assert not torch.allclose(first, of_another)


def test_what_cannot_be_is_a_sentence():
    with pytest.raises(GanlibError, match="needs a data set with classes"):
        build("dagan", num_classes=0)
    with pytest.raises(GanlibError, match="z_dim is at most the number of pixels, 256 here, not 257"):
        tiny_config("dagan", z_dim=257)
