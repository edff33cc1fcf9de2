"""Names of run folders and of numbers of things."""

from __future__ import annotations

from pathlib import Path

from ganlib.naming import counted, nearest_names, readable, run_names


def test_folders_of_one_name_get_distinct_names() -> None:
    folders = [Path("/x/gallery/a"), Path("/x/runs/a"), Path("/x/runs/a"), Path("/y/runs/a")]
    assert list(run_names(folders).values()) == ["a", "runs/a", "/y/runs/a"]


def test_the_nearest_names_contain_the_unknown_one_or_are_spelled_like_it():
    names = ["cifar10-dcgan", "cifar10-sngan", "digits-sngan", "flowers5-sngan", "mnist-sngan"]
    assert nearest_names("SNGAN", names) == names[1:4]
    assert nearest_names("cifar10-sgnan", names)[0] == "cifar10-sngan"
    assert nearest_names("piano", names) == nearest_names("", names) == []


def test_one_thing_is_named_in_the_singular():
    assert [counted(n, "image") for n in (0, 1, 2, 1000)] == ["0 images", "1 image", "2 images", "1,000 images"]
    assert [counted(n, "class") for n in (1, 10)] == ["1 class", "10 classes"]


def test_a_number_has_the_digits_that_count_and_no_exponent_below_a_million():
    assert [readable(x) for x in (0, 1.63888, -0.0002346, 999.4, 999.9, 1886.2, -12345.6)] == [
        *("0", "1.64", "-0.000235", "999", "1,000", "1,886", "-12,346"),
    ]
    assert [readable(x, 2) for x in (0.6931, 99.7, 234.4, 1e6, 3e-9)] == ["0.69", "100", "234", "1e+06", "3e-09"]
    assert [readable(x) for x in (float("nan"), float("inf"))] == ["nan", "inf"]
