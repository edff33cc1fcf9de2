"""pix2pix, Isola et al., arXiv:1611.07004, and the pairs that it makes of images."""

from __future__ import annotations

from math import log

import pytest
import torch
from torch.nn.functional import l1_loss

from ganlib.errors import GanlibError
from ganlib.models import MODELS, Batch
from ganlib.nn.degradations import draw_edges, enlarge, greyscale, shrink
from helpers.tiny_models import build, build_untrained, tiny_config

TASKS = {"edges": (1, 16, 16), "colour": (1, 16, 16), "superresolution": (3, 4, 4)}


@pytest.mark.parametrize("task", TASKS)
def test_one_architecture_does_three_tasks(task):
    model = build_untrained("pix2pix", task=task, channels=3)
    images = torch.rand(2, 3, 16, 16) * 2 - 1
    inputs = model.degrade(images)
    assert model.task == task
    assert inputs.shape[1:] == model.input_shape == TASKS[task]
    assert model.transform(inputs).shape == model.visible(inputs).shape == images.shape


def test_the_losses_against_their_closed_form():
    """A critic of 0 everywhere: G has log 2 and λ times the error, D half of 2 log 2."""
    model = build("pix2pix", dropout=0.0)
    with torch.no_grad():
        for p in model.D.parameters():
            p.zero_()
    batch = Batch(torch.rand(3, 1, 16, 16) * 2 - 1, torch.zeros(3, dtype=torch.int64))
    error = l1_loss(model.transform(model.degrade(batch.images)), batch.images)
    torch.testing.assert_close(model.loss_g(batch)[0], log(2) + 100 * error)
    assert model.loss_d(batch)[0].item() == pytest.approx(log(2))


def test_dropout_is_the_noise_of_training_alone():
    model = build_untrained("pix2pix", image_size=32)
    x = model.degrade(torch.rand(1, 1, 32, 32) * 2 - 1)
    assert not torch.equal(model.train().transform(x), model.transform(x))
    assert torch.equal(model.eval().transform(x), model.transform(x))


def test_grey_data_cannot_be_coloured():
    with pytest.raises(GanlibError, match="3 channels, not 1"):
        MODELS["pix2pix"](tiny_config("pix2pix", task="colour"))


# The pairs.


def test_a_step_becomes_one_line():
    image = torch.full((1, 3, 16, 16), -0.8)
    image[..., 8:] = 0.8
    edges = draw_edges(image)[0, 0]
    assert (edges == -1).sum(1).tolist() == [1] * 16
    assert (edges == -1).nonzero()[:, 1].unique().tolist() in ([7], [8])
    turned = draw_edges(image.transpose(2, 3))[0, 0]
    assert (turned == -1).sum(0).tolist() == [1] * 16


def test_flat_images_and_faint_steps_have_no_lines():
    image = torch.zeros(1, 1, 16, 16)
    assert (draw_edges(image) == 1).all()
    image[..., 8:] = 0.06
    assert (draw_edges(image) == 1).all()


def test_greys_are_luma():
    primaries = torch.eye(3)[:, :, None, None].expand(3, 3, 2, 2)
    assert greyscale(primaries)[:, 0, 0, 0].tolist() == pytest.approx([0.299, 0.587, 0.114])


def test_shrinking_a_smooth_image_and_enlarging_it_gives_it_back():
    ramp = torch.linspace(-0.8, 0.8, 32).expand(1, 1, 32, 32)
    assert shrink(ramp, 4).shape == (1, 1, 8, 8)
    inside = (enlarge(shrink(ramp, 4), 4) - ramp)[..., 6:-6]
    assert inside.abs().max() < 0.01
