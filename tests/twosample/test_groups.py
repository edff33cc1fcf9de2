"""Copies and sequences stay in one half."""

from __future__ import annotations

import numpy as np
import pytest

from ganlib.errors import GanlibError
from ganlib.twosample.groups import Grouping, group, halves, near_duplicates, sequence_names


def noise(n, seed=0, size=16):
    coarse = np.random.default_rng(seed).integers(0, 256, (n, 4, 4, 3), dtype=np.uint8)
    return coarse.repeat(size // 4, axis=1).repeat(size // 4, axis=2)


def test_near_duplicates_are_one_group():
    images = noise(30)
    noisy = np.clip(images[:5].astype(int) + np.random.default_rng(1).normal(0, 6, images[:5].shape), 0, 255)
    groups = near_duplicates(np.concatenate([images, noisy.astype(np.uint8)]))
    assert groups[30:].tolist() == groups[:5].tolist()
    assert len(set(groups)) == 30


def test_halves_hold_groups_together_and_both_sides():
    is_real = np.arange(200) < 120
    groups = np.concatenate([np.repeat(np.arange(24), 5), np.repeat(np.arange(30, 50), 4)])
    mask = halves(is_real, Grouping(groups, []), seed=3)
    assert all(len(set(mask[groups == g])) == 1 for g in set(groups))
    assert 50 <= (mask & is_real).sum() <= 70
    assert 32 <= (mask & ~is_real).sum() <= 48


def test_halves_without_groups_are_equal_and_random():
    is_real, apart = np.arange(100) < 60, Grouping(np.arange(100), [])
    masks = [halves(is_real, apart, seed) for seed in (0, 1)]
    assert [(int(m[:60].sum()), int(m[60:].sum())) for m in masks] == [(30, 20)] * 2
    assert (masks[0] != masks[1]).any()


def test_a_side_of_one_sequence_leaves_nothing_to_measure_on():
    groups = np.concatenate([np.zeros(10, int), np.arange(1, 11)])
    with pytest.raises(GanlibError, match="All real images are of one group"):
        halves(np.arange(20) < 10, Grouping(groups, []))


def test_a_side_that_is_all_alike_is_said_and_stays_apart():
    images = np.concatenate([noise(20), np.repeat(noise(1, 5), 20, axis=0)])
    grouping = group(images, np.arange(40) < 20, [None] * 40)
    assert grouping.warnings == ["100% of the synthetic images are near-duplicates of each other."]
    assert grouping.trivial


def test_sequences_and_copies_join():
    images = noise(6)
    images[5] = images[0]
    grouping = group(images, np.arange(6) < 3, ["a", "a", None, "b", "b", None])
    assert len(set(grouping.groups)) == 3
    assert len({int(grouping.groups[i]) for i in (0, 1, 5)}) == 1


def test_names_of_sequences():
    names = ["x/0001TP_009120.jpg", "x/0001TP_010020.jpg", "other.jpg"]
    assert sequence_names(names, r"([A-Za-z0-9]+)_\d+\.jpg") == ["0001TP", "0001TP", None]
    assert sequence_names(names, r"000\d") == ["0001", "0001", None]
    assert sequence_names(names, None) == [None] * 3
    with pytest.raises(GanlibError, match="no regular expression"):
        sequence_names(names, "(")
