"""Faults are what they say; the courtroom's instruments notice strong ones and leave faultless images alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ganlib.errors import GanlibError
from ganlib.twosample.courtroom import courtroom, noticed, thresholds
from ganlib.twosample.faults import FAULTS
from ganlib.twosample.groups import thumbnails


def pictures(n, seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (n, 4, 4, 3), dtype=np.uint8)
    return coarse.repeat(4, axis=1).repeat(4, axis=2)


def plant(name, strength, images, labels=None, training=None):
    labels = np.arange(len(images)) % 10 if labels is None else labels
    training = pictures(50, 9) if training is None else training
    return FAULTS[name].plant(images, labels, training, strength, np.random.default_rng(0))


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_grows_with_its_strength_and_spares_its_input(name):
    images = pictures(40)
    before = images.copy()
    results = [plant(name, strength, images) for strength in FAULTS[name].strengths]
    assert (images == before).all()
    assert all(result.dtype == np.uint8 and result.shape[1:] == images.shape[1:] for result in results)
    if name == "dropped classes":
        assert [len(result) for result in results] == [38, 36, 32, 20]
    else:
        changes = [abs(result.astype(int) - images).mean() for result in results]
        assert changes == sorted(changes)
        assert changes[-1] > 0
    assert list(FAULTS[name].strengths) == sorted(FAULTS[name].strengths)


def test_noise_has_its_deviation_and_copies_their_share():
    grey = np.full((20, 16, 16, 3), 128, np.uint8)
    assert plant("noise", 8, grey).astype(float).std() == pytest.approx(8, rel=0.05)
    images, training = pictures(40), pictures(50, 9)
    copied = (plant("copies", 0.2, images, training=training)[:, None] == training).all(axis=(2, 3, 4)).any(axis=1)
    assert copied.sum() == 8
    assert len(np.unique(plant("collapse", 0.9, images).reshape(40, -1), axis=0)) == 4


def test_what_is_noticed_is_outside_the_faultless_draws_or_below_five_percent():
    values = [1.0, 1.1, 0.9, 1.05, 0.95]
    frame = pd.DataFrame(
        [("none", i, "FID", value, np.nan) for i, value in enumerate(values)]
        + [("blur", 1.0, "FID", 1.2, np.nan), ("blur", 2.0, "FID", 1.4, np.nan)]
        + [("blur", 1.0, "test", 0.6, 0.04), ("blur", 2.0, "test", 0.6, 0.06), ("none", 0, "test", 0.5, 0.5)],
        columns=["fault", "strength", "instrument", "value", "p_value"],
    )
    # 2.78 standard deviations of 0.079, times sqrt(1 + 1/5): 0.24 on either side of 1.
    assert noticed(frame).tolist() == [False] * 5 + [False, True, True, False, False]
    table = thresholds(frame.assign(noticed=noticed(frame)))
    assert table["blur"]["FID"] == 2.0
    assert np.isnan(table["blur"]["test"])  # noticed at 1, but not at 2


@pytest.mark.slow
def test_the_courtroom_finds_strong_faults_and_acquits_faultless_images():
    images, training = pictures(240), pictures(300, 9)
    frame = courtroom(
        images, np.arange(240) % 10, training, lambda x: thumbnails(x, 4), n=80, faults=("colour", "copies")
    )
    assert frame.groupby(["fault", "strength"]).size().nunique() == 1
    strongest = frame[frame["strength"] == 0.2].query("fault == 'colour'").set_index("instrument")["noticed"]
    assert strongest[["logistic regression", "t-test, BY"]].all()
    copied = frame.query("fault == 'copies' and strength == 1").set_index("instrument")["noticed"]
    assert copied[["copies", "nearer to training images"]].all()
    assert frame.query("fault == 'none'")["noticed"].mean() < 0.15


def test_too_few_images_are_refused_in_words():
    with pytest.raises(GanlibError, match="takes 300 real images for n = 100; there are 240"):
        courtroom(pictures(240), np.zeros(240, int), pictures(5), lambda x: thumbnails(x, 4), n=100)
