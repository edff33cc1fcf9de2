"""BigGAN, Brock et al., arXiv:1809.11096."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from ganlib.models import MODELS
from ganlib.models.biggan import NO_TRUNCATION, THRESHOLDS, orthogonal_penalty, truncate
from ganlib.nn.standing_norm import StandingBatchNorm2d
from ganlib.training.trainer import seeded
from helpers.tiny_models import build, make_trainer, tiny_config

LABELS = torch.arange(6) % 3


def test_the_orthogonal_penalty_is_zero_on_orthogonal_filters_of_any_length():
    weight = nn.init.orthogonal_(torch.empty(4, 3, 3, 3)) * torch.tensor([0.5, 1, 2, 7])[:, None, None, None]
    assert orthogonal_penalty(weight).item() == pytest.approx(0, abs=1e-8)
    assert orthogonal_penalty(torch.ones(2, 3)) == 2 * 9  # two off-diagonal products of 3


def test_truncation_keeps_the_order_of_seeds_and_its_bound():
    z = torch.linspace(-4, 4, 401)[:, None]
    for threshold in (0.3, 1.0, 2.5):
        bent = truncate(z, torch.full((401,), threshold)).squeeze(1)
        assert (bent.diff() > 0).all()
        assert bent.abs().max() <= threshold
        assert bent[200] == pytest.approx(0, abs=1e-6)


def test_the_truncated_latents_are_truncated_normal():
    """Moments of N(0, 1) given |z| <= t: variance 1 - 2 t φ(t) / (2 Φ(t) - 1)."""
    z = torch.randn(200_000, 1, generator=torch.Generator().manual_seed(0))
    for t in (0.5, 1.0, 2.0):
        normal = torch.distributions.Normal(0.0, 1.0)
        density, share = normal.log_prob(torch.tensor(t)).exp(), 2 * normal.cdf(torch.tensor(t)) - 1
        expected = (1 - 2 * t * density / share).item()
        assert truncate(z, torch.full((200_000,), t)).var().item() == pytest.approx(expected, rel=0.01)


def test_truncation_zero_gives_one_image_per_class():
    model = build("biggan")
    images = model.generate(model.latents(range(6)), LABELS, truncation=0.0)
    assert torch.allclose(images[:3], images[3:], atol=1e-6)
    assert not torch.allclose(images[0], images[1], atol=1e-3)


def test_all_levels_share_one_embedding_and_get_their_own_part_of_z():
    model = build("biggan", image_size=32)  # 4 levels
    assert model.latent_shape == (16,)
    assert sum("embed" in name for name, _ in model.G.named_parameters()) == 1
    for block in model.G.blocks:
        assert block.norm1.scale.in_features == model.config.embedding + model.config.z_chunk
    latents = model.latents([1])
    whole = model.generate(latents, LABELS[:1])
    for level in range(4):
        latents.z[:, 4 * level : 4 * level + 4] += 1
        changed = model.generate(latents, LABELS[:1])
        assert not torch.allclose(changed, whole)
        whole = changed


def test_standing_statistics_are_those_of_truncated_latents():
    model = build("biggan")
    norm = model.G.blocks[0].norm1
    for m in model.modules():
        if isinstance(m, StandingBatchNorm2d):
            m.measured.fill_(False)  # as in training, before anything was saved
    before = model.generate(model.latents(range(6)), LABELS)
    model.before_saving(model)
    assert norm.measured
    torch.testing.assert_close(
        model.generate(model.latents(range(6)), LABELS), before
    )  # of the whole normal: as trained
    # At truncation 0 all images of a class are one, so only classes vary in what the second norm sees.
    assert (norm.variances[0] <= norm.variances[-1] + 1e-6).all()
    seen = []
    hook = norm.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    model.generate(model.latents(range(256)), torch.arange(256) % 3, truncation=1.0)
    hook.remove()
    torch.testing.assert_close(norm.means[THRESHOLDS.index(1.0)], seen[0].mean((0, 2, 3)), atol=1e-5, rtol=1e-4)


def test_between_thresholds_statistics_are_interpolated():
    norm = StandingBatchNorm2d(2, 0, (0.0, 1.0, 2.0)).eval()
    norm.means.copy_(torch.tensor([[0.0, 0], [1, 10], [3, 30]]))
    mean, _ = norm.recall(torch.tensor([0.0, 0.5, 1.0, 1.5, 2.0, NO_TRUNCATION]))
    assert mean[:, 0].tolist() == [0, 0.5, 1, 2, 3, 0]
    assert mean[:, 1].tolist() == [0, 5, 10, 20, 30, 0]


def test_a_run_keeps_its_standing_statistics(tmp_path):
    model = seeded(lambda: MODELS["biggan"](tiny_config("biggan")), 0)
    trainer = make_trainer(tmp_path, model, images=8)
    trainer.train()
    weights = load_file(tmp_path / "weights.safetensors")
    assert weights["G.norm.measured"]
    assert weights["G.norm.means"].abs().sum() > 0
