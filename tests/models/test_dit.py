"""DiT, Peebles & Xie, arXiv:2212.09748."""

from __future__ import annotations

import pytest
import torch

from ganlib.errors import GanlibError
from ganlib.models import MODELS, Batch
from ganlib.nn.transformer import Block, grid_positions
from ganlib.training.trainer import seeded
from helpers.tiny_models import build, tiny_config


def test_blocks_start_as_the_identity_and_the_network_predicts_nothing():
    model = seeded(lambda: MODELS["dit"](tiny_config("dit")), 0)
    h, condition = torch.randn(2, 16, 8), torch.randn(2, 8)
    for block in model.transformer.blocks:
        assert torch.equal(block(h, condition), h)
    assert (model.network(torch.randn(2, 1, 16, 16), torch.tensor([0.1, 0.9]), None) == 0).all()
    torch.manual_seed(0)
    batch = Batch(torch.rand(512, 1, 16, 16) - 0.5, torch.arange(512) % 3)
    alpha = model.alphas_cumprod[1:].mean().item()
    expected = alpha + (1 - alpha) * batch.images.square().mean().item()  # E[v²], as of DDPM
    assert model.loss(batch)[0].item() == pytest.approx(expected, rel=0.05)


def test_attention_has_no_order_but_that_of_the_positions():
    torch.manual_seed(0)
    block = Block(8, 2)
    torch.nn.init.normal_(block.modulation.weight)
    h, condition, order = torch.randn(2, 9, 8), torch.randn(2, 8), torch.randperm(9)
    torch.testing.assert_close(block(h, condition)[:, order], block(h[:, order], condition), atol=1e-4, rtol=1e-4)
    positions = grid_positions(4, 8)
    assert positions.shape == (16, 8)
    assert torch.cdist(positions, positions).fill_diagonal_(9).min() > 0.1
    assert torch.equal(positions[0:4, :4], positions[0:1, :4].expand(4, -1))  # one row


def test_a_causal_block_sees_nothing_after_a_position():
    torch.manual_seed(0)
    block = Block(8, 2, causal=True)
    torch.nn.init.normal_(block.modulation.weight)
    h = torch.randn(1, 6, 8, requires_grad=True)
    block(h, torch.randn(1, 8))[0, 2].sum().backward()
    assert (h.grad[0, :3].abs().sum(1) > 0).all()
    assert (h.grad[0, 3:] == 0).all()


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(GanlibError, match="Patches of 3 pixels do not divide images of 16"):
        build("dit", patch=3)
    with pytest.raises(GanlibError, match="width must be a multiple of 4 and of the 3 heads, not 8"):
        build("dit", heads=3)
