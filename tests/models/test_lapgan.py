"""LAPGAN, Denton et al., arXiv:1506.05751."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from ganlib.errors import GanlibError
from ganlib.models.lapgan import downsample, laplacian_pyramid, reconstruct_pyramid, upsample
from helpers.tiny_models import build, make_trainer


@pytest.mark.parametrize(("size", "levels", "channels"), [(16, 2, 1), (32, 2, 3), (64, 4, 3)])
def test_the_laplacian_pyramid_inverts_exactly(size, levels, channels):
    image = torch.rand(2, channels, size, size, dtype=torch.float64) * 2 - 1
    pyramid = laplacian_pyramid(image, levels)
    assert [p.shape[-1] for p in pyramid] == [size >> i for i in range(levels, 0, -1)] + [size]
    torch.testing.assert_close(reconstruct_pyramid(pyramid), image, atol=1e-15, rtol=0)
    levels_of_grey = torch.randint(0, 256, (2, channels, size, size)).float()
    assert torch.equal(reconstruct_pyramid(laplacian_pyramid(levels_of_grey, levels)).round(), levels_of_grey)


def test_a_flat_image_has_no_differences():
    flat = torch.full((1, 3, 16, 16), 0.25)
    coarsest, *differences = laplacian_pyramid(flat, 2)
    assert torch.equal(coarsest, torch.full((1, 3, 4, 4), 0.25))
    assert all(d.abs().max() < 1e-6 for d in differences)


def test_each_level_learns_the_pyramids_own_image():
    model = build("lapgan", image_size=32)  # 4, 8, 16, 32
    images = torch.rand(2, 1, 32, 32) * 2 - 1
    pyramid = laplacian_pyramid(images, 3)
    for level, expected in enumerate(pyramid):
        target, blurred = model.real_level(level, images)
        torch.testing.assert_close(target, expected)
        if level:
            torch.testing.assert_close(blurred + target, reconstruct_pyramid(pyramid[: level + 1]))


def test_training_one_level_leaves_the_others_weights_untouched(tmp_path):
    trainer = make_trainer(tmp_path, "lapgan", images=8, phases="*/8")
    before = {k: v.clone() for k, v in trainer.model.state_dict().items()}
    trainer.train()
    changed = {k.split(".")[1] for k, v in trainer.model.state_dict().items() if not torch.equal(v, before[k])}
    config: Any = trainer.model.config
    assert config.sizes == [4, 8, 16]
    assert changed == {"1"}  # G.1… and D.1…, weights and batch norm's statistics


def test_the_trace_grows_from_the_coarsest_image_to_the_full_one():
    model = build("lapgan", image_size=32)
    stages = list(model.trace(model.latents([1, 2]), torch.tensor([0, 1])))
    assert [stage.shape[-1] for stage in stages] == [4, 8, 16, 32]


def test_a_level_that_adds_nothing_leaves_the_upsampled_coarser_image():
    model = build("lapgan")
    for level in model.G[1:]:
        level.net[-1].weight.zero_()
        level.net[-1].bias.zero_()
    first, second, third = model.trace(model.latents([1, 2]), torch.tensor([0, 1]))
    torch.testing.assert_close(second, upsample(first))
    torch.testing.assert_close(third, upsample(second))


def test_finer_noise_leaves_the_coarser_stages_alone():
    model = build("lapgan")
    latents, labels = model.latents([1]), torch.tensor([0])
    before = list(model.trace(latents, labels))
    latents.z[:, -256:] += 1  # the plane of noise at 16 pixels
    after = list(model.trace(latents, labels))
    assert torch.equal(before[0], after[0])
    assert torch.equal(before[1], after[1])
    assert not torch.equal(before[2], after[2])


def test_downsampling_keeps_the_mean():
    image = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(downsample(image).mean((2, 3)), image.mean((2, 3)))


def test_without_the_class_it_is_unconditional():
    assert not build("lapgan", class_conditional=False).conditional
    assert build("lapgan").conditional


@pytest.mark.parametrize("coarsest", [6, 32])
def test_an_impossible_pyramid_is_refused(coarsest):
    with pytest.raises(GanlibError, match=f"coarsest must be a power of two up to image_size .16., not {coarsest}"):
        build("lapgan", coarsest=coarsest)


def test_the_coarsest_level_can_take_more_steps_than_the_others(tmp_path):
    model = build("lapgan", finer_every=4).train()
    trainer = make_trainer(tmp_path, model, images=8 * 4)
    trainer.train()
    steps = {
        name: {int(state["step"]) for state in optimizer.state.values()}
        for name, optimizer in trainer.optimizers.items()
    }
    assert steps == {"D/4": {8}, "G/4": {8}, "D/8": {2}, "G/8": {2}, "D/16": {2}, "G/16": {2}}
