"""Test images and what a model that encodes makes of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from ganlib.data.batches import stratified_indices
from ganlib.models import MODELS, Latents
from ganlib.models.cdcgan import CDCGAN
from ganlib.models.dcgan import DCGAN
from ganlib.training.snapshots import save_reconstructions
from helpers.tiny_models import build, files_of, make_data, make_trainer

pytestmark = pytest.mark.slow


class Echo(DCGAN):
    """Encodes an image as itself and makes of that its negative."""

    def encode(self, images: Tensor) -> Latents:
        return Latents(images, torch.zeros(len(images), dtype=torch.int64))

    def generate(self, latents: Latents, labels: Tensor | None = None, **options: Any) -> Tensor:
        return -latents.z if latents.z.ndim == 4 else super().generate(latents, labels, **options)


class ClassEcho(CDCGAN):
    """Makes grey images whose level is their class, whatever they are encoded as."""

    def encode(self, images: Tensor) -> Latents:
        return Latents(images, torch.zeros(len(images), dtype=torch.int64))

    def generate(self, latents: Latents, labels: Tensor | None = None, **options: Any) -> Tensor:
        if latents.z.ndim != 4:
            return super().generate(latents, labels, **options)
        return torch.ones_like(latents.z) * (self.class_weights(labels).argmax(1) / 2 - 0.5)[:, None, None, None]


def halves(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """A picture of pairs -> the images and what stands below them, (rows, columns, H, W) each."""
    with Image.open(path) as picture:
        assert picture.format == "WEBP"
        pixels = np.asarray(picture.convert("L")).astype(int)
    padded = np.pad(pixels, ((0, 2), (0, 2)))
    cells = padded.reshape(padded.shape[0] // 18, 18, padded.shape[1] // 18, 18).transpose(0, 2, 1, 3)[:, :, :16, :16]
    return cells[::2], cells[1::2]


def test_images_are_taken_in_turn_from_each_class():
    labels = np.array([2, 2, 0, 2, 1, 0, 0])
    assert stratified_indices(labels, 7).tolist() == [2, 4, 0, 5, 1, 6, 3]
    assert stratified_indices(labels, 4).tolist() == [2, 4, 0, 5]
    assert stratified_indices(np.full(5, -1), 3).tolist() == [0, 1, 2]
    assert stratified_indices(labels[:0], 3).tolist() == []


def test_every_snapshot_of_what_encodes_has_reconstructions_of_the_same_test_images(tmp_path):
    trainer = make_trainer(tmp_path, Echo(Echo.Config.tiny()), images=8, snapshot_first=4)
    trainer.train()
    assert trainer.folder.reconstruction_images() == trainer.folder.sample_images() == [0, 4, 8]
    contents = {p.read_bytes() for p in trainer.folder.reconstructions.iterdir()}
    assert len(contents) == 1  # nothing learnt has a part in them
    above, below = halves(trainer.folder.reconstructions / "8.webp")
    assert above.shape == (1, 6, 16, 16)  # the small test split has six
    noise = trainer.data.test.images[..., 0].astype(int)
    assert np.abs(above[0] - noise).mean() < 8  # WebP is lossy
    assert np.abs(below[0] - (255 - noise)).mean() < 8


def test_sixteen_test_images_stand_eight_a_row_above_their_reconstructions(tmp_path):
    test = make_data(n=48, classes=10).train
    save_reconstructions(Echo(Echo.Config.tiny()), test, tmp_path / "a.webp")
    above, below = halves(tmp_path / "a.webp")
    assert above.shape == (2, 8, 16, 16)
    expected = test.images[stratified_indices(test.labels, 16), ..., 0].reshape(2, 8, 16, 16).astype(int)
    assert np.abs(above - expected).mean() < 8
    assert np.abs(below - (255 - expected)).mean() < 8
    short = replace(test, images=test.images[:11], labels=test.labels[:11])
    save_reconstructions(Echo(Echo.Config.tiny()), short, tmp_path / "b.webp")
    above, below = halves(tmp_path / "b.webp")
    assert above.shape == (2, 8, 16, 16)
    assert min(above[1, 3:].min(), below[1, 3:].min()) > 240


def test_a_conditional_model_is_told_each_images_class(tmp_path):
    model = ClassEcho(ClassEcho.Config.tiny())
    test = make_data().train
    labels = np.where(np.arange(len(test)) < 4, -1, test.labels)  # unlabelled images are passed over
    save_reconstructions(model, replace(test, labels=labels), tmp_path / "a.webp")
    _, below = halves(tmp_path / "a.webp")
    levels = [64, 128, 191, *[64, 128, 191] * 4, 64]
    assert np.abs(below.mean((2, 3)).ravel() - levels).max() < 6
    save_reconstructions(model, replace(test, labels=np.full(len(test), -1)), tmp_path / "none.webp")
    assert not (tmp_path / "none.webp").exists()


@pytest.mark.parametrize("name", [name for name in MODELS if hasattr(MODELS[name], "encode")])
def test_reconstructions_use_no_global_generator(name, tmp_path):
    state = torch.get_rng_state()
    save_reconstructions(build(name), make_data().test, tmp_path / "a.webp")
    assert (tmp_path / "a.webp").exists()
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("name", [name for name in MODELS if hasattr(MODELS[name], "encode")])
def test_a_resumed_run_has_the_reconstructions_of_an_undisturbed_one(name, tmp_path):
    make_trainer(tmp_path / "whole", name, images=16, snapshot_first=12).train()
    make_trainer(tmp_path / "parts", name, images=8, snapshot_first=12).train()
    make_trainer(tmp_path / "parts", name, images=16, snapshot_first=12, resume=True).train()
    whole, parts = (files_of(tmp_path / part) for part in ("whole", "parts"))
    kept = [k for k in whole if k.startswith(("reconstructions/", "snapshots/"))]
    assert [k for k in kept if k.startswith("reconstructions/")]
    assert [k for k in kept if parts[k] != whole[k]] == []


@pytest.mark.parametrize("name", ["dcgan", "classifier"])
def test_what_cannot_encode_has_no_reconstructions(name, tmp_path):
    trainer = make_trainer(tmp_path, name, images=4)
    trainer.train()
    assert not trainer.folder.reconstructions.exists()
    assert trainer.folder.reconstruction_images() == []
