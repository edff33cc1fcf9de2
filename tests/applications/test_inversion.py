"""Inversion against a linear generator, whose latents are known, and of every kind of model at its tiny size."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ganlib.applications.directions import Direction, edit
from ganlib.applications.inversion import Distance, Inversion, InversionConfig, Realism
from ganlib.errors import GanlibError
from ganlib.models import Encodes
from helpers.linear_generator import LinearGenerator
from helpers.tiny_models import build

PIXELS = InversionConfig(feature=0.0, prior=0.0, seeds=16, starts=2)


def test_a_picture_of_a_linear_generator_gives_back_its_latent() -> None:
    model = LinearGenerator().eval().requires_grad_(False)
    z = model.latents([77])
    target = model.generate(z)
    inversion = Inversion(model, target, None, InversionConfig(feature=0.0, prior=0.0, steps=400, seeds=16, starts=2))
    latents = inversion.finish()
    torch.testing.assert_close(latents.z, z.z, atol=0.05, rtol=0)
    assert len(inversion.losses) == 402  # the nearest seed, each step, the last result
    assert min(inversion.losses) < 1e-6


def test_of_a_picture_that_it_cannot_make_the_nearest_is_found() -> None:
    model = LinearGenerator().eval().requires_grad_(False)
    target = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 0.1
    inversion = Inversion(model, target, None, InversionConfig(feature=0.0, prior=0.0, steps=600, seeds=16, starts=2))
    inversion.finish()
    a = model.layer.weight
    nearest = a @ torch.linalg.lstsq(a, target.flatten()[:, None]).solution
    assert min(inversion.losses) == pytest.approx(float((nearest[:, 0] - target.flatten()).square().mean()), rel=0.01)


def test_the_distance_is_that_of_pixels_and_of_features_of_unit_length() -> None:
    images = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert Distance(images[:1], 1.0, 0.0)(images)[1].item() == pytest.approx(
        (images[1] - images[0]).square().mean().item(), rel=1e-5
    )
    both = Distance(images[:1], 0.0, 1.0)(torch.cat([images, -images]))
    assert both[0] == 0
    assert (both >= 0).all()
    assert both.max() <= 4  # two vectors of unit length


@pytest.mark.parametrize("name", ["dcgan", "stylegan2_ada", "cdcgan", "vae_conv", "aae", "bigan", "gran"])
def test_every_kind_of_model_is_inverted(name: str) -> None:
    model = build(name)
    label = 1 if model.conditional else None
    labels = None if label is None else torch.tensor([label])
    target = model.generate(model.latents([5]), labels)
    inversion = Inversion(model, target, label, InversionConfig.from_dict(PIXELS.to_dict() | {"steps": 5}))
    latents = inversion.finish()
    assert len(latents) == 1
    torch.testing.assert_close(model.generate(latents, labels), inversion.image)
    assert inversion.done
    inversion.step()  # does nothing more
    assert inversion.losses[0] >= min(inversion.losses)
    assert isinstance(model, Encodes) == (len(inversion.losses) == 1)


@pytest.mark.parametrize("name", ["glow", "vqvae"])
def test_a_picture_is_inverted_in_its_class_by_the_encoder(name: str) -> None:
    model = build(name)
    target = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0)) - 0.5
    inversion = Inversion(model, target, 2, PIXELS)
    latents = inversion.finish()
    assert latents.space == "z"
    assert inversion.image is not None
    expected = target if name == "glow" else model.decode(model.codes_of(target))
    torch.testing.assert_close(inversion.image, expected, atol=4e-3, rtol=0)
    shift = Direction(0.1 * torch.ones(model.latent_shape), "z", "pca")
    moved = model.generate(edit(model, latents, torch.tensor([2]), [(shift, 1.0)]), torch.tensor([2]))
    assert moved.shape == target.shape
    assert (moved - inversion.image).abs().max() > 0


def test_a_model_without_encoder_and_gradients_is_refused_at_once() -> None:
    with pytest.raises(GanlibError, match=r"PixelCNN\+\+ encodes no pictures, .* choose another run"):
        Inversion(build("pixelcnn"), torch.zeros(1, 1, 16, 16), 0)


def test_tuning_moves_a_copy_of_the_generator_until_it_makes_the_picture() -> None:
    model = build("stylegan2_ada")
    before = {key: value.clone() for key, value in model.state_dict().items()}
    target = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    config = InversionConfig.from_dict(PIXELS.to_dict() | {"steps": 2, "tuning_steps": 60, "tuning_lr": 0.02})
    inversion = Inversion(model, target, 0, config)
    inversion.finish()
    assert inversion.losses[-1] < 0.5 * inversion.losses[3]
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert inversion.latents is not None
    assert inversion.latents.space == "w+"
    torch.testing.assert_close(
        inversion.model.generate(inversion.latents, torch.tensor([0])), inversion.image, atol=1e-5, rtol=1e-4
    )


def test_after_an_error_it_begins_anew() -> None:
    model = LinearGenerator().eval().requires_grad_(False)
    inversion = Inversion(model, model.generate(model.latents([77])), None, PIXELS)
    generate, model.generate = model.generate, raise_out_of_memory  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="out of memory"):
        inversion.step()
    assert not inversion.done
    model.generate = generate  # type: ignore[method-assign]
    assert len(inversion.finish()) == 1


def raise_out_of_memory(*_: object, **__: object) -> torch.Tensor:
    raise RuntimeError("out of memory")


def test_pictures_of_another_size_and_a_missing_class_are_refused() -> None:
    with pytest.raises(GanlibError, match="makes pictures of 1 x 16 x 16, not 3 x 32 x 32"):
        Inversion(build("dcgan"), torch.zeros(1, 3, 32, 32), None)
    with pytest.raises(GanlibError, match="give the class that the picture is to be inverted in"):
        Inversion(build("cdcgan"), torch.zeros(1, 1, 16, 16), None)


def test_realism_counts_deviations_below_the_scores_of_seeds() -> None:
    model = build("sngan")
    labels = torch.zeros(8, dtype=torch.int64)
    images = model.generate(model.latents(range(8)), labels)
    scores = model.score(images, labels)
    realism = Realism(model, scores)
    expected = torch.nn.functional.softplus((scores.mean() - scores) / scores.std())
    torch.testing.assert_close(realism(images, labels), expected)
    assert float(realism(images, labels)[scores.argmax()]) < float(realism(images, labels)[scores.argmin()])


def test_with_more_realism_scores_are_higher_and_the_distance_is_larger() -> None:
    model = build("sngan")
    target = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    config = InversionConfig(feature=0.0, steps=60, seeds=16, starts=2)
    plain, real = (Inversion(model, target, 1, replace(config, realism=weight)) for weight in (0.0, 5.0))
    for inversion in (plain, real):
        inversion.finish()
    label = torch.tensor([1])
    assert plain.image is not None
    assert real.image is not None
    assert float(model.score(real.image, label)) > float(model.score(plain.image, label))
    assert real.distance > plain.distance
