"""DAGAN, Antoniou et al., arXiv:1711.04340: pairs of one class, and noise that changes the output."""

from __future__ import annotations

import pytest
import torch

from ganlib.errors import GanlibError
from ganlib.models import Batch
from ganlib.models.dagan import pairs_of_a_class
from helpers.tiny_models import build, tiny_config


def numbered(labels: list[int]) -> Batch:
    """Images whose one pixel is their number."""
    n = len(labels)
    return Batch(torch.arange(n, dtype=torch.float32).view(n, 1, 1, 1), torch.tensor(labels))


def test_pairs_are_two_images_of_one_class():
    labels = [0, 1, 0, 2, 1, 0, -1, -1]
    seen = set()
    for seed in range(30):
        torch.manual_seed(seed)
        x, y = (images.flatten().int().tolist() for images in pairs_of_a_class(numbered(labels)))
        assert sorted(x) == sorted(y) == [0, 1, 2, 4, 5]  # 3 is alone in its class, 6 and 7 have none
        assert all(a != b and labels[a] == labels[b] for a, b in zip(x, y, strict=True))
        seen |= set(zip(x, y, strict=True))
    assert {(0, 2), (2, 0), (0, 5), (5, 0), (2, 5), (5, 2), (1, 4), (4, 1)} == seen


def test_a_batch_without_pairs_pairs_each_image_with_itself():
    x, y = pairs_of_a_class(numbered([0, 1, 2]))
    assert torch.equal(x, y)
    assert len(x) == 3


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
