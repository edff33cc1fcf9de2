"""SAGAN, Zhang et al., arXiv:1805.08318, and its attention inside DCGAN's networks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from ganlib.errors import GanlibError
from ganlib.losses import gradient_penalty, nonsaturating_d, wasserstein_d
from ganlib.models import MODELS, Batch
from ganlib.models.abilities import Attends
from ganlib.nn.attention import SelfAttention2d
from ganlib.training.scalars import ScalarMeans
from ganlib.training.step import step
from ganlib.training.trainer import seeded
from helpers.tiny_models import build, make_trainer, tiny_config

DCGAN: dict[str, Any] = {"backbone": "dcgan", "class_conditional": False, "loss": "non-saturating"}
BACKBONES = pytest.mark.parametrize("changes", [{}, DCGAN], ids=["residual", "dcgan"])


def weighted(net: nn.Module) -> list[nn.Module]:
    return [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear))]


@BACKBONES
def test_attention_begins_as_the_identity_and_grows_from_there(changes):
    config = tiny_config("sagan", **changes)
    model = seeded(lambda: MODELS["sagan"](config), 0).eval()
    labels = torch.arange(3) if model.conditional else None
    layers = [m for m in model.modules() if isinstance(m, SelfAttention2d)]
    assert len(layers) == 2
    with torch.no_grad():
        before = model.generate(model.latents(range(3)), labels)
        for layer in layers:
            assert layer.gamma == 0
            layer.gamma.fill_(1.0)
        assert not torch.allclose(model.generate(model.latents(range(3)), labels), before)


@pytest.mark.parametrize(("size", "attention"), [(16, 8), (32, 8), (32, 16), (64, 32)])
@BACKBONES
def test_maps_of_the_configured_size_are_attended(changes, size, attention):
    config = tiny_config("sagan", image_size=size, attention=attention, **changes)
    model = seeded(lambda: MODELS["sagan"](config), 0).eval()
    sizes = []
    for layer in model.modules():
        if isinstance(layer, SelfAttention2d):
            layer.register_forward_hook(lambda module, inputs, output: sizes.append(output.shape[2]))
    labels = torch.arange(2) if model.conditional else None
    model.score(model.generate(model.latents([0, 1]), labels), labels)
    assert sizes == [attention, attention]


@pytest.mark.parametrize("name", ["sagan", "biggan"])
def test_a_recipe_of_one_resolution_is_a_list_of_one_and_none_is_zero(name):
    one, two, none = (tiny_config(name, image_size=32, attention=value) for value in (8, [16, 8], 0))
    assert (one.attention, two.attention, none.attention) == ((8,), (8, 16), ())
    assert type(one).from_dict(one.to_dict()) == one


@pytest.mark.parametrize("changes", [{}, DCGAN, {"full_width_value": True}], ids=["residual", "dcgan", "full-width"])
def test_several_resolutions_are_attended_in_both_networks_and_keep_the_names_of_one(changes):
    one, two = (build("sagan", image_size=32, attention=sizes, **changes) for sizes in ([8], [8, 16]))
    for net in (two.G, two.D):
        assert sorted(layer.size for layer in net.modules() if isinstance(layer, SelfAttention2d)) == [8, 16]
    if "backbone" not in changes:
        assert set(one.state_dict()) < set(two.state_dict())
    assert {tag for tag in two.loss_g(noise(32))[1]} == {"G/gamma/8", "G/gamma/16"}


def test_the_logged_gamma_is_the_mean_of_those_that_the_steps_had():
    model, means, used = build("sagan", image_size=32, attention=[8]).train(), ScalarMeans(), []
    optimizer, phase = model.optimizers()["G"], model.phases()[1]
    (layer,) = (m for m in model.G.modules() if isinstance(m, SelfAttention2d))
    for number in range(3):
        used.append(layer.gamma.item())
        means.add("G", number, step(model, phase, optimizer, noise(32)))
    assert len(set(used)) == 3
    assert means.pop_means()["G/gamma/8"] == pytest.approx(sum(used) / 3)


def test_a_full_width_value_has_all_channels_and_nothing_behind_it():
    narrow, full = SelfAttention2d(16), SelfAttention2d(16, full_width=True)
    assert [layer.h.weight.shape[0] for layer in (narrow, full)] == [2, 16]
    x = torch.randn(2, 16, 3, 3, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        full.gamma.fill_(2.0)
        values = full.h(x).flatten(2)
        expected = x + 2 * torch.einsum("nji,nci->ncj", full.weights(x), values).unflatten(2, (3, 3))
        torch.testing.assert_close(full(x), expected)


@pytest.mark.parametrize("name", ["sagan", "biggan"])
def test_attention_maps_say_where_each_position_looked(name):
    model = build(name)
    assert isinstance(model, Attends) is True
    labels = torch.arange(3)
    maps = model.attention_maps(model.latents(range(3)), labels)
    assert {size: tuple(weights.shape) for size, weights in maps.items()} == {8: (3, 64, 64)}
    torch.testing.assert_close(maps[8].sum(2), torch.ones(3, 64))
    alone = model.attention_maps(model.latents([1]), labels[1:2])[8]
    torch.testing.assert_close(alone[0], maps[8][1], atol=1e-5, rtol=1e-4)
    assert build(name, attention=0).attention_maps(model.latents([0]), labels[:1]) == {}


def noise(size: int = 16) -> Batch:
    images = torch.rand(4, 1, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return Batch(images, torch.zeros(4, dtype=torch.int64))


@pytest.mark.parametrize("changes", [{}, DCGAN | {"d_batch_norm": False}], ids=["residual", "dcgan"])
def test_the_wasserstein_loss_has_a_gradient_penalty_through_attention(changes, tmp_path):
    config = tiny_config("sagan", **changes | {"loss": "wasserstein", "penalty": 5.0})
    model, batch = seeded(lambda: MODELS["sagan"](config), 0).eval(), noise()
    labels = batch.labels if model.conditional else None
    torch.manual_seed(0)
    loss, logs = model.loss_d(batch)
    torch.manual_seed(0)
    fakes = model.generate(model.random_latents(4), labels)
    real, fake = model.score(batch.images, labels), model.score(fakes, labels)
    penalty = gradient_penalty(lambda x: model.score(x, labels), batch.images, fakes)
    torch.testing.assert_close(logs["D/penalty"], penalty)
    torch.testing.assert_close(loss, wasserstein_d(real, fake) + 5 * penalty)
    trainer = make_trainer(tmp_path, seeded(lambda: MODELS["sagan"](config), 0), images=12)
    trainer.train()
    assert all(m.gamma.item() for m in trainer.model.modules() if isinstance(m, SelfAttention2d))


def test_batch_norm_in_d_is_an_option_of_dcgans_networks():
    plain, without = build("sagan", **DCGAN), build("sagan", d_batch_norm=False, **DCGAN)
    assert any(isinstance(m, nn.BatchNorm2d) for m in plain.D.modules())
    assert not any(isinstance(m, nn.BatchNorm2d) for m in without.D.modules())
    assert any(isinstance(m, nn.BatchNorm2d) for m in without.G.modules())


@BACKBONES
def test_minibatch_discrimination_tells_a_batch_of_one_image(changes):
    model = build("sagan", minibatch_kernels=6, **changes)
    x = noise().images
    labels = torch.zeros(4, dtype=torch.int64) if model.conditional else None
    collapsed = x[:1].expand(4, -1, -1, -1)
    assert (model.score(x, labels)[0] - model.score(collapsed, labels)[0]).abs() > 1e-3


@BACKBONES
def test_spectral_norm_is_everywhere_or_nowhere(changes):
    normed, plain = (build("sagan", spectral_norm=on, **changes) for on in (True, False))
    assert all(is_parametrized(m, "weight") for m in weighted(normed))
    assert not any(is_parametrized(m) for m in plain.modules())


def test_without_attention_there_is_none():
    assert not any(isinstance(m, SelfAttention2d) for m in build("sagan", attention=0).modules())


def test_one_sided_smoothing_lowers_the_target_of_real_images_alone():
    model = build("sagan", label_smoothing=[0.9], **DCGAN)
    batch = Batch(torch.linspace(-1, 1, 1024).view(4, 1, 16, 16), torch.zeros(4, dtype=torch.int64))
    torch.manual_seed(0)
    loss, _ = model.loss_d(batch)
    torch.manual_seed(0)
    fake = model.score(model.generate(model.random_latents(4)))
    torch.testing.assert_close(loss, nonsaturating_d(model.score(batch.images), fake, 0.9))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"attention": 16}, "attention must be 0 or one of 8 at 16 pixels, not 16"),
        ({"backbone": "dcgan"}, "take no class; add --no-class-conditional"),
        ({"attention": [8, 16]}, "attention must be 0 or one of 8 at 16 pixels, not 16"),
        ({"label_smoothing": [0.9]}, "A hinge has no target to smooth"),
        ({"label_smoothing": [0.9], "loss": "wasserstein"}, "A critic has no target to smooth"),
        (DCGAN | {"loss": "wasserstein"}, "of each image alone; add --no-d-batch-norm"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, says):
    with pytest.raises(GanlibError, match=says):
        build("sagan", **changes)


def test_the_thesis_variant_trains(tmp_path):
    model = seeded(lambda: MODELS["sagan"](tiny_config("sagan", label_smoothing=[0.8, 1.0], **DCGAN)), 0)
    trainer = make_trainer(tmp_path, model, images=12)
    trainer.train()
    gammas = [m.gamma.item() for m in trainer.model.modules() if isinstance(m, SelfAttention2d)]
    assert all(gammas)  # attention has begun to count
