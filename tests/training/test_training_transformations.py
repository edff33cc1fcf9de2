"""What shows an image-to-image model in training: inputs, outputs and what is wanted."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganlib.data.batches import stratified_indices
from ganlib.images import from_uint8, to_uint8
from ganlib.models import MODELS, ImageToImage
from ganlib.training.snapshots import transformation_rows
from helpers.tiny_models import build, files_of, make_data, make_trainer

pytestmark = pytest.mark.slow
NAMES = [name for name in MODELS if issubclass(MODELS[name], ImageToImage)]


@pytest.mark.parametrize("name", NAMES)
def test_a_resumed_run_equals_the_uninterrupted_one(name, tmp_path):
    """Batches, holes and the pool included; samples use no global generator."""
    make_trainer(tmp_path / "whole", name, images=16, snapshot_first=12).train()
    make_trainer(tmp_path / "parts", name, images=8, snapshot_first=12).train()
    make_trainer(tmp_path / "parts", name, images=16, snapshot_first=12, resume=True).train()
    whole, parts = (files_of(tmp_path / part) for part in ("whole", "parts"))
    kept = [k for k in whole if k.startswith(("samples/", "snapshots/"))]
    assert {"samples/0.webp", "samples/16.webp"} <= set(kept)
    assert [k for k in kept if parts[k] != whole[k]] == []


def test_rows_are_inputs_outputs_and_wanted_images():
    model, test = build("srgan"), make_data(n=48).train
    state = torch.get_rng_state()
    rows = transformation_rows(model, test).reshape(2, 3, 8, 16, 16, 1)
    assert torch.equal(torch.get_rng_state(), state)
    selected = np.sort(stratified_indices(test.labels, 16))
    selected = selected[np.argsort(test.labels[selected], kind="stable")].reshape(2, 8)
    assert np.array_equal(rows[:, 2], test.images[selected])
    small = rows[:, 0]
    assert np.array_equal(small[..., ::2, :], small[..., 1::2, :])  # pixels of the input, enlarged in squares


def test_between_domains_the_third_row_is_the_way_back():
    model, test = build("cyclegan"), make_data(classes=2).test
    rows = transformation_rows(model, test).reshape(3, 6, 16, 16, 1)
    for label, (there, back) in enumerate([(model.G, model.F), (model.F, model.G)]):
        first = 3 * label  # of six images three are of each domain
        for network, source, result in [(there, rows[0], rows[1]), (back, rows[1], rows[2])]:
            outputs = to_uint8(network(from_uint8(source[first : first + 3])))
            assert np.abs(outputs.astype(int) - result[first : first + 3]).max() <= 1


def test_of_augmentation_the_third_row_is_another_output():
    model, test = build("dagan"), make_data(n=48).train
    inputs, outputs, others = np.moveaxis(transformation_rows(model, test).reshape(2, 3, 8, 16, 16, 1), 1, 0)
    assert np.isin(inputs.reshape(16, -1), np.reshape(test.images, (48, -1))).all()
    assert (outputs != others).any(axis=(2, 3, 4)).all()
