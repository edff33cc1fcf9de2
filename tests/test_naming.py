"""Names of run folders and of numbers of things."""

from __future__ import annotations

from pathlib import Path

from ganlib.naming import counted, nearest_names, run_names


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
