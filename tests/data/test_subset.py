"""A subset of a data set: so many images of each class, drawn by seed; all test images."""

from __future__ import annotations

import numpy as np
import pytest

from ganlib.data import display_name, load_data
from ganlib.data.subset import Subset, parse_subset, whole_set
from ganlib.errors import GanlibError
from helpers.image_files import equal, picture, write


def counts(spec: str, available: list[int]) -> list[int]:
    return Subset("set", spec).class_counts(np.array(available)).tolist()


def test_closed_forms_of_the_counts():
    assert counts("100:1", [5000] * 10) == [
        5000,
        2997,
        1797,
        1077,
        646,
        387,
        232,
        139,
        83,
        50,
    ]  # of long-tailed CIFAR-10
    assert counts("10:1-step", [500] * 5) == [500, 500, 500, 50, 50]
    assert counts("1:1", [5, 4]) == [5, 4]
    assert counts("3", [5, 4]) == [3, 3]
    assert counts("5,0", [5, 4]) == [5, 0]


@pytest.mark.parametrize(
    "text", ["", "digits", "digits@", "digits@many", "digits@0:1", "@5", "subset:digits@5@6", "digits@-5"]
)
def test_what_is_no_subset(text):
    with pytest.raises(GanlibError, match="A subset names its set"):
        parse_subset(text)


def test_a_path_with_the_separator():
    assert parse_subset("folder:a@b@7") == Subset("folder:a@b", "7")
    assert parse_subset("folder:a@7@100:1@3") == Subset("folder:a@7", "100:1", 3)


def test_images_of_the_whole_by_seed(tmp_path):
    whole = load_data("digits")
    part, more, other = (load_data(f"subset:digits@{text}") for text in ("5", "9", "5@1"))
    assert part.class_counts == (5,) * 10
    assert equal(part.test.images, whole.test.images)
    rows = [
        int(np.flatnonzero((np.asarray(whole.train.images) == image).all(axis=(1, 2, 3)))[0])
        for image in part.train.images
    ]
    assert np.array_equal(whole.train.labels[rows], part.train.labels)
    nested = {image.tobytes() for image in more.train.images}
    assert all(image.tobytes() in nested for image in part.train.images)
    assert len({part.train.fingerprint, more.train.fingerprint, other.train.fingerprint}) == 3
    assert not equal(part.train.images, other.train.images)
    assert (part.name, other.name) == ("subset:digits@5", "subset:digits@5@1")


def test_folders(tmp_path):
    write(tmp_path, {f"train/{c}/{i}.png": picture(i + 10 * len(c)) for c in ("cat", "dogs") for i in range(6)})
    data = load_data(f"subset:folder:{tmp_path}@6:1")
    assert data.class_counts[0] > data.class_counts[1] == 1


def test_too_few_images_or_no_classes(tmp_path):
    with pytest.raises(GanlibError, match="of which digits has"):
        load_data("subset:digits@4000")
    with pytest.raises(GanlibError, match="2 counts for 10 classes"):
        load_data("subset:digits@4,5")
    write(tmp_path, {f"{i}.png": picture(i) for i in range(12)})
    with pytest.raises(GanlibError, match="has no classes"):
        load_data(f"subset:folder:{tmp_path}@1")


def test_names():
    assert display_name("subset:digits@100:1") == "Handwritten digits, 100:1"
    assert display_name("subset:digits@50@3") == "Handwritten digits, 50 a class, seed 3"
    assert display_name("subset:folder:photos@2x@50") == "Photos 2x, 50 a class"
    assert display_name("subset:digits") == "subset:digits"  # of a stranger's recipe


def test_the_whole_of_a_subset():
    for name, whole in {
        "subset:mnist@50:1": "mnist",
        "subset:celeba:Smiling,Male@10@3": "celeba:Smiling,Male",
        "mnist": "mnist",
        "folder:a@b": "folder:a@b",
        "subset:anything": "subset:anything",  # of a stranger's recipe
    }.items():
        assert whole_set(name) == whole
