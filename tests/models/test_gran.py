"""GRAN, Im et al., arXiv:1602.05110."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from helpers.tiny_models import build


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_the_canvas_before_the_squashing_is_the_sum_of_its_steps(steps):
    model = build("gran", steps=steps)
    latents = model.latents([1, 2, 3])
    changes = list(model.G.canvas_updates(latents.z))
    stages = list(model.trace(latents))
    assert len(changes) == len(stages) == model.stages() == steps
    for t, stage in enumerate(stages, start=1):
        torch.testing.assert_close(stage, sum(changes[:t]).tanh())


def test_a_step_depends_on_its_own_and_earlier_noise_only():
    model = build("gran", steps=3)
    latents = model.latents([1])
    z = latents.z.clone()
    z[:, 1] += 1
    before = list(model.G.canvas_updates(latents.z))
    after = list(model.G.canvas_updates(z))
    assert torch.equal(before[0], after[0])
    assert not torch.equal(before[1], after[1])
    assert not torch.equal(before[2], after[2])  # through what g saw of the second change


def test_gradients_flow_through_all_steps():
    model = build("gran", steps=3)
    latents = model.latents([1, 2])
    z = latents.z.requires_grad_()
    list(model.G.canvas_updates(replace(latents, z=z).z))[-1].sum().backward()
    assert (z.grad.abs().amax(dim=(0, 2)) > 0).all()


def test_each_step_has_statistics_of_its_own():
    model = build("gran", steps=2)
    norm = model.G.f.layers[1]
    assert len(norm.norms) == 2
    assert not torch.equal(norm.norms[0].running_mean, norm.norms[1].running_mean)


def test_the_noise_layer_bounds_what_enters_and_adds_one_layer():
    plain, squashed = build("gran"), build("gran", noise_layer=True)
    assert set(squashed.state_dict()) - set(plain.state_dict()) == {"G.noise.0.weight", "G.noise.0.bias"}
    z = 100 * squashed.latents([0, 1]).z
    layer = squashed.G.noise[0]
    torch.testing.assert_close(squashed.G.noise(z), torch.tanh(z @ layer.weight.T + layer.bias))
    assert squashed.G.noise(z).abs().max() <= 1
