"""Batches: a function of seed and step, pixels in [-1, 1], labels selected and drawn."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch

from ganlib.data import Split
from ganlib.data.batches import batches, labelled_subset, stratified_subset
from ganlib.errors import GanlibError
from helpers.image_files import toy


@pytest.mark.parametrize("batch_size", [3, 10, 27])
def test_batches_resume_exactly(batch_size: int) -> None:
    whole = list(islice(batches(toy(), batch_size, seed=5, flip=True), 9))
    for start in (1, 4, 7):
        rest = islice(batches(toy(), batch_size, seed=5, start=start, flip=True), 9 - start)
        for (x, y), (x_again, y_again) in zip(whole[start:], rest, strict=True):
            assert torch.equal(x, x_again)
            assert torch.equal(y, y_again)


def test_batches_are_the_epochs_one_after_the_other() -> None:
    labels = torch.cat([y for _, y in islice(batches(toy(), 4, seed=1, flip=False), 10)])
    epochs = labels.reshape(4, 10)
    assert all(sorted(epoch.tolist()) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch.tolist()) for epoch in epochs}) == 4
    other = torch.cat([y for _, y in islice(batches(toy(), 4, seed=2, flip=False), 10)])
    assert not torch.equal(labels, other)


@pytest.mark.parametrize("channels", [1, 3])
def test_batches_hold_the_pixels_in_minus_one_to_one(channels: int) -> None:
    split = toy(channels=channels)
    x, y = next(batches(split, 10, seed=0, flip=False))
    assert x.shape == (10, channels, 4, 4)
    assert x.dtype == torch.float32
    assert x.is_contiguous(memory_format=torch.channels_last)
    assert y.dtype == torch.int64
    assert x.min() >= -1
    assert x.max() <= 1
    back = ((x + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    np.testing.assert_array_equal(back, split.images[y.numpy()])


def test_flips_mirror_about_half_and_only_left_to_right() -> None:
    split = toy(400)
    before = np.array(split.images)
    plain, mirrored = (next(batches(split, 400, seed=3, flip=flip))[0] for flip in (False, True))
    flipped = [bool(torch.equal(a.flip(2), b)) for a, b in zip(plain, mirrored, strict=True)]
    selected = [bool(torch.equal(a, b)) for a, b in zip(plain, mirrored, strict=True)]
    assert all(a != b for a, b in zip(flipped, selected, strict=True))
    assert 150 < sum(flipped) < 250
    np.testing.assert_array_equal(split.images, before)


def labels_of(n: int, **settings: Any) -> list[np.ndarray]:
    stream = batches(toy(60), 8, seed=3, flip=False, **settings)
    return [labels.numpy() for _, labels in islice(stream, n)]


def test_a_chosen_number_of_labels_is_kept_evenly_over_the_classes() -> None:
    labels = np.arange(60) % 3
    selected = labelled_subset(labels, 9)
    assert len(set(selected)) == 9
    assert np.bincount(labels[selected]).tolist() == [3, 3, 3]
    assert set(selected) < set(labelled_subset(labels, 12))  # more labels keep the fewer
    assert len(labelled_subset(labels, 1000)) == 60


@pytest.mark.parametrize(("share", "quota"), [(0.0, 0), (0.25, 2), (0.5, 4), (1.0, 8)])
def test_every_batch_has_its_quota_of_labelled_images(share: float, quota: int) -> None:
    for labels in labels_of(20, labels=9, labelled_share=share):
        assert (labels[:quota] >= 0).all()
        assert len(labels) == 8
    rest = np.concatenate([labels[quota:] for labels in labels_of(60, labels=9, labelled_share=share)])
    assert not len(rest) or (rest >= 0).mean() == pytest.approx(9 / 60, abs=0.08)


def test_labelled_batches_resume_exactly() -> None:
    uninterrupted = labels_of(12, labels=9)
    assert all(np.array_equal(a, b) for a, b in zip(uninterrupted[5:], labels_of(7, labels=9, start=5), strict=True))


def test_few_images_are_the_same_ones_evenly_over_the_classes() -> None:
    split = Split(toy(60).images, np.arange(60) % 3, "0123456789abcdef")
    selected = stratified_subset(split.labels, 9)
    assert np.bincount(split.labels[selected]).tolist() == [3, 3, 3]
    assert set(selected) < set(stratified_subset(split.labels, 12))
    stream = batches(split, 6, seed=3, flip=False, only=9)
    drawn = np.concatenate([images.numpy() for images, _ in islice(stream, 3)])
    expected = np.asarray(split.images)[selected].transpose(0, 3, 1, 2) * np.float32(2 / 255) - 1
    matches = [int(np.abs(expected - image).sum((1, 2, 3)).argmin()) for image in drawn]
    assert np.bincount(matches).tolist() == [2] * 9  # two epochs of nine
    assert np.abs(expected[matches] - drawn).max() < 1e-6
    labelled_only = [labels for _, labels in islice(batches(split, 6, seed=3, flip=False, only=9, labels=3), 4)]
    assert all((labels[:3] >= 0).all() for labels in labelled_only)


def test_unlabelled_data_have_no_labels_to_keep() -> None:
    split = toy(10)
    with pytest.raises(GanlibError, match="no labels to choose from; leave --labels out"):
        batches(Split(split.images, np.full(10, -1), split.fingerprint), 4, seed=0, flip=False, labels=5)


def test_batches_refuse_nothing() -> None:
    with pytest.raises(GanlibError, match="at least one image, not 0"):
        batches(toy(), 0, seed=0, flip=False)
    with pytest.raises(GanlibError, match="no images"):
        batches(toy(0), 4, seed=0, flip=False)


def of_labels(labels: list[int]) -> Split:
    """Images whose one pixel is their number."""
    numbers = np.arange(len(labels), dtype=np.uint8)
    return Split(numbers[:, None, None, None], np.array(labels), "0" * 16)


def pairs_of(split: Split, n: int, **settings: Any) -> list[tuple[int, int]]:
    """The numbers of all pairs of n batches of 4 pairs."""
    pairs: list[tuple[int, int]] = []
    for x, y in islice(batches(split, 8, flip=False, in_pairs=True, **{"seed": 0} | settings), n):
        numbers = ((x.flatten() + 1) * 127.5).round().int().tolist()
        half = len(numbers) // 2
        assert y.tolist() == [int(split.labels[number]) for number in numbers]
        pairs += zip(numbers[:half], numbers[half:], strict=True)
    return pairs


def test_in_pairs_each_image_in_its_turn_has_any_other_one_of_its_class() -> None:
    split = of_labels([0] * 5 + [1] + [2] * 2 + [-1] * 3)
    pairs = pairs_of(split, 70)  # 40 epochs of the 7 images that can be paired
    first = [a for a, _ in pairs]
    assert all(sorted(first[i : i + 7]) == [0, 1, 2, 3, 4, 6, 7] for i in range(0, 280, 7))
    everything = {(a, b) for a in range(5) for b in range(5) if a != b} | {(6, 7), (7, 6)}
    assert set(pairs) == everything


def test_rare_classes_keep_their_share_in_pairs() -> None:
    """Of one in 44, most batches have one image alone: its partner is not among those drawn in their turn."""
    split = of_labels([0] * 86 + [1] * 2)
    rare = sum(int(split.labels[a]) for a, _ in pairs_of(split, 220))  # 10 epochs
    assert rare == 10 * 2


def test_pairs_are_drawn_among_labelled_images_alone_resume_exactly_and_stay_together_when_dealt_out() -> None:
    split = of_labels(list(np.arange(60) % 3))
    kept = {a for pair in pairs_of(split, 20, labels=9) for a in pair}
    assert kept == set(labelled_subset(split.labels, 9).tolist())
    whole = pairs_of(split, 9)
    assert pairs_of(split, 4, start=5) == whole[20:]
    dealt = [pairs_of(split, 9, rank=rank, world_size=2) for rank in (0, 1)]
    assert dealt == [whole[0::2], whole[1::2]]


def test_without_two_images_of_any_class_there_are_no_pairs() -> None:
    with pytest.raises(GanlibError, match="No class has two images to make a pair of"):
        batches(of_labels([0, 1, 2, -1, -1]), 4, seed=0, flip=False, in_pairs=True)
