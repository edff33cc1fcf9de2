"""EDM, Karras et al., arXiv:2206.00364."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ganlib.augment import labelled_augment
from ganlib.errors import GanlibError
from ganlib.images import to_uint8
from ganlib.models import MODELS, Batch
from ganlib.models.edm import EDM
from ganlib.sampling import check_options
from ganlib.training.trainer import seeded
from helpers.tiny_models import build, make_trainer, tiny_config

SIGMAS = torch.tensor([0.002, 0.1, 0.5, 3.0, 80.0])


def fresh(**changes: Any) -> Any:
    """Its last layer is 0, so that D(x; σ) = c_skip x: the best denoiser of Gaussian images."""
    return seeded(lambda: MODELS["edm"](tiny_config("edm", **changes)), 0).eval().requires_grad_(False)


def test_inputs_and_targets_have_unit_variance_at_every_level():
    model = fresh()
    data = model.config.sigma_data
    c_skip, c_out, c_in, c_noise = model.preconditioning(SIGMAS)
    torch.testing.assert_close(c_in.square() * (data**2 + SIGMAS.square()), torch.ones(5))
    target_variance = ((1 - c_skip).square() * data**2 + (c_skip * SIGMAS).square()) / c_out.square()
    torch.testing.assert_close(target_variance, torch.ones(5))
    torch.testing.assert_close(model.loss_weight(SIGMAS) * c_out.square(), torch.ones(5))
    torch.testing.assert_close(c_noise, SIGMAS.log() / 4)


def test_the_skip_amplifies_the_networks_errors_least():
    """c_out² = (1 - c_skip)² σ_data² + c_skip² σ² is smallest at this c_skip (appendix B.6)."""
    model = fresh()
    c_skip, c_out, _, _ = model.preconditioning(SIGMAS)
    for other in (c_skip - 0.01, c_skip + 0.01):
        amplification = (1 - other).square() * model.config.sigma_data**2 + (other * SIGMAS).square()
        assert (amplification > c_out.square() * (1 - 1e-6)).all()


def test_the_loss_of_a_fresh_network_on_gaussian_images_is_one():
    model = fresh(augment=0.0)
    torch.manual_seed(0)
    images = model.config.sigma_data * torch.randn(512, 1, 16, 16)
    loss, _ = model.loss(Batch(images, torch.arange(512) % 3))
    assert loss.item() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("solver", ["heun", "euler"])
def test_gaussian_images_come_out_as_the_noise_scaled(solver):
    """x(0) = x(σ_max) σ_data / √(σ_data² + σ_max²), of which Heun's error falls as the square of the steps."""
    model = fresh(sigma_data=0.1)
    latents = model.latents([1, 2])
    exact = latents.z * 80 * 0.1 / (0.1**2 + 80**2) ** 0.5
    few, more = (
        (model.generate(latents, torch.tensor([0, 1]), steps=n, solver=solver) - exact).abs().max() for n in (20, 80)
    )
    assert few / more > (8 if solver == "heun" else 3)
    assert more < (3e-3 if solver == "heun" else 0.05)


def test_encoding_inverts_generating(monkeypatch):
    monkeypatch.setattr("ganlib.models.edm.DEFAULT_STEPS", 60)
    model = fresh(sigma_data=0.2)
    images = 0.2 * torch.randn(2, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    latents = model.encode(images)
    torch.testing.assert_close(latents.z, images / 0.2, atol=0.02, rtol=0.02)
    torch.testing.assert_close(model.generate(latents, torch.tensor([0, 1]), steps=60), images, atol=0.01, rtol=0)


def test_churn_draws_from_the_seed_alone():
    model = seeded(lambda: MODELS["edm"](tiny_config("edm")), 0).eval()
    labels = torch.arange(3)
    together = model.generate(model.latents([7, 8, 9]), labels, churn=20.0, steps=4)
    alone = model.generate(model.latents([8]), labels[1:2], churn=20.0, steps=4)
    torch.testing.assert_close(alone[0], together[1], atol=1e-4, rtol=1e-4)


def test_augmentations_are_told_and_absent_ones_change_nothing():
    images = torch.rand(16, 1, 16, 16) * 2 - 1
    same, parameters = labelled_augment(images, 0.0, mirror=False)
    torch.testing.assert_close(same, images)
    assert (parameters == 0).all()
    torch.manual_seed(1)
    moved, parameters = labelled_augment(images, 0.2, mirror=True)
    for before, after, told in zip(images, moved, parameters, strict=True):
        assert torch.allclose(before, after, atol=1e-4) == bool((told == 0).all())
        if told.nonzero().flatten().tolist() == [0]:
            torch.testing.assert_close(after, before.flip(2))


@pytest.mark.parametrize(("p", "upside_down"), [(0.0, 0.0), (0.12, 0.06)])
def test_half_of_the_images_are_mirrored_where_they_may_be(p, upside_down):
    """Whatever p is, of which the other augmentations are; the released script gives mirroring p = 10⁸."""
    torch.manual_seed(0)
    images = torch.rand(4000, 1, 4, 4)
    _, told = labelled_augment(images, p, mirror=True)
    assert told[:, 0].mean().item() == pytest.approx(0.5, abs=0.03)
    assert told[:, 1].mean().item() == pytest.approx(upside_down, abs=0.012)
    assert (told[:, 2] != 0).float().mean().item() == pytest.approx(p, abs=0.02)
    _, told = labelled_augment(images, p, mirror=False)
    assert (told[:, 0] == 0).all()


@pytest.mark.parametrize(
    ("augment", "flip", "mirror", "in_batches"),
    [(0.12, "on", True, False), (0.12, "off", False, False), (0.0, "on", True, True), (0.12, "auto", False, False)],
)
def test_images_are_mirrored_once_and_told(augment, flip, mirror, in_batches, tmp_path, monkeypatch):
    """By the augmentation, or in the batches where there is none; the noise of ``make_trainer`` may not be."""
    batches: list[Tensor] = []
    loss = EDM.loss
    monkeypatch.setattr(EDM, "loss", lambda model, batch: batches.append(batch.images) or loss(model, batch))
    trainer = make_trainer(tmp_path, MODELS["edm"](tiny_config("edm", augment=augment)), images=96, flip=flip)
    trainer.train()
    assert trainer.model.mirror == mirror
    known = {image.tobytes() for image in trainer.data.train.images}
    seen = to_uint8(torch.cat(batches))
    assert in_batches == any(image.tobytes() not in known for image in seen)


def test_steps_and_guidance_out_of_reach_are_refused_in_a_sentence():
    with pytest.raises(GanlibError, match="Option steps must be at least 1 and at most 100, not '101'"):
        check_options(build("edm"), {"steps": "101"})
    with pytest.raises(GanlibError, match="no option 'guidance'; it has steps, solver, churn"):
        check_options(build("edm", num_classes=0), {"guidance": 2})


@pytest.mark.parametrize("steps", [1, 2])
def test_few_steps_follow_their_own_levels(steps):
    """Of Gaussian images: one step is Euler's from σ_max to 0, c_skip x; of two the first is Heun's down to σ_min."""
    model = fresh(sigma_data=0.5, sigma_min=0.1, sigma_max=2.0)
    model.unet.last[2].bias.zero_()
    latents = model.latents([1, 2])

    def slope(x: Tensor, sigma: float) -> Tensor:
        return x * sigma / (0.5**2 + sigma**2)

    x, sigma = 2 * latents.z, 2.0
    if steps == 2:
        first = slope(x, 2.0)
        x = x + (0.1 - 2) / 2 * (first + slope(x + (0.1 - 2) * first, 0.1))
        sigma = 0.1
    expected = (x - sigma * slope(x, sigma)).clamp(-1, 1)
    made = model.generate(latents, torch.tensor([0, 1]), steps=steps)
    torch.testing.assert_close(made, expected, atol=1e-5, rtol=1e-4)
    assert len(list(model.trace(latents, torch.tensor([0, 1]), steps=steps))) == model.stages(steps=steps) == steps


def test_noise_levels_in_the_wrong_order_are_refused():
    with pytest.raises(GanlibError, match=r"sigma_min must be below sigma_max, not 1\.0 and 1\.0"):
        tiny_config("edm", sigma_min=1.0, sigma_max=1.0)
