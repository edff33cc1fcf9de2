"""Variations of images by a model that augments data."""

from __future__ import annotations

import numpy as np

from ganlib.applications.variation import augments, variations_of, vary
from helpers.tiny_models import build, make_data


def test_a_variation_is_that_of_its_seed_alone_and_among_others():
    model, picture = build("dagan"), make_data().train.images[5]
    together = vary(model, picture, [3, 9, 4])
    assert together.shape == (3, 16, 16, 1)
    for image, seed in zip(together, [3, 9, 4], strict=True):
        assert np.array_equal(image, vary(model, picture, [seed])[0])
    assert not np.array_equal(together[0], together[1])


def test_variations_of_a_class_begin_with_each_of_its_images():
    model, split = build("dagan"), make_data().train
    draw = variations_of(model, split)
    rows = np.flatnonzero(split.labels == 2)
    for turn in (0, 3, len(rows) + 1):
        seed = turn * 3 + 2
        expected = vary(model, split.images[rows[turn % len(rows)]], [seed])
        assert np.array_equal(draw([seed], [2]), expected)


def test_which_models_augment():
    assert [name for name in ("dagan", "pix2pix", "cyclegan", "cdcgan") if augments(build(name))] == ["dagan"]
