"""Conditional GAN, Mirza & Osindero, arXiv:1411.1784, on DCGAN's networks."""

from __future__ import annotations

import pytest

from ganlib.errors import GanlibError
from helpers.tiny_models import build


def test_cdcgan_joins_the_class_to_both_inputs():
    model, plain = build("cdcgan"), build("dcgan")
    assert model.G.net[0].in_channels == plain.G.net[0].in_channels + 3
    assert model.D.net[0].in_channels == plain.D.net[0].in_channels + 3


@pytest.mark.parametrize("classes", [0, 1])
def test_cdcgan_needs_classes(classes):
    with pytest.raises(GanlibError, match="at least two classes"):
        build("cdcgan", num_classes=classes)
