"""A mixture of data sets: the domain is the label, the rows are the sets' own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ganlib.data import display_name, load_data
from ganlib.errors import GanlibError
from helpers.image_files import equal, picture, write


@pytest.fixture
def roots(tmp_path: Path) -> tuple[str, str]:
    """Photos (cats, dogs; 20 x 18 pixels) with a split, and renders without one."""
    photos = {
        f"{s}/{c}/{i}.png": picture(i + 10 * len(c + s))
        for s in ("train", "test")
        for c in ("cat", "dogs")
        for i in range(3)
    }
    write(tmp_path / "photos", photos)
    write(tmp_path / "renders", {f"a/{i}.png": picture(100 + i, (9, 8), "L") for i in range(10)})
    return f"folder:{tmp_path / 'photos'}", f"folder:{tmp_path / 'renders'}"


def test_each_set_is_a_class_and_its_images_follow_the_ones_before(roots):
    whole, parts = load_data(f"mixture:{roots[0]}+{roots[1]}"), [load_data(root, size=8, channels=3) for root in roots]
    assert whole.classes == ("photos", "renders")
    assert (whole.size, whole.channels) == (8, 3)
    for split in ("train", "test"):
        mixed, own = getattr(whole, split), [getattr(part, split) for part in parts]
        assert equal(mixed.images, np.concatenate([part.images for part in own]))
        assert mixed.labels.tolist() == [0] * len(own[0]) + [1] * len(own[1])


def test_one_class_of_a_set_may_be_a_domain(roots):
    mixed, photos = load_data(f"mixture:{roots[0]}#cat+{roots[0]}#dogs"), load_data(roots[0])
    assert mixed.classes == ("cat", "dogs")
    assert equal(mixed.train.images, photos.train.images)
    assert mixed.train.labels.tolist() == photos.train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    one = load_data(f"mixture:{roots[0]}#dogs+{roots[1]}", size=16)
    assert one.classes == ("dogs", "renders")
    assert equal(one.test.images[:3], photos.test.images[photos.test.labels == 1])


def test_names(roots):
    mixed = load_data(f"mixture:{roots[0]}#cat+digits")
    assert mixed.name == "mixture:folder:photos#cat+digits"
    assert display_name(mixed.name) == "Photos (cat) + Handwritten digits"
    assert display_name("mixture:digits") == "mixture:digits"  # of a stranger's recipe


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("mixture:digits", "takes two sets or more"),
        ("mixture", "names its sets like"),
        ("mixture:digits+", "names its sets like"),
        ("mixture:digits+digits", "digits is in the mixture twice"),
        ("mixture:digits+mixture:a", "names its sets like"),
        ("mixture:digits#ten+digits", "digits has no class 'ten'; there are 0, 1, 2"),
    ],
)
def test_what_makes_no_mixture(name, sentence):
    with pytest.raises(GanlibError, match=sentence):
        load_data(name)
