"""Image statistics against pictures whose values are known."""

from __future__ import annotations

import pytest
import torch

from ganlib.applications.statistics import COLOURS, STATISTICS, image_statistics


def square(side: int = 32, *, left: int = 8, top: int = 8, size: int = 8, channels: int = 3) -> torch.Tensor:
    image = torch.full((1, channels, side, side), -1.0)
    image[:, :, top : top + size, left : left + size] = 1
    return image


def test_uniform_pictures_have_their_colour() -> None:
    images = torch.tensor([[1.0, -1, -1], [-1, 1, -1], [1, 1, -1], [0, 0, 0]])[:, :, None, None].expand(-1, -1, 8, 8)
    values = image_statistics(images)
    assert values["brightness"].tolist() == pytest.approx([0.299, 0.587, 0.886, 0.5])
    assert values["saturation"].tolist() == pytest.approx([1, 1, 1, 0])
    assert values["red"].tolist() == pytest.approx([1, -1, 0, 0])
    assert values["yellow"].tolist() == pytest.approx([0.5, 0.5, 1, 0])
    assert values["contrast"].tolist() == pytest.approx([0, 0, 0, 0], abs=1e-6)


def test_half_black_half_white_has_a_contrast_of_a_half() -> None:
    image = torch.ones(1, 1, 8, 8)
    image[..., :4] = -1
    values = image_statistics(image)
    assert values["contrast"].item() == pytest.approx(0.5)
    assert values["sharpness"].item() == pytest.approx(8 / 56, rel=1e-4)  # a step of 1 in each row, over 56 pairs
    assert not set(COLOURS) & values.keys()


def test_a_square_has_its_place_and_size() -> None:
    middle = image_statistics(square(left=12, top=12))
    assert (middle["x"].item(), middle["y"].item()) == pytest.approx((0, 0), abs=1e-4)
    moved = image_statistics(square(left=20, top=4))
    assert (moved["x"].item(), moved["y"].item()) == pytest.approx((8 * 2 / 31, -8 * 2 / 31), rel=1e-4)
    spread = (2 * (8**2 - 1) / 12) ** 0.5  # of 8 by 8 pixels around their centre
    assert middle["size"].item() == pytest.approx(spread * (2 / 31) / 2, rel=1e-4)
    assert image_statistics(square(left=8, top=8, size=16))["size"] > 1.9 * middle["size"]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_every_number_of_channels_and_a_blank_picture_give_numbers(channels: int) -> None:
    for images in (torch.zeros(2, channels, 8, 8), torch.rand(2, channels, 8, 8)):
        values = image_statistics(images)
        assert values.keys() == STATISTICS.keys() - (() if channels >= 3 else COLOURS)
        assert all(value.shape == (2,) and value.isfinite().all() for value in values.values())
