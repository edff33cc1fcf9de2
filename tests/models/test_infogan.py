"""InfoGAN, Chen et al., arXiv:1606.03657."""

from __future__ import annotations

from math import log

import pytest
import torch
from torch.distributions import Normal
from torch.nn.functional import one_hot

from ganlib.models.infogan import Codes, Posterior, information_bound
from helpers.tiny_models import build

JOINT = torch.tensor([[6, 1, 1], [2, 4, 2], [0, 3, 5]]).double()  # counts of (x, c)


def draws() -> tuple[torch.Tensor, torch.Tensor]:
    """Pairs x, c distributed exactly as the joint."""
    x, c = torch.meshgrid(torch.arange(3), torch.arange(3), indexing="ij")
    counts = JOINT.long().flatten()
    return x.flatten().repeat_interleave(counts), c.flatten().repeat_interleave(counts)


def entropy(p: torch.Tensor) -> float:
    return -torch.xlogy(p, p).sum().item()


def bound(logits: torch.Tensor) -> float:
    """L_I of a Q that answers an x with these logits."""
    x, c = draws()
    none = torch.zeros(len(x), 0, dtype=torch.float64)
    categorical, _ = Posterior([logits[x]], none, none).log_likelihood(Codes([one_hot(c, 3).double()], none))
    return information_bound(categorical, entropy(JOINT.sum(0) / JOINT.sum())).item()


def test_the_bound_reaches_the_mutual_information_at_the_true_posterior_and_stays_below_elsewhere():
    p = JOINT / JOINT.sum()
    mutual = entropy(p.sum(0)) + entropy(p.sum(1)) - entropy(p)
    posterior = (JOINT / JOINT.sum(1, keepdim=True)).clamp_min(1e-12).log()
    assert bound(posterior) == pytest.approx(mutual, abs=1e-9)
    generator = torch.Generator().manual_seed(0)
    for scale in (0.01, 0.3, 3.0):
        for _ in range(20):
            noise = torch.randn(3, 3, generator=generator, dtype=torch.float64)
            assert bound(posterior + scale * noise) < mutual


def test_the_continuous_likelihood_is_that_of_a_factored_gaussian():
    mean, log_variance, c = torch.randn(3, 5, 2).double().unbind(0)
    expected = Normal(mean, (log_variance / 2).exp()).log_prob(c).sum(1)
    _, continuous = Posterior([], mean, log_variance).log_likelihood(Codes([], c))
    torch.testing.assert_close(continuous, expected)


def test_q_that_knows_nothing_gains_no_information():
    zeros = torch.zeros(4, 0)
    categorical, _ = Posterior([torch.zeros(4, 7)], zeros, zeros).log_likelihood(Codes([torch.eye(7)[:4]], zeros))
    assert information_bound(categorical, log(7)).item() == pytest.approx(0, abs=1e-6)


def test_the_codes_of_seeds_are_uniform():
    model = build("infogan")
    codes = model.codes(model.latents(range(6000)))
    shares = codes.categorical[0].mean(0)
    assert shares.sum() == pytest.approx(1)
    assert (shares - 1 / 3).abs().max() < 0.025  # four standard errors
    assert codes.continuous.abs().max() <= 1
    assert codes.continuous.mean(0).abs().max() < 0.03
    assert (codes.continuous.var(0) - 1 / 3).abs().max() < 0.02


def test_a_chosen_code_replaces_the_seeds_and_nothing_else():
    model = build("infogan")
    latents = model.latents(range(9))
    own, chosen = model.codes(latents), model.codes(latents, c1=2, c3=-0.5)
    assert chosen.categorical[0].argmax(1).tolist() == [2] * 9
    assert torch.equal(chosen.continuous[:, 0], own.continuous[:, 0])
    assert torch.equal(chosen.continuous[:, 1], torch.full((9,), -0.5))
    same = own.categorical[0].argmax(1) == 2
    images = model.generate(latents)
    torch.testing.assert_close(model.generate(latents, c1=2)[same], images[same])
    assert 0 < same.sum() < 9


def test_options_follow_the_codes_of_the_config():
    model = build("infogan", categories=(3, 5), continuous=1)
    knobs = {o.name: o for o in model.options[1:]}
    assert list(knobs) == ["c1", "c2", "c3"]
    assert (knobs["c2"].kind, knobs["c2"].max, knobs["c3"].kind) == ("int", 4, "float")
    assert all(o.default is None and o.parse("from seed") is None for o in knobs.values())
    with pytest.raises(TypeError, match="unexpected option 'c4'"):
        model.generate(model.latents([0]), c4=1)


def test_q_shares_ds_convolutions_and_has_its_own_output():
    model = build("infogan", categories=(3, 5))
    images = torch.rand(4, 1, 16, 16) * 2 - 1
    inferred = model.infer_codes(images)
    assert [p.shape for p in inferred] == [(4, 3), (4, 5)]
    assert all(p.sum(1).allclose(torch.ones(4)) for p in inferred)
    before = model.score(images)
    model.D.trunk[0].weight.mul_(2)
    assert not torch.equal(model.score(images), before)
    assert not torch.equal(model.infer_codes(images)[0], inferred[0])
