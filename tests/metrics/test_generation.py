"""Which classes an evaluation generates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ganlib.metrics.generation import Generation, proportional_labels
from ganlib.models import GenerativeModel
from ganlib.runs import Run
from helpers.gallery import edit_recipe
from helpers.tiny_models import write_run


def test_every_leading_part_has_the_classes_in_proportion() -> None:
    counts = [70, 0, 25, 5]
    labels = proportional_labels(counts, 400)
    assert labels.bincount(minlength=4).tolist() == [280, 0, 100, 20]
    for n in (1, 7, 50, 111, 399):
        assert np.abs(labels[:n].bincount(minlength=4).numpy() - n * np.array(counts) / 100).max() <= 1


def test_equal_classes_come_in_turn() -> None:
    assert torch.equal(proportional_labels([9] * 7, 1000), torch.arange(1000) % 7)


def test_combinations_of_attributes_are_as_frequent_as_in_the_data(tmp_path: Path) -> None:
    path = tmp_path / "faces"
    write_run(path, "sngan", attributes=("Smiling", "Male"))
    drawn = []
    for counts in ([], [20, 10, 10, 0]):
        edit_recipe(path, data__class_counts=counts)
        run = Run(path)
        model = run.load()
        assert isinstance(model, GenerativeModel)
        generation = Generation(run, model, "", {}, 40, 8)
        assert generation.labels is not None
        drawn.append((generation.proportional, generation.labels.bincount(minlength=4).tolist()))
    assert drawn == [(False, [10] * 4), (True, [20, 10, 10, 0])]
