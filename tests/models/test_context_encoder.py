"""Context encoder, Pathak et al., arXiv:1604.07379, and the holes that it learns from."""

from __future__ import annotations

from math import log
from typing import Any

import pytest
import torch

from ganlib.errors import GanlibError
from ganlib.models import MODELS, Batch
from ganlib.models.context_encoder import ChannelwiseLinear
from ganlib.nn.masks import HOLES, draw_masks, join_mask, split_mask
from helpers.tiny_models import build, tiny_config


def noise(n: int = 3) -> torch.Tensor:
    return torch.rand(n, 1, 16, 16) * 2 - 1


def test_what_is_known_stays_and_the_hole_is_the_networks():
    model, images = build("context_encoder"), noise()
    masks = draw_masks(["centre"], 3, 16)
    inputs = join_mask(images, masks)
    outputs = model.transform(inputs)
    hole = masks.bool()
    torch.testing.assert_close(outputs[~hole], images[~hole])
    torch.testing.assert_close(outputs[hole], model.G(inputs)[hole])


def test_the_loss_against_its_closed_form():
    """A decoder of 0 and a critic of 0: the mean square in the hole alone, and log 2."""
    model = build("context_encoder", holes=["centre"])
    with torch.no_grad():
        for net in (model.G, model.D):
            for p in net.parameters():
                p.zero_()
    images = noise()
    loss, logs = model.loss_g(Batch(images, torch.zeros(3, dtype=torch.int64)))
    in_hole = images[..., 4:12, 4:12].square().mean()
    torch.testing.assert_close(logs["G/reconstruction"], in_hole)
    torch.testing.assert_close(loss, 0.999 * in_hole + 0.001 * log(2))


def test_information_crosses_the_image_within_a_channel():
    layer: Any = ChannelwiseLinear(2)
    x = torch.zeros(1, 2, 4, 4, requires_grad=True)
    layer.mix = torch.nn.Identity()
    layer(x)[0, 0, 0, 0].backward()
    assert x.grad is not None
    assert (x.grad[0, 0] != 0).all()
    assert (x.grad[0, 1] == 0).all()


@pytest.mark.parametrize(
    ("hole", "low", "high"), [("centre", 0.25, 0.25), ("half", 0.5, 0.5), ("box", 0.06, 0.26), ("strokes", 0.02, 0.6)]
)
def test_holes_have_their_share_of_the_image(hole, low, high):
    masks = draw_masks([hole], 64, 32, torch.Generator().manual_seed(0))
    share = masks.mean((1, 2, 3))
    assert masks.unique().tolist() == [0, 1]
    assert low - 0.01 <= share.min() <= share.max() <= high + 0.01
    assert torch.equal(masks, draw_masks([hole], 64, 32, torch.Generator().manual_seed(0)))


def test_all_kinds_of_holes_are_drawn_and_all_halves():
    masks = draw_masks(HOLES, 200, 16, torch.Generator().manual_seed(0))
    assert len({tuple(mask.flatten().tolist()) for mask in draw_masks(["half"], 50, 16)}) == 4
    assert 0.1 < masks.mean() < 0.5


def test_a_mask_joined_is_split_again():
    images, masks = noise(), draw_masks(["box"], 3, 16)
    holed, again = split_mask(join_mask(images, masks))
    assert torch.equal(again, masks)
    assert torch.equal(holed, images * (1 - masks))


def test_no_holes_are_refused():
    with pytest.raises(GanlibError, match="give some of centre, half, box, strokes"):
        MODELS["context_encoder"](tiny_config("context_encoder", holes=[]))
