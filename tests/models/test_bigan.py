"""BiGAN, Donahue et al., arXiv:1605.09782."""

from __future__ import annotations

import torch

from ganlib.losses import nonsaturating_d
from ganlib.models import Batch
from helpers.tiny_models import build


def test_d_reacts_to_either_half_of_a_pair():
    model = build("bigan")
    x, z = torch.rand(2, 1, 16, 16) * 2 - 1, torch.randn(2, 8)
    before = model.D(x, z)
    assert not torch.allclose(model.D(x.flip(0), z), before)
    assert not torch.allclose(model.D(x, z.flip(0)), before)
    torch.testing.assert_close(model.D(x.flip(0), z.flip(0)), before.flip(0))


def test_an_image_is_scored_beside_its_own_code():
    model = build("bigan")
    x = torch.rand(2, 1, 16, 16) * 2 - 1
    assert torch.equal(model.score(x), model.D(x, model.encode(x).z))


def test_g_and_e_learn_together_from_exchanged_labels():
    """Section 3.4: their loss is D's with real and generated exchanged."""
    model = build("bigan").requires_grad_(True)
    batch = Batch(torch.rand(4, 1, 16, 16) * 2 - 1, torch.zeros(4, dtype=torch.int64))
    torch.manual_seed(0)
    loss, _ = model.loss_ge(batch)
    torch.manual_seed(0)
    encoded, generated = model.pair_logits(batch)
    torch.testing.assert_close(loss, nonsaturating_d(generated, encoded))
    loss.backward()
    for net in (model.G, model.E):
        assert all(p.grad.abs().sum() > 0 for p in net.parameters())


def test_reconstructions_come_from_the_encoders_latents():
    model = build("bigan")
    x = torch.rand(3, 1, 16, 16) * 2 - 1
    assert torch.equal(model.generate(model.encode(x)), model.G(model.E(x)))
