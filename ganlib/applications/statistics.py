"""What is seen of an image at once: brightness, colour, contrast, sharpness, the object's size and place.

Jahanian, Chai, Isola, "On the 'Steerability' of Generative Adversarial Networks", ICLR 2020, arXiv:1907.07171, measure
luminance, size and position likewise.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
EPSILON = 1e-6


class Statistic(NamedTuple):
    """How a statistic is named where it grows and where it falls."""

    more: str
    less: str


STATISTICS = {
    "brightness": Statistic("brighter", "darker"),
    "contrast": Statistic("more contrast", "less contrast"),
    "sharpness": Statistic("sharper", "smoother"),
    "saturation": Statistic("more saturated", "paler"),
    "red": Statistic("redder", "greener"),
    "yellow": Statistic("yellower", "bluer"),
    "size": Statistic("larger object", "smaller object"),
    "x": Statistic("object to the right", "object to the left"),
    "y": Statistic("object lower", "object higher"),
}
COLOURS = ("saturation", "red", "yellow")  # which images of one channel do not have


def image_statistics(images: Tensor) -> dict[str, Tensor]:
    """(N, C, H, W) in [-1, 1] -> (N,) float32 each, those of ``STATISTICS`` that the channels have.

    Brightness and contrast are the mean and the deviation of luma in [0, 1]; sharpness the mean step between
    neighbouring pixels over the contrast; saturation the mean range of the channels; red and yellow the opponent
    colours R - G and (R + G) / 2 - B. The object is what differs from the border's mean colour: its size is the root of
    the second moments over the image's side, its place the centroid from -1 (left, top) to 1.
    """
    x = (images.float() + 1) / 2
    if x.shape[1] >= 3:
        x = x[:, :3]
        luma = (x * x.new_tensor(LUMA)[:, None, None]).sum(1)
    else:
        luma = x[:, 0]
    contrast = luma.flatten(1).std(1, correction=0)
    steps = luma.diff(dim=1).abs().mean((1, 2)) + luma.diff(dim=2).abs().mean((1, 2))
    values = {
        "brightness": luma.mean((1, 2)),
        "contrast": contrast,
        "sharpness": steps / (2 * contrast + EPSILON),
    }
    if x.shape[1] == 3:
        red, green, blue = x.unbind(1)
        values["saturation"] = (x.amax(1) - x.amin(1)).mean((1, 2))
        values["red"] = (red - green).mean((1, 2))
        values["yellow"] = ((red + green) / 2 - blue).mean((1, 2))
    return values | _object(x)


def _object(x: Tensor) -> dict[str, Tensor]:
    """Size and place of what differs from the border, weighted by the square of how much."""
    _, _, height, width = x.shape
    border = torch.cat([x[:, :, 0], x[:, :, -1], x[:, :, 1:-1, 0], x[:, :, 1:-1, -1]], dim=2).mean(2)
    weights = (x - border[:, :, None, None]).square().sum(1) + EPSILON**2
    weights = weights / weights.sum((1, 2), keepdim=True)
    rows, columns = (torch.linspace(-1, 1, side, device=x.device) for side in (height, width))
    y, x_ = (weights.sum(2) * rows).sum(1), (weights.sum(1) * columns).sum(1)
    second = (weights.sum(2) * (rows - y[:, None]).square()).sum(1)
    second = second + (weights.sum(1) * (columns - x_[:, None]).square()).sum(1)
    return {"size": second.sqrt() / 2, "x": x_, "y": y}
