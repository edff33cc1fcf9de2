"""VAE, Kingma & Welling, arXiv:1312.6114, in the sources' three kinds of networks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.functional import mse_loss

from ganlib.logs import read
from ganlib.models import MODELS, Batch
from ganlib.nn.gaussian import kl_to_standard_normal, reparameterise
from ganlib.training.trainer import seeded
from helpers.tiny_models import build, make_trainer, tiny_config

every_vae = pytest.mark.parametrize("name", ["vae_mlp", "vae_conv", "vae_residual", "feature_vae"])
BATCH = Batch(torch.rand(6, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1, torch.arange(6) % 3)


def fresh(name: str, **changes: Any) -> Any:
    return seeded(lambda: MODELS[name](tiny_config(name, **changes)), 0)


@every_vae
def test_with_unit_variance_there_is_no_head_for_sigma(name):
    model = build(name, posterior="N(μ,I)")
    mean, log_variance = model.posterior(BATCH.images)
    assert mean.shape == (6, *model.latent_shape)
    assert (log_variance == 0).all()
    torch.testing.assert_close(kl_to_standard_normal(mean, log_variance), 0.5 * mean.square().flatten(1).sum(1))
    learned = build(name)
    assert learned.posterior(BATCH.images)[1].std() > 0
    outputs = model.E(BATCH.images).numel(), learned.E(BATCH.images).numel()
    assert outputs == (mean.numel(), 2 * mean.numel())


@every_vae
def test_the_loss_is_the_squared_error_and_the_weighted_kl_a_pixel(name):
    model = fresh(name, kl_weight=0.3)
    loss, logs = model.loss(BATCH)
    expected = logs["loss/mse"] + 0.3 * logs["loss/kl"] / BATCH.images[0].numel()
    torch.testing.assert_close(loss, expected)


def test_the_kls_weight_rises_in_the_warm_up():
    model = fresh("vae_conv", kl_warmup=1000)
    shares = []
    for seen in (0, 250, 1000, 5000):
        model.on_images(seen)
        shares.append(model.kl_share.item())
    assert shares == [0, 0.25, 1, 1]
    model.on_images(250)
    torch.manual_seed(0)
    loss, logs = model.loss(BATCH)
    expected = logs["loss/mse"] + 0.25 * model.config.kl_weight * logs["loss/kl"] / BATCH.images[0].numel()
    torch.testing.assert_close(loss, expected)
    assert fresh("vae_conv").kl_share == 1


def test_a_start_without_a_warm_up_has_the_kls_whole_weight_from_its_first_step():
    source, started = fresh("vae_mlp", kl_warmup=100_000), fresh("vae_mlp")
    source.on_images(50_000)
    started.load_state_dict(source.state_dict())
    started.on_images(0)
    assert started.kl_share == 1


def test_the_sources_adam_and_its_cyclic_rate():
    """From 1e-5 to 1e-2 and back in 1000 steps, β 0.9 and 0.99, ε 1e-10; here in 4 steps."""
    model = fresh("vae_mlp", lr=1e-5, cycle_peak=1e3, cycle_steps=4, beta2=0.99, eps=1e-10)
    (optimizer,) = model.optimizers().values()
    assert optimizer.defaults["betas"] == (0.9, 0.99)
    assert optimizer.defaults["eps"] == 1e-10
    rates = []
    for _ in range(5):
        optimizer.zero_grad()
        model.loss(BATCH)[0].backward()
        optimizer.step()
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([1e-5, 5.005e-3, 1e-2, 5.005e-3, 1e-5])


def test_augmented_colours_are_what_is_reconstructed():
    model = fresh("vae_mlp", colour_augmentation=0.5)
    torch.manual_seed(0)
    images = model.augmented(BATCH.images)
    assert images.shape == BATCH.images.shape
    assert images.min() >= -1
    assert images.max() <= 1
    shift = images.mean((1, 2, 3)) - BATCH.images.mean((1, 2, 3))
    assert 0.01 < shift.abs().max() < 0.25 + 1e-6  # half of DiffAugment's half
    assert fresh("vae_mlp").augmented(BATCH.images) is BATCH.images
    reconstructions = model.decode(reparameterise(*model.posterior(images)), None)
    torch.manual_seed(0)
    torch.testing.assert_close(model.loss(BATCH)[1]["loss/mse"], mse_loss(reconstructions, images))


def test_kl_squared_error_and_total_are_separate_scalars(tmp_path):
    make_trainer(tmp_path, "vae_residual", images=8).train()
    tags = set(read(tmp_path / "log.csv").tag)
    assert {"loss/total", "loss/kl", "loss/mse"} <= tags


@pytest.mark.parametrize(("code_width", "numbers"), [(16, 4096), (32, 8192), (64, 16384)])
def test_residual_codes_of_128_pixels_have_the_sources_sizes(code_width, numbers):
    config = tiny_config("vae_residual", image_size=128, code_width=code_width)
    model: Any = MODELS["vae_residual"](config)
    assert torch.Size(model.latent_shape).numel() == numbers


@every_vae
def test_the_class_is_told_to_the_decoder_alone(name):
    model = build(name, class_conditional=True)
    assert model.conditional
    latents = model.encode(BATCH.images)
    made = model.generate(latents, BATCH.labels)
    assert (made - model.generate(latents, (BATCH.labels + 1) % 3)).abs().max() > 0.01


def test_it_learns_to_reconstruct(tmp_path):
    """One batch by heart: what it makes of its own codes comes close."""
    model = fresh("vae_mlp", hidden=64, kl_weight=0.0, lr=0.005)
    optimizer = model.optimizers()["VAE"]
    for _ in range(150):
        optimizer.zero_grad()
        loss, logs = model.loss(BATCH)
        loss.backward()
        optimizer.step()
    assert logs["loss/mse"] < 0.3 * BATCH.images.var()
