"""StyleGAN2, Karras et al., arXiv:1912.04958, and its adaptive augmentation, arXiv:2006.06676."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.nn.functional import conv2d, conv_transpose2d

from ganlib.errors import GanlibError
from ganlib.losses import path_lengths, r1
from ganlib.models import MODELS, Batch
from ganlib.models.stylegan2_ada import ADA_INTERVAL, MEAN_W_SEEDS
from ganlib.nn.modulated import ModulatedConv2d
from ganlib.nn.resample import blur, downsample_2x, upsample_2x
from ganlib.training.trainer import seeded
from helpers.tiny_models import build, make_trainer, tiny_config

LABELS = torch.arange(3)


def fresh(**changes: Any) -> Any:
    return seeded(lambda: MODELS["stylegan2_ada"](tiny_config("stylegan2_ada", **changes)), 0)


def batch(n: int = 4) -> Batch:
    generator = torch.Generator().manual_seed(0)
    return Batch(torch.rand(n, 1, 16, 16, generator=generator) * 2 - 1, torch.arange(n) % 3)


# Modulated convolution.


def modulated_weights(layer: ModulatedConv2d, w: torch.Tensor) -> torch.Tensor:
    """(N, cout, cin, k, k) of equations 1 to 3."""
    before, after = layer.scales(w)
    weights = layer.weight * layer.scale * before[:, None, :, None, None]
    return weights if after is None else weights * after[:, :, None, None, None]


@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize("upsample", [True, False])
def test_scaling_maps_before_and_after_is_scaling_the_weights(demodulate, upsample):
    layer = ModulatedConv2d(5, 6, 3, 4, demodulate=demodulate, upsample=upsample)
    x, w = torch.randn(3, 5, 8, 8), torch.randn(3, 4)
    made = layer(x, w)
    for image, weights, expected in zip(x, modulated_weights(layer, w), made, strict=True):
        if upsample:
            own = 4 * blur(conv_transpose2d(image[None], weights.transpose(0, 1), stride=2), 1)
        else:
            own = conv2d(image[None], weights, padding=1)
        torch.testing.assert_close(own[0], expected, rtol=1e-4, atol=1e-5)
    assert made.shape[2] == (16 if upsample else 8)


def test_demodulated_weights_have_unit_norm():
    layer = ModulatedConv2d(5, 6, 3, 4)
    norms = modulated_weights(layer, torch.randn(3, 4) * 7).flatten(2).norm(dim=2)
    torch.testing.assert_close(norms, torch.ones(3, 6))


def test_modulation_is_scaling_the_input_channels():
    layer = ModulatedConv2d(5, 6, 3, 4, demodulate=False)
    x, w = torch.randn(2, 5, 8, 8), torch.randn(2, 4)
    scaled = x * layer.style(w)[:, :, None, None]
    torch.testing.assert_close(layer(x, w), conv2d(scaled, layer.weight * layer.scale, padding=1))


def test_twice_the_resolution_is_the_convolution_of_the_bilinear_image():
    """Away from the border, where the two see different margins."""
    layer = ModulatedConv2d(3, 4, 3, 4, upsample=True)
    x, w = torch.randn(2, 3, 12, 12), torch.randn(2, 4)
    before, after = layer.scales(w)
    # A transposed convolution correlates with the filter turned round.
    weights = (layer.weight * layer.scale).flip(2, 3)
    expected = conv2d(upsample_2x(x * before[:, :, None, None]), weights, padding=1) * after[:, :, None, None]
    torch.testing.assert_close(layer(x, w)[:, :, 4:-4, 4:-4], expected[:, :, 4:-4, 4:-4], rtol=1e-4, atol=1e-5)


def test_resampling_keeps_a_constant_and_is_the_filter_1331():
    flat = torch.ones(1, 1, 8, 8)
    assert torch.equal(upsample_2x(flat), torch.ones(1, 1, 16, 16))
    torch.testing.assert_close(downsample_2x(flat)[:, :, 1:-1, 1:-1], torch.ones(1, 1, 2, 2))
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    x = torch.randn(1, 1, 10, 10)
    torch.testing.assert_close(blur(x, 0), conv2d(x, taps.outer(taps)[None, None]))


# Regularisation.


def test_r1_of_a_linear_critic_is_its_squared_slope():
    slope = torch.randn(3, 8, 8)
    penalty = r1(lambda x: (x * slope).flatten(1).sum(1), torch.randn(5, 3, 8, 8))
    torch.testing.assert_close(penalty, slope.square().sum())


def test_of_an_orthogonal_map_the_path_is_as_long_as_the_direction():
    """‖Jᵀy‖ = ‖y‖: the length that the penalty would have everywhere (appendix C)."""
    orthogonal, _ = torch.linalg.qr(torch.randn(48, 48))
    styles = torch.randn(6, 1, 48, requires_grad=True)
    torch.manual_seed(3)
    lengths = path_lengths((styles[:, 0] @ orthogonal).view(6, 3, 4, 4), styles)
    torch.manual_seed(3)
    y = torch.randn(6, 3, 4, 4) / 4
    torch.testing.assert_close(lengths, y.flatten(1).norm(dim=1))
    scaled = path_lengths(5 * (styles[:, 0] @ orthogonal).view(6, 3, 4, 4), styles)
    assert scaled.mean() / lengths.mean() == pytest.approx(5, rel=0.2)


@pytest.mark.parametrize(("weight", "every"), [("r1", "r1_every"), ("path", "path_every")])
def test_lazy_and_every_step_regularisation_have_the_same_expected_gradient(weight, every):
    gradients = []
    for steps in (1, 4):
        model = fresh(**{every: steps})
        model.mean_path.fill_(1.0)
        phase = next(p for p in model.phases() if p.name.lower() == weight)
        assert phase.every == steps
        torch.manual_seed(5)
        loss, _ = phase.loss(batch())
        net = model.D if weight == "r1" else model.G
        found = torch.autograd.grad(loss, list(net.parameters()), allow_unused=True)
        gradients.append(torch.cat([g.flatten() for g in found if g is not None]) / phase.every)
    assert gradients[0].norm() > 0
    torch.testing.assert_close(*gradients)


def test_adams_rate_and_memory_are_stretched_by_lazy_penalties():
    c = tiny_config("stylegan2_ada", r1_every=16, path_every=4, lr=0.002, beta2=0.99)
    optimizers = MODELS["stylegan2_ada"](c).optimizers()
    for name, share in [("D", 16 / 17), ("G", 4 / 5)]:
        group = optimizers[name].param_groups[0]
        assert group["lr"] == pytest.approx(0.002 * share)
        assert group["betas"] == pytest.approx((0.0, 0.99**share))


def test_a_penalty_of_no_weight_is_no_phase():
    model = fresh(path_weight=0.0, r1_weight=0.0)
    assert [p.name for p in model.phases()] == ["D", "G"]
    assert model.optimizers()["G"].param_groups[0]["lr"] == model.config.lr


# Adaptive augmentation.


@pytest.mark.parametrize(("sign", "direction"), [(0.9, 1), (0.3, -1)])
def test_p_rises_above_the_target_and_falls_below(sign, direction):
    model = fresh(ada_target=0.6, ada_images=10_000)
    model.p.fill_(0.5)
    model.signs.copy_(torch.tensor([sign * 500, 500]))
    model.on_images(0)
    assert model.p.item() == pytest.approx(0.5 + direction * 500 / 10_000)
    assert model.signs.tolist() == [0, 0]


def test_p_waits_for_enough_images_stays_within_bounds_and_can_be_switched_off():
    model = fresh()
    model.signs.copy_(torch.tensor([ADA_INTERVAL - 1.0, ADA_INTERVAL - 1.0]))
    model.on_images(0)
    assert model.p == 0
    assert model.signs[1] == ADA_INTERVAL - 1
    model.signs.copy_(torch.tensor([-300.0, 300.0]))
    model.on_images(0)
    assert model.p == 0
    off = fresh(ada_target=0.0)
    off.signs.copy_(torch.tensor([300.0, 300.0]))
    off.on_images(0)
    assert off.p == 0


def test_a_start_without_augmentation_leaves_that_of_its_source_behind():
    source, started = fresh(), fresh(ada_target=0.0)
    source.p.fill_(0.6)
    started.load_state_dict(source.state_dict())
    started.on_images(0)
    images = batch().images
    assert torch.equal(started.augment(images), images)


def test_ds_signs_on_real_images_are_counted():
    model = fresh()
    _, logs = model.loss_d(batch())
    total, n = model.signs.tolist()
    assert n == 4
    assert logs["ada/r_t"] == pytest.approx(total / 4)


def test_with_augmentation_under_way_training_resumes_to_the_same_bits(tmp_path):
    settings: dict[str, Any] = {"images": 40, "seed": 2}

    def model() -> Any:
        made = fresh(ada_images=40)
        made.p.fill_(0.5)
        return made

    whole = make_trainer(tmp_path / "whole", model(), **settings)
    whole.train()
    stopped = make_trainer(tmp_path / "parts", model(), **settings)
    stopped.train(should_stop=lambda: stopped.images >= 20)
    resumed = make_trainer(tmp_path / "parts", model(), resume=True, **settings)
    resumed.train()
    for a, b in [(whole.model, resumed.model), (whole.ema.model, resumed.ema.model)]:
        expected, found = a.state_dict(), b.state_dict()
        assert all(torch.equal(expected[key], found[key]) for key in expected)


# Styles.


def test_psi_zero_with_held_noise_is_one_image_per_class():
    model = build("stylegan2_ada")
    for label in range(3):
        labels = torch.full((4,), label)
        made = model.generate(model.latents(range(4)), labels, truncation=0.0, noise="held")
        torch.testing.assert_close(made, made[:1].expand(4, -1, -1, -1))
    ends = model.generate(model.latents([0] * 3), LABELS, truncation=0.0, noise="held")
    assert (ends[0] - ends[1]).abs().max() > 0.01
    free = model.generate(model.latents(range(4)), torch.zeros(4, dtype=torch.int64), truncation=0.0)
    assert (free[0] - free[1]).abs().max() > 1e-4  # the seed's noise is left


def test_truncation_draws_towards_the_mean_style_of_the_class():
    model = build("stylegan2_ada")
    means = torch.stack(
        [model.map(model.latents(range(MEAN_W_SEEDS)), torch.full((MEAN_W_SEEDS,), i), "w").z.mean(0) for i in LABELS]
    )
    torch.testing.assert_close(model.G.mean_styles, means)
    latents = model.latents([5, 6, 7])
    w = model.map(latents, LABELS, "w")
    halfway = replace(w, z=means + 0.5 * (w.z - means))
    torch.testing.assert_close(model.generate(latents, LABELS, truncation=0.5), model.generate(halfway, LABELS))
    with pytest.raises(GanlibError, match="maps no latents from w to 'z'"):
        model.map(w, LABELS, "z")


def test_mixing_at_the_last_layer_changes_less_than_at_the_first():
    model = build("stylegan2_ada")
    latents, labels = model.latents(range(8)), torch.arange(8) % 3
    plain = model.generate(latents, labels, noise="held")
    last = model.config.num_ws - 1
    changes = [
        (model.generate(latents, labels, noise="held", mix_seed=99, mix_layer=layer) - plain).abs().mean().item()
        for layer in (0, last)
    ]
    assert 0 < changes[1] < changes[0]
    other = model.generate(model.latents([99] * 8), labels, noise="held")
    whole = model.generate(latents, labels, noise="held", mix_seed=99, mix_layer=0)
    torch.testing.assert_close(whole, other)


def test_noise_is_the_seeds_and_not_its_latent_again():
    model = build("stylegan2_ada")
    seeds = torch.tensor([3, 4, 2**32 - 1])
    noise = model.layer_noise(seeds)
    assert torch.equal(noise[1], model.layer_noise(seeds[1:2])[0])
    assert not torch.allclose(noise[0, :8], model.latents([3]).z[0])
    assert noise.std().item() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_of_training_images_mixes_two_styles(share):
    model = fresh(mixing=share)
    torch.manual_seed(0)
    _, ws = model.sample_training_images(32, model.class_weights(torch.zeros(32, dtype=torch.int64)))
    mixed = (ws != ws[:, :1]).any(2).any(1).float().mean().item()
    assert mixed == share
    assert torch.equal(ws[:, 0] != ws[:, -1], torch.full((32, 8), bool(share)))


@pytest.mark.parametrize("condition", ["projection", "embedding"])
def test_d_is_told_the_class_either_way(condition):
    model = build("stylegan2_ada", condition=condition)
    logits = model.score(batch(1).images.expand(3, -1, -1, -1), LABELS)
    assert len({round(x, 4) for x in logits.tolist()}) == 3
    expected = 8 + (8 if condition == "embedding" else 0)
    assert model.D.linear.in_features == expected


def test_without_classes_it_is_unconditional():
    model = build("stylegan2_ada", class_conditional=False)
    assert not model.conditional
    assert model.generate(model.latents([0, 1])).shape == (2, 1, 16, 16)
    assert model.G.mean_styles.shape == (1, 8)
