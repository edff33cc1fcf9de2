"""Filling holes with a linear generator, whose answer is known, and with every kind of model at its tiny size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ganlib.applications.inpainting import (
    Inpainting,
    InpaintingConfig,
    context_loss,
    context_weights,
    methods_of,
    prior_loss,
)
from ganlib.errors import GanlibError
from ganlib.images import to_uint8
from ganlib.models import MODELS, Latents
from ganlib.nn.masks import draw_masks
from helpers.linear_generator import LinearGenerator
from helpers.tiny_models import build

QUICK = InpaintingConfig(results=2, steps=3, starts=8, denoising_steps=3, resamplings=2, rounds=3)
WAYS = {
    "dcgan": "latents",
    "stylegan2_ada": "latents",
    "lapgan": "latents",
    "cdcgan": "latents",
    "ddpm": "repaint",
    "dit": "repaint",
    "vae_conv": "reencoding",
    "bigan": "latents",
    "context_encoder": "learned",
}

NO_WAY = ("glow", "edm", "flow_matching", "meanflow", "pixelcnn", "vqvae", "srgan", "classifier")


class Judged(LinearGenerator):
    """Its critic says nothing; it encodes by least squares."""

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        return images.flatten(1).sum(1) * 0

    def encode(self, images: Tensor) -> Latents:
        z = torch.linalg.lstsq(self.layer.weight, images.flatten(1).T).solution.T
        return Latents(z, torch.zeros(len(images), dtype=torch.int64))


def picture(model: Any) -> Tensor:
    c = model.config
    return torch.rand(1, c.channels, c.image_size, c.image_size, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("method", ["latents", "reencoding"])
def test_what_the_model_can_make_is_found_behind_the_hole(method):
    model = Judged().eval().requires_grad_(False)
    target = model.generate(model.latents([77]))
    mask = draw_masks(["centre"], 1, 8)
    config = InpaintingConfig(results=2, steps=600, starts=8, prior=0.0, length=0.0, window=15, rounds=200, blend=False)
    results = Inpainting(model, target, mask, None, config, method).finish()
    assert np.abs(results.astype(int) - to_uint8(target).astype(int)).max() <= 2


@pytest.mark.parametrize("name", WAYS)
def test_every_kind_of_model_fills_a_hole_and_leaves_the_rest(name):
    model = build(name)
    target, mask = picture(model), draw_masks(["box"], 1, 16, torch.Generator().manual_seed(1))
    inpainting = Inpainting(model, target, mask, 1, QUICK)
    assert inpainting.method == WAYS[name] == methods_of(model)[0]
    fractions = []
    while not inpainting.done:
        inpainting.step()
        fractions.append(inpainting.fraction)
    assert fractions == sorted(fractions)
    results = inpainting.results()
    assert len(results) == (1 if WAYS[name] == "learned" else 2)
    known = mask[0, 0].numpy() == 0
    assert (results[:, known] == to_uint8(target)[0][known]).all()
    if len(results) == 2:
        assert (results[0] != results[1]).any()


def test_the_same_seeds_give_the_same_results():
    model, mask = build("ddpm"), draw_masks(["centre"], 1, 16)
    first, again = (Inpainting(model, picture(model), mask, 0, QUICK).finish() for _ in range(2))
    assert np.array_equal(first, again)


def test_losses_against_their_closed_forms():
    mask = torch.zeros(1, 1, 5, 5)
    mask[..., 2, 2] = 1
    weights = context_weights(mask, 3)
    around = torch.zeros(5, 5)
    around[1:4, 1:4] = 1 / 8
    around[2, 2] = 0
    torch.testing.assert_close(weights[0, 0], around)  # each of the eight neighbours sees one of nine
    images = torch.zeros(2, 3, 5, 5)
    images[1, :, 1, 1] = 0.8
    torch.testing.assert_close(context_loss(images, torch.zeros(1, 3, 5, 5), weights), torch.tensor([0.0, 0.1]))
    logits = torch.tensor([-2.0, 0.0, 3.0])
    torch.testing.assert_close(prior_loss(logits), torch.log(1 - logits.sigmoid()))


def test_an_interrupted_inpainting_begins_anew(monkeypatch):
    model, mask = build("dcgan"), draw_masks(["centre"], 1, 16)
    inpainting = Inpainting(model, picture(model), mask, None, QUICK)
    inpainting.step()
    score = model.score
    model.score = lambda *args: (_ for _ in ()).throw(RuntimeError("no memory"))
    with pytest.raises(RuntimeError, match="no memory"):
        inpainting.step()
    assert inpainting.fraction == 0
    model.score = score
    assert len(inpainting.finish()) == 2


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [
        (torch.zeros(1, 1, 16, 16), "mask is empty: mark the part"),
        (torch.ones(1, 1, 16, 16), "covers the whole picture"),
        (torch.ones(1, 1, 8, 8), "mask is 8 x 8 pixels"),
    ],
)
def test_a_hole_that_is_none_is_refused(mask, sentence):
    model = build("dcgan")
    with pytest.raises(GanlibError, match=sentence):
        Inpainting(model, picture(model), mask)


def test_holes_are_filled_by_what_the_refusal_names_and_by_nothing_else():
    named = {name for name in MODELS if MODELS[name].family in ("GAN", "VAE")} - {"vqvae"} | {"ddpm", "dit"}
    assert {name for name in MODELS if methods_of(build(name))} == named | {"context_encoder"}


def test_what_the_model_cannot_do_is_refused():
    mask = draw_masks(["centre"], 1, 16)
    refused: list[tuple[str, Any, str]] = [
        *((name, None, "only with GANs, VAEs .* DDPM, DiT and context_encoder; choose another run") for name in NO_WAY),
        ("dcgan", "repaint", "by repaint; choose latents"),
    ]
    for name, method, sentence in refused:
        model: Any = build(name)
        with pytest.raises(GanlibError, match=sentence):
            Inpainting(model, picture(model), mask, None, QUICK, method)
    with pytest.raises(GanlibError, match="give the class of the picture"):
        Inpainting(build("cdcgan"), picture(build("cdcgan")), mask)
    with pytest.raises(GanlibError, match="window has a pixel in its middle"):
        InpaintingConfig(window=4)
