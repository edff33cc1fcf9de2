"""SRGAN, Ledig et al., arXiv:1609.04802."""

from __future__ import annotations

from math import log

import pytest
import torch
from torch.nn.functional import mse_loss

from ganlib.errors import GanlibError
from ganlib.models import MODELS, Batch
from ganlib.models.srgan import SRGANConfig
from ganlib.nn.crops import random_crops
from ganlib.nn.degradations import enlarge
from helpers.tiny_models import build, build_untrained, tiny_config


def noise(n: int = 4) -> Batch:
    return Batch(torch.rand(n, 1, 32, 32) * 2 - 1, torch.zeros(n, dtype=torch.int64))


def test_a_fresh_network_enlarges_as_bicubic_does():
    model = build_untrained("srgan").eval()
    inputs = model.degrade(noise().images)
    torch.testing.assert_close(model.transform(inputs), enlarge(inputs, 2), atol=0.05, rtol=0)
    plain = build_untrained("srgan", residual=False).eval()
    assert (plain.transform(inputs) - enlarge(inputs, 2)).abs().mean() > 0.1


@pytest.mark.parametrize("scale", [2, 4])
def test_sub_pixel_convolutions_enlarge_by_the_scale(scale):
    model = build_untrained("srgan", image_size=32, scale=scale, crop_size=0)
    assert model.transform(torch.zeros(1, 1, 8, 12)).shape == (1, 1, 8 * scale, 12 * scale)


def test_the_loss_is_the_weighted_sum_of_its_parts():
    """Equation 3, the content loss plus the adversarial one; D's logit of 0 makes that log 2."""
    model = build("srgan", pixel=0.5, feature=0.0, adversarial=2.0, crop_size=0)
    with torch.no_grad():
        for p in model.D.parameters():
            p.zero_()
    batch = noise()
    loss, logs = model.loss_g(batch)
    error = mse_loss(model.G(model.degrade(batch.images)), batch.images)
    torch.testing.assert_close(loss, 0.5 * error + 2.0 * log(2))
    assert logs.keys() == {"G/pixel", "G/adversarial"}


def test_features_alone_are_at_0_where_the_image_is_the_target():
    model = build_untrained("srgan", pixel=0.0, feature=1.0, adversarial=0.0)
    flat = Batch(torch.full((2, 1, 32, 32), 0.3), torch.zeros(2, dtype=torch.int64))
    with torch.no_grad():
        model.G.tail[-1].weight.zero_()
        model.G.tail[-1].bias.zero_()  # the bicubic enlargement alone, which a flat image is
    assert model.eval().loss_g(flat)[0] < 1e-6


def test_features_are_compared_at_every_part_of_their_stride(monkeypatch):
    """Both sides moved alike: at one place only, the features' grid would be learned."""
    seen: list[torch.Tensor] = []
    monkeypatch.setattr("ganlib.models.srgan.perceptual_features", lambda images: seen.append(images) or [images])
    model = build("srgan", pixel=0.0, feature=1.0, adversarial=0.0, crop_size=0)
    batch = noise()
    shifts = set()
    for seed in range(200):
        torch.manual_seed(seed)
        model.loss_g(batch)
        target, fakes = seen[-2:]
        moved = {(y, x) for y in range(4) for x in range(4) if batch.images.roll((y, x), (2, 3)).equal(target)}
        torch.testing.assert_close(fakes, model.G(model.degrade(batch.images)).roll(next(iter(moved)), (2, 3)))
        shifts |= moved
    assert len(shifts) == 16


def test_without_the_adversarial_loss_it_is_srresnet():
    model = build_untrained("srgan", adversarial=0.0, feature=0.0)
    assert [phase.name for phase in model.phases()] == ["G"]
    assert model.loss_kind == "squared error"


def test_it_trains_on_random_crops_and_enlarges_whole_images():
    model = build("srgan", crop_size=16)
    seen: list[torch.Size] = []
    for network in (model.G, model.D):
        network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].shape[-2:]))
    model.loss_d(noise())
    model.loss_g(noise())
    assert [*map(tuple, seen)] == [(8, 8), (16, 16), (16, 16), (8, 8), (16, 16)]
    assert model.transform(torch.zeros(1, 1, 10, 13)).shape == (1, 1, 20, 26)


def test_a_crop_is_a_part_of_its_image_anywhere_in_it():
    """Pixels that hold their own number tell where a crop came from."""
    images = torch.arange(64.0).view(1, 1, 8, 8).expand(500, 2, 8, 8)
    crops = random_crops(images, 5, torch.Generator().manual_seed(0))
    corners = crops[:, 0, 0, 0].long()
    assert sorted(set(corners.tolist())) == [8 * y + x for y in range(4) for x in range(4)]
    for crop, corner in zip(crops, corners.tolist(), strict=True):
        y, x = divmod(corner, 8)
        assert torch.equal(crop, images[0, :, y : y + 5, x : x + 5])
    assert torch.equal(random_crops(images, 5, torch.Generator().manual_seed(0)), crops)
    assert torch.equal(random_crops(images, 8), images)


def test_crops_follow_from_the_global_random_state():
    """Which a training's state holds, so that a resumed run sees the same ones."""
    model, batch = build("srgan"), noise()
    losses = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        losses.append(model.loss_g(batch)[0])
    assert losses[0] == losses[1] != losses[2]


def test_gradients_in_bf16_are_finite():
    """oneDNN's are not where a convolution halves a single pixel, as D did with crops of 8."""
    for seed in range(10):
        torch.manual_seed(seed)
        model = build_untrained("srgan", feature=0.0)
        with torch.autocast("cpu", torch.bfloat16):
            loss = model.loss_d(noise())[0]
        loss.backward()
        assert all(p.grad.isfinite().all() for p in model.D.parameters())


def test_runs_without_crops_are_read_as_before():
    old = {k: v for k, v in SRGANConfig.tiny().to_dict().items() if k != "crop_size"}
    assert SRGANConfig.from_dict(old).crop_size == 0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"scale": 3}, "scale must be 2, 4 or 8"),
        ({"scale": 8, "image_size": 16}, "leave 4 pixels"),
        ({"crop_size": 64}, "crop_size must be a multiple of 2 from 16 to 32, or 0 for whole images, not 64."),
        ({"crop_size": 17}, "or 0 for whole images, not 17."),
        ({"crop_size": 8}, "from 16 to 32"),
        ({"pixel": 0.0, "feature": 0.0, "adversarial": 0.0}, "Nothing is learned"),
    ],
)
def test_what_cannot_be_is_refused(changes, sentence):
    with pytest.raises(GanlibError, match=sentence):
        MODELS["srgan"](tiny_config("srgan", **changes))
